"""Files that are written whole or not at all, and of which no killed writer leaves a part behind for long.

The content goes to a draft in the same file system, which a rename then puts in place. A writer holds a lock on its draft, and
the operating system releases it when the writer dies, however it dies. So anyone can tell an abandoned draft from one that is
being written.
"""

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

STALE_AFTER = 24 * 3600.0
"""Seconds after which a draft is abandoned where files cannot be locked."""


_SUFFIX = ".draft"
_LONGEST_PREFIX = 50
"""Characters: at four bytes each, a draft's name still fits into the 255 bytes that file systems allow."""


def write_whole(
    path: Path, *parts: bytes | memoryview, drafts: Path, prefix: str = "", mode: int = 0o666, flush: bool = False
) -> None:
    """Put all parts under `path` in one step, by way of a draft in the folder `drafts` whose name begins with `prefix`.

    `mode` are the file's permissions before the user's umask. With `flush`, the content has reached the disk before its name
    does: a power cut then leaves the old file or the new one.

    Raises:
        OSError: when it cannot be written; `path` is then as it was, and there is no draft.
    """
    with _draft(drafts, prefix, mode) as (file, draft):
        for part in parts:
            file.write(part)
        file.flush()
        if flush:
            os.fsync(file.fileno())
        os.replace(draft, path)


def remove_abandoned(drafts: Path, prefix: str = "") -> int:
    """Remove the drafts in this folder, with names that begin with `prefix`, whose writers are dead; how many bytes."""
    freed = 0
    with suppress(OSError):  # a folder that cannot be listed
        for path in sorted(drafts.glob(f"{_escaped(prefix[:_LONGEST_PREFIX])}*{_SUFFIX}")):
            with suppress(OSError):  # just renamed by its writer, or another user's
                freed += _removed(path)
    return freed


def _removed(path: Path) -> int:
    """Remove a draft unless its writer lives; how many bytes.

    It goes while this process has its lock. Otherwise its writer might take the lock, and find that all is well, in between.
    """
    with path.open("rb") as file:
        state, free = os.fstat(file.fileno()), _locked(file, wait=False)
        if free or (free is None and time.time() - state.st_mtime > STALE_AFTER):
            path.unlink()
            return state.st_size
    return 0


@contextmanager
def _draft(folder: Path, prefix: str, mode: int) -> Iterator[tuple[BinaryIO, Path]]:
    """A new, locked file, which is gone afterwards unless it was renamed."""
    file, path = _created(folder, prefix, mode)
    try:
        with file:
            yield file, path
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise


def _created(folder: Path, prefix: str, mode: int) -> tuple[BinaryIO, Path]:
    """A file that this process has locked; another one where somebody took the first for abandoned before it was locked."""
    while True:
        path = folder / f"{prefix[:_LONGEST_PREFIX]}{uuid.uuid4().hex}{_SUFFIX}"
        file = open(path, "xb", opener=partial(os.open, mode=mode))  # noqa: SIM115 - Path.open takes no mode
        if not _locked(file, wait=True) or os.fstat(file.fileno()).st_nlink:
            return file, path
        file.close()


def _locked(file: BinaryIO, *, wait: bool) -> bool | None:
    """Whether this process now has the file's lock; None where files cannot be locked."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # not on this file system
        return None
    return True


def _escaped(prefix: str) -> str:
    """The prefix as `glob` reads it literally."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in prefix)
