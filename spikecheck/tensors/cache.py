"""Where compiled libraries, and what is known of the processor, lie on the user's disk."""

import os
from contextlib import suppress
from pathlib import Path

from platformdirs import user_cache_path

_NAMED = "TORCHINDUCTOR_CACHE_DIR"


def cache_folder() -> str:
    """The folder that the user has named for torch's cache, else one of the user's own; torch's would be one for all users."""
    return os.environ.get(_NAMED, str(user_cache_path("spikecheck-kernels")))


def name_to_torch() -> None:
    """Have torch's compiler use `cache_folder` as well, in this process and in those that it starts."""
    os.environ[_NAMED] = cache_folder()


def private_folder() -> Path | None:
    """Where our own records lie; None where others could write there, or where torch is told to cache nothing."""
    folder = Path(cache_folder()) / "spikecheck"
    if os.environ.get("TORCHINDUCTOR_FORCE_DISABLE_CACHES") == "1":
        return None
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.lstat()
    return folder if folder.is_dir() and status.st_uid == os.geteuid() and not status.st_mode & 0o077 else None
