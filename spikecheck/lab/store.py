"""Records on disk under the digest of what they answer: written whole or not at all, read back as written or not at all.

One file an entry, `runs/ab/abcdef….safetensors` (see `store_format`). Two processes may share a folder: files appear by rename
out of `unfinished/`, and two writers of one digest write the same bytes.
"""

import errno
import os
import random
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from platformdirs import user_cache_path

from spikecheck.core.errors import CorruptEntry, StoreError
from spikecheck.lab.store_format import DIGEST, FORMAT, Entry, pack, unpack

DEFAULT_LIMIT = 4 * 2**30
"""Bytes a store is held under: about 100,000 runs of an ordinary size."""
_STALE_AFTER = 24 * 3600.0
"""Seconds after which an unfinished file belongs to no living writer."""
_TOUCH_AFTER = 3600.0
"""Seconds between two notes of an entry's last use; prune needs no finer ones."""
_LOOKS = 16
"""A process looks at the store's size each time it has written this part of the limit."""
_ELSEWHERE = "give --store DIR, or --no-store"


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """What a store holds; sizes in bytes, times of last use (to the hour) in seconds since 1970."""

    folder: Path
    entries: int
    size: int
    corrupt: int
    oldest: float | None
    newest: float | None


@dataclass(frozen=True, slots=True)
class Pruned:
    """What a prune removed and left: `removed` entries, and bytes; what was freed includes leftovers."""

    removed: int
    freed: int
    left: int


class _Stored(NamedTuple):
    used: float
    size: int
    path: Path


def default_folder() -> Path:
    """$SPIKECHECK_STORE, or the platform's cache folder."""
    named = os.environ.get("SPIKECHECK_STORE")
    return Path(named) if named else user_cache_path("spikecheck")


def default_limit() -> int:
    """$SPIKECHECK_STORE_LIMIT in bytes, such as 500MiB or 2GiB; 4 GiB where it isn't set.

    Raises:
        StoreError: when it is no size.
    """
    text = os.environ.get("SPIKECHECK_STORE_LIMIT", "").strip()
    if not text:
        return DEFAULT_LIMIT
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(i?B)?", text, re.IGNORECASE)
    if found is None:
        raise StoreError(f"SPIKECHECK_STORE_LIMIT={text!r}: give a size such as 500MiB or 2GiB")
    return int(float(found[1]) * 1024 ** " KMGT".index(found[2].upper() or " "))


