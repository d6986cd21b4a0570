"""Where compiled libraries, and what is known of the processor, lie on the user's disk."""

import os
from contextlib import suppress
from pathlib import Path

from platformdirs import user_cache_path


def cache_folder() -> str:
    """Torch's cache, set where the user has not: the user's own folder, where torch's would be one for all users."""
    return os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(user_cache_path("spikecheck-kernels")))


def private_folder() -> Path | None:
    """Where our own records lie; None where others could write there, or where torch is told to cache nothing."""
    folder = Path(cache_folder()) / "spikecheck"
    if os.environ.get("TORCHINDUCTOR_FORCE_DISABLE_CACHES") == "1":
        return None
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.lstat()
    return folder if folder.is_dir() and status.st_uid == os.geteuid() and not status.st_mode & 0o077 else None
