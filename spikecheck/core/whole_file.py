"""Files that are written whole or not at all; what killed writers leave behind is removed later.

The content is written to a draft in the same file system, which is then renamed. A writer holds a lock on its draft, and
the operating system releases the lock when the writer dies, however it dies. So any process can tell an abandoned draft
from one that is being written.
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
    """Write all parts, one after another, to `path` in one step.

    Args:
        path: the file; an existing one is replaced.
        parts: its content.
        drafts: a folder in the same file system, in which the draft is written.
        prefix: how the draft's name begins, for `remove_abandoned`.
        mode: the file's permissions before the user's umask.
        flush: whether to write the content to disk before the rename, so that a power cut leaves the old file or the new one.

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
    """Remove drafts in this folder whose names begin with `prefix` and whose writers are dead. Returns the bytes freed."""
    freed = 0
    with suppress(OSError):  # a folder that cannot be listed
        for path in sorted(drafts.glob(f"{_escaped(prefix[:_LONGEST_PREFIX])}*{_SUFFIX}")):
            with suppress(OSError):  # just renamed by its writer, or another user's
                freed += _removed(path)
    return freed


def _removed(path: Path) -> int:
    """Remove a draft unless its writer lives. Returns the bytes freed.

    The draft is removed while this process holds its lock. Between releasing the lock and removing the draft, a writer that
    has just created it could take the lock and go on writing a file that is about to disappear.
    """
    with path.open("rb") as file:
        state, free = os.fstat(file.fileno()), _locked(file, wait=False)
        if free or (free is None and time.time() - state.st_mtime > STALE_AFTER):
            path.unlink()
            return state.st_size
    return 0


@contextmanager
def _draft(folder: Path, prefix: str, mode: int) -> Iterator[tuple[BinaryIO, Path]]:
    """A new, locked file. If the block raises, it is removed."""
    file, path = _created(folder, prefix, mode)
    try:
        with file:
            yield file, path
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise


def _created(folder: Path, prefix: str, mode: int) -> tuple[BinaryIO, Path]:
    """Create and lock a file. If another process removes it as abandoned before it is locked, create another one."""
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
    """The prefix with the signs that `glob` would interpret escaped."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in prefix)
