"""Records on disk, each under its recipe's digest: written whole or not at all, read back as written or not at all.

Each entry is one file, `runs/ab/abcdef….safetensors` (see `store_format`). Processes may share a folder: files appear by a
rename out of `unfinished/`, and two writers of one digest write the same record.
"""

import errno
import os
import random
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from platformdirs import user_cache_path

from spikecheck.core.errors import CorruptEntry, StoreError
from spikecheck.core.whole_file import remove_abandoned, write_whole
from spikecheck.lab.store_format import DIGEST, FORMAT, Entry, pack, unpack

MARKER = "format"
"""The file that makes a folder a store."""
DEFAULT_LIMIT = 10 * 2**30
"""The size below which a store is kept, in bytes. The largest command, `verify --profile full`, writes 8 GiB and reads all of
it again."""
_TOUCH_AFTER = 3600.0
"""Seconds between two records of an entry's last use; `prune` needs no finer times."""
_LOOKS = 16
"""A process checks the store's size each time it has written one such part of the limit."""
_ELSEWHERE = "give --store DIR, or --no-store"


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """The contents of a store. Sizes are in bytes; times of last use are seconds since 1970, exact to an hour."""

    folder: Path
    entries: int
    size: int
    corrupt: int
    oldest: float | None
    newest: float | None


@dataclass(frozen=True, slots=True)
class Pruned:
    """The result of a prune: `removed` entries, and the bytes `freed` and `left`. `freed` includes unfinished files."""

    removed: int
    freed: int
    left: int


class _Stored(NamedTuple):
    used: float
    size: int
    path: Path


def default_folder() -> Path:
    """The folder named by $SPIKECHECK_STORE, else the platform's cache folder."""
    named = os.environ.get("SPIKECHECK_STORE")
    return Path(named) if named else user_cache_path("spikecheck")


def default_limit() -> int:
    """The limit in $SPIKECHECK_STORE_LIMIT, such as 500MiB or 2GiB, in bytes; 10 GiB where it is not set.

    Raises:
        StoreError: when the variable is not a size.
    """
    text = os.environ.get("SPIKECHECK_STORE_LIMIT", "").strip()
    if not text:
        return DEFAULT_LIMIT
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(i?B)?", text, re.IGNORECASE)
    if match is None:
        raise StoreError(f"SPIKECHECK_STORE_LIMIT={text!r}: give a size such as 500MiB or 2GiB")
    return int(float(match[1]) * 1024 ** " KMGT".index(match[2].upper() or " "))


