"""Files whose name ends in .gz, compressed when they are written and restored when they are read."""

import gzip
import io
import zlib
from pathlib import Path

from spikecheck.core.errors import UsageError

LARGEST = 2**28
"""Bytes that a compressed file may restore to: forty times the complete reproduction. A small file could fill any memory."""

_SIGNATURE = b"\x1f\x8b"


def compressed(content: bytes, path: Path) -> bytes:
    """The bytes to write under this name. No time is stored, so that equal content gives equal files.

    >>> compressed(b"{}", Path("report.json"))
    b'{}'
    >>> restored(compressed(b"{}", Path("report.json.gz")), Path("report.json.gz"))
    b'{}'
    """
    return gzip.compress(content, mtime=0) if path.suffix == ".gz" else content


def restored(content: bytes, path: Path) -> bytes:
    """The content of a file, whatever its name says about compression.

    Args:
        content: all bytes of the file.
        path: the file, for the message.

    Raises:
        UsageError: the compressed bytes are damaged, or restore to more than LARGEST bytes.
    """
    if not content.startswith(_SIGNATURE):
        return content
    try:
        whole = gzip.GzipFile(fileobj=io.BytesIO(content)).read(LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"{path}: is compressed and damaged: {error}; give a file that --json has written") from error
    if len(whole) > LARGEST:
        raise UsageError(f"{path}: restores to more than {LARGEST // 2**20} MiB; give a file that --json has written")
    return whole
