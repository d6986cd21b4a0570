"""The user's folder of compiled libraries, and the records in it: of libraries, and of the processor's instructions.

Only its owner may enter the folder. A record is found by all that its values depend on, and has a digest of both. A record of
anything else, or a damaged one, counts as none.
"""

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from spikecheck.core.whole_file import remove_abandoned, write_whole

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


def recorded(key: Any) -> dict[str, Any] | None:
    """The values that were recorded under this key; None where there are none.

    Args:
        key: all that they depend on, as JSON.

    Raises:
        OSError: there is no such file, or it cannot be read.
        ValueError, KeyError, TypeError: the file is no record.
    """
    folder = private_folder()
    if folder is None:
        return None
    record = json.loads((folder / name_of(key)).read_text(encoding="utf-8"))
    values: dict[str, Any] = record["values"]
    return values if record["sha256"] == digest_of(key, values) else None


def record(key: Any, values: dict[str, Any]) -> None:
    """Keep values for other processes, where there is a folder for them.

    Raises:
        OSError: they cannot be written.
    """
    folder = private_folder()
    if folder is not None:
        remove_abandoned(folder)
        text = json.dumps({"key": key, "values": values, "sha256": digest_of(key, values)})
        write_whole(folder / name_of(key), text.encode(), drafts=folder, mode=0o600)


def name_of(key: Any) -> str:
    """The name of the key's file."""
    return f"{digest_of(key)}.json"


def digest_of(*parts: Any) -> str:
    """sha256 of values as JSON."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