class Store:
    """A folder of records, kept below `limit` bytes by removing the least recently used."""

    def __init__(self, folder: Path, limit: int | None = None) -> None:
        """Open the store in `folder`; create it where there is none. `limit` is in bytes, by default `default_limit()`.

        Raises:
            StoreError: when the folder cannot be created or written, or holds another format.
        """
        self.folder = folder
        self._runs = folder / "runs"
        self._unfinished = folder / "unfinished"
        self._limit = default_limit() if limit is None else limit
        # With a random start, many short processes check the size as often as one long process that writes as much.
        self._unlooked = random.SystemRandom().uniform(0, self._limit / _LOOKS)
        if folder.is_file():
            raise StoreError(f"store {folder}: is a file; {_ELSEWHERE}")
        try:
            format_there = self._open()
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(f"store {folder}: {_reason(error)}; {_ELSEWHERE}") from error
        if format_there != FORMAT:
            raise StoreError(
                f"store {folder}: holds format {format_there!r}, this version reads {FORMAT!r}; "
                "update spikecheck, or give --store DIR"
            )
        if not all(os.access(part, os.W_OK | os.X_OK) for part in (self._runs, self._unfinished)):
            raise StoreError(f"store {folder}: cannot be written; {_ELSEWHERE}")

    @property
    def address(self) -> str:
        """The folder's absolute path, under which another process finds it."""
        return str(self.folder.resolve())

    def __contains__(self, digest: str) -> bool:
        """Whether a record with this digest exists; its file is not read."""
        return self._path(digest).exists()

    def get(self, digest: str) -> Entry | None:
        """The record with this digest, its arrays read-only; None where there is none.

        Raises:
            CorruptEntry: when the file differs from what was written; it is set aside, so the next `get` finds none.
            StoreError: when the file cannot be read at all.
        """
        entry = self.peek(digest)
        if entry is not None:
            _note_use(self._path(digest))
        return entry

    def peek(self, digest: str) -> Entry | None:
        """As `get`, but the record does not count as used."""
        path = self._path(digest)
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"store {path}: {_reason(error)}; {_ELSEWHERE}") from error
        try:
            return unpack(raw, digest)
        except ValueError as error:
            raise CorruptEntry(f"stored run {digest[:12]} is damaged ({error}) and {_set_aside(path)}") from error

    def digests(self) -> list[str]:
        """The digests of all records, in rising order.

        Raises:
            StoreError: when the folder cannot be read.
        """
        try:
            return sorted(stored.path.stem for stored in self._stored("safetensors"))
        except OSError as error:
            raise StoreError(f"store {self.folder}: {_reason(error)}; {_ELSEWHERE}") from error

    def put(self, digest: str, entry: Entry) -> None:
        """Store a record.

        Raises:
            StoreError: when it cannot be written, for instance on a full disk; nothing half-written stays behind.
            ValueError: when safetensors cannot hold an array's dtype, or JSON a value.
        """
        path, content = self._path(digest), pack(digest, entry)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._write_whole(path, content)
        except OSError as error:
            raise StoreError(f"store {self.folder}: {_reason(error)}; {_remedy(self.folder, error)}") from error
        self._unlooked += len(content)
        if self._unlooked > self._limit / _LOOKS:
            self._unlooked = 0.0
            with suppress(StoreError):  # this record is stored; failing to remove old ones does not affect it
                self.prune(keep_bytes=self._limit)

    def info(self) -> StoreInfo:
        """Count the records, and find their total size and times of last use.

        Raises:
            StoreError: when the folder cannot be read.
        """
        try:
            stored, corrupt = list(self._stored("safetensors")), sum(1 for _ in self._stored("corrupt"))
        except OSError as error:
            raise StoreError(f"store {self.folder}: {_reason(error)}; {_ELSEWHERE}") from error
        used = [one.used for one in stored]
        size = sum(one.size for one in stored)
        return StoreInfo(self.folder, len(stored), size, corrupt, min(used, default=None), max(used, default=None))

    def prune(self, keep_bytes: int | None = None, older_than: float | None = None) -> Pruned:
        """Remove damaged and abandoned files, and records that are too old or too many.

        Records unused for `older_than` seconds go first, then the least recently used until at most `keep_bytes` stay. Other
        processes may read and write meanwhile.

        Raises:
            StoreError: when a file cannot be removed.
        """
        now, removed, freed = time.time(), 0, remove_abandoned(self._unfinished)
        try:
            stored = sorted(self._stored("safetensors"))
            left = sum(one.size for one in stored)
            for leftover in list(self._stored("corrupt")):
                freed += leftover.size
                leftover.path.unlink(missing_ok=True)
            for used, size, path in stored:
                too_old = older_than is not None and now - used > older_than
                too_much = keep_bytes is not None and left > keep_bytes
                if too_old or too_much:
                    path.unlink(missing_ok=True)
                    left, removed, freed = left - size, removed + 1, freed + size
        except OSError as error:
            raise StoreError(f"store {self.folder}: {_reason(error)}; nothing else was removed") from error
        return Pruned(removed, freed, left)

    def _open(self) -> str:
        """Create or find the folder, remove the files of dead writers, and read the format of its records."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # to others, the runs are none of their business
        self._runs.mkdir(exist_ok=True)
        self._unfinished.mkdir(exist_ok=True)
        marker = self.folder / MARKER
        # a power cut may leave a new file empty
        if not marker.exists() or not marker.read_text(encoding="utf-8").strip():
            self._write_whole(marker, FORMAT.encode())
        format_there = marker.read_text(encoding="utf-8").strip()
        if format_there == FORMAT:
            remove_abandoned(self._unfinished)
        return format_there

    def _write_whole(self, path: Path, content: bytes) -> None:
        """Write a file completely or not at all.

        The rename is atomic. There is no fsync, so a power cut may leave an empty file under the name. Its checksum then does
        not fit and the run is trained again, which costs less in all than the milliseconds of an fsync for every run.
        """
        self._unfinished.mkdir(exist_ok=True)  # somebody may clear a cache while it is in use
        write_whole(path, content, drafts=self._unfinished)

    def _path(self, digest: str) -> Path:
        if not DIGEST.fullmatch(digest):
            raise ValueError(f"digest={digest!r}: give 64 lower-case hexadecimal digits")
        return self._runs / digest[:2] / f"{digest}.safetensors"

    def _stored(self, suffix: str) -> Iterator[_Stored]:
        """The files that a store named itself: a folder given with --store may hold other files too."""
        for path in self._runs.glob(f"??/*.{suffix}"):
            if DIGEST.fullmatch(path.stem):
                yield from _measured(path)


def _measured(path: Path) -> Iterator[_Stored]:
    """The file's last use and size; nothing where another process has just removed it."""
    with suppress(FileNotFoundError):
        stat = path.stat()
        yield _Stored(stat.st_mtime, stat.st_size, path)


def _set_aside(path: Path) -> str:
    """Rename a damaged file, so that no reader finds it but its bytes stay. Returns what happened, for a message."""
    try:
        path.replace(path.with_suffix(".corrupt"))
    except FileNotFoundError:
        return "is gone already"
    except OSError as error:
        return f"cannot be set aside ({_reason(error)})"
    return "was set aside"


def _note_use(path: Path) -> None:
    # Another process may have pruned the file. Then only the order of a later prune suffers.
    with suppress(OSError):
        if time.time() - path.stat().st_mtime > _TOUCH_AFTER:
            os.utime(path)


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _remedy(folder: Path, error: OSError) -> str:
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return _ELSEWHERE
    free = shutil.disk_usage(folder).free
    return f"{free / 2**20:.0f} MiB are free: run `spikecheck store prune`, or give --store DIR"