class Store:
    """A folder of records, held under `limit` bytes by forgetting the least recently used."""

    def __init__(self, folder: Path, limit: int | None = None) -> None:
        """Open a store, made where there is none.

        Raises:
            StoreError: when the folder can't be made or written, or another format lives in it.
        """
        self.folder = folder
        self._runs = folder / "runs"
        self._unfinished = folder / "unfinished"
        self._limit = default_limit() if limit is None else limit
        # From a random start, many short processes look as often as one long one that writes the same.
        self._unlooked = random.SystemRandom().uniform(0, self._limit / _LOOKS)
        try:
            found = self._open()
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(f"store {folder}: {_reason(error)}; {_ELSEWHERE}") from error
        if found != FORMAT:
            raise StoreError(
                f"store {folder}: holds format {found!r}, this version reads {FORMAT!r}; "
                "update spikecheck, or give --store DIR"
            )
        if not all(os.access(part, os.W_OK | os.X_OK) for part in (self._runs, self._unfinished)):
            raise StoreError(f"store {folder}: cannot be written; {_ELSEWHERE}")

    @property
    def address(self) -> str:
        """The folder, as another process finds it."""
        return str(self.folder.resolve())

    def __contains__(self, digest: str) -> bool:
        """Whether there is such a record; a look at the folder, not into the file."""
        return self._path(digest).exists()

    def get(self, digest: str) -> Entry | None:
        """The record, its arrays read-only; None where there is none.

        Raises:
            CorruptEntry: when the file isn't what was written; it is set aside, so the next `get` finds none.
            StoreError: when the file can't be read at all.
        """
        path = self._path(digest)
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"store {path}: {_reason(error)}; {_ELSEWHERE}") from error
        try:
            entry = unpack(raw, digest)
        except ValueError as error:
            raise CorruptEntry(f"stored run {digest[:12]} is damaged ({error}) and {_set_aside(path)}") from error
        _note_use(path)
        return entry

    def put(self, digest: str, entry: Entry) -> None:
        """Store a record.

        Raises:
            StoreError: when it can't be written, for instance on a full disk; nothing half-written stays behind.
            ValueError: when safetensors has no such dtype, or JSON no such value.
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
            with suppress(StoreError):  # this record is stored; that old ones can't be removed is no loss to its reader
                self.prune(keep_bytes=self._limit)

    def info(self) -> StoreInfo:
        """What is stored."""
        stored = list(self._stored("safetensors"))
        used = [one.used for one in stored]
        corrupt = sum(1 for _ in self._stored("corrupt"))
        size = sum(one.size for one in stored)
        return StoreInfo(self.folder, len(stored), size, corrupt, min(used, default=None), max(used, default=None))

    def prune(self, keep_bytes: int | None = None, older_than: float | None = None) -> Pruned:
        """Remove what was set aside, what dead writers left, what was not used for `older_than` seconds, and then the least
        recently used until at most `keep_bytes` stay. Other processes may read and write meanwhile.

        Raises:
            StoreError: when a file can't be removed.
        """
        now = time.time()
        stored = sorted(self._stored("safetensors"))
        left, removed, freed = sum(one.size for one in stored), 0, 0
        try:
            for leftover in [*self._stored("corrupt"), *self._stale(now)]:
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
        """Make or find the folder, clear what dead writers left, and read which format lives here."""
        self._runs.mkdir(parents=True, exist_ok=True)
        self._unfinished.mkdir(exist_ok=True)
        marker = self.folder / "format"
        # a power cut may leave a new file empty
        if not marker.exists() or not marker.read_text(encoding="utf-8").strip():
            self._write_whole(marker, FORMAT.encode())
        found = marker.read_text(encoding="utf-8").strip()
        if found == FORMAT:
            for stale in self._stale(time.time()):
                with suppress(OSError):  # one of another user's
                    stale.path.unlink(missing_ok=True)
        return found

    def _write_whole(self, path: Path, content: bytes) -> None:
        """All of it under its name, or nothing.

        The rename is atomic. Without an fsync a power cut may leave an empty file under the name: its checksum then does
        not fit and the run is trained again, which costs less than an fsync, milliseconds, for every run.
        """
        self._unfinished.mkdir(exist_ok=True)  # somebody may clear a cache while it is in use
        draft = self._unfinished / uuid.uuid4().hex
        try:
            draft.write_bytes(content)
            os.replace(draft, path)
        except BaseException:
            with suppress(OSError):
                draft.unlink()
            raise

    def _path(self, digest: str) -> Path:
        if not DIGEST.fullmatch(digest):
            raise ValueError(f"digest={digest!r}: give 64 lower-case hexadecimal digits")
        return self._runs / digest[:2] / f"{digest}.safetensors"

    def _stored(self, suffix: str) -> Iterator[_Stored]:
        """Only what a store names so: the folder given with --store may hold other people's files."""
        for path in self._runs.glob(f"??/*.{suffix}"):
            if DIGEST.fullmatch(path.stem):
                yield from _measured(path)

    def _stale(self, now: float) -> Iterator[_Stored]:
        for path in self._unfinished.glob("*"):
            yield from (found for found in _measured(path) if now - found.used > _STALE_AFTER)


def _measured(path: Path) -> Iterator[_Stored]:
    """The file's last use and size; nothing where another process has just removed it."""
    with suppress(FileNotFoundError):
        stat = path.stat()
        yield _Stored(stat.st_mtime, stat.st_size, path)


def _set_aside(path: Path) -> str:
    """Out of the way of the next reader, for whoever wants to know what happened; says what became of it."""
    try:
        path.replace(path.with_suffix(".corrupt"))
    except FileNotFoundError:
        return "is gone already"
    except OSError as error:
        return f"cannot be set aside ({_reason(error)})"
    return "was set aside"


def _note_use(path: Path) -> None:
    # Another process may have pruned it: the order of a later prune suffers, no more.
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
