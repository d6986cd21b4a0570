"""Files that are written whole or not at all, and refused beforehand where they cannot be."""

import os
from pathlib import Path

from spikecheck.core.errors import UsageError
from spikecheck.core.whole_file import remove_abandoned, write_whole

_REMEDY = "give a file in a folder that exists and can be written"


def check(path: Path, option: str) -> None:
    """Refuse before hours of training what could not be written after them.

    Raises:
        UsageError: when nothing can be written there.
    """
    place = path if _is_stream(path) else path.absolute().parent
    if path.is_dir() or not os.access(place, os.W_OK):
        raise UsageError(f"{option} {path}: cannot be written; {_REMEDY}")


def write(content: bytes, path: Path, option: str) -> None:
    """Put the whole content under the name in one step; a device or a pipe is written to as it is.

    Raises:
        UsageError: when the path can't be written.
    """
    try:
        if _is_stream(path):
            path.write_bytes(content)
        else:
            _replace(path.resolve(), content)
    except OSError as error:
        raise UsageError(f"{option} {path}: cannot be written: {error.strerror}; {_REMEDY}") from error


def _is_stream(path: Path) -> bool:
    """Whether something is there that must not be replaced by a file: /dev/null, a pipe of the shell."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _replace(path: Path, content: bytes) -> None:
    """Write beside the file, then rename. What a killed process left there of the same file goes first."""
    remove_abandoned(path.parent, f".{path.name}-")
    write_whole(path, content, drafts=path.parent, prefix=f".{path.name}-")
