"""Writes files whole or not at all, and checks before a training whether they can be written."""

import os
import tempfile
from pathlib import Path

from spikecheck.core.errors import UsageError

_REMEDY = "give a file in a folder that exists and can be written"


def check(path: Path, option: str) -> None:
    """Check before a long training that its result can be written.

    Args:
        path: where the result will be written.
        option: the command-line option that gave the path; it begins the error message.

    Raises:
        UsageError: the file cannot be written.
    """
    place = path if _is_stream(path) else path.absolute().parent
    if path.is_dir() or not os.access(place, os.W_OK):
        raise UsageError(f"{option} {path}: cannot be written; {_REMEDY}")


def write(content: bytes, path: Path, option: str) -> None:
    """Write the content to a temporary file and rename it. Devices and pipes are written directly.

    Args:
        content: all bytes of the file.
        path: where to write; an existing file is replaced.
        option: the command-line option that gave the path; it begins the error message.

    Raises:
        UsageError: the path cannot be written.
    """
    try:
        if _is_stream(path):
            path.write_bytes(content)
        else:
            _replace(path.resolve(), content)
    except OSError as error:
        raise UsageError(f"{option} {path}: cannot be written: {error.strerror}; {_REMEDY}") from error


def _is_stream(path: Path) -> bool:
    """Whether the path is a device or a pipe, such as /dev/null, which a file must not replace."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _replace(path: Path, content: bytes) -> None:
    """Write a temporary file in the same folder, then rename it. Permissions follow the user's umask."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).chmod(0o666 & ~_umask())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    """The process's umask. Python can read it only by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
