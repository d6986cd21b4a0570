"""Records on disk under the digest of what they answer: written whole or not at all, read back as written or not at all.

One file an entry, `runs/ab/abcdef….safetensors`: arrays as safetensors, everything else as JSON in the file's header, and
a checksum over both, which safetensors itself lacks. Nothing is ever unpickled. Two processes may share a folder: files
appear by rename, and two writers of one digest write the same bytes.
"""

import errno
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from platformdirs import user_cache_path
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save

from spikecheck.core.errors import CorruptEntry, StoreError

FORMAT = "1"
_STALE_AFTER = 24 * 3600.0
"""Seconds after which a temporary file belongs to no living writer."""
_TOUCH_AFTER = 3600.0
"""Seconds between two notes of an entry's last use; prune needs no finer ones."""


@dataclass(frozen=True)
class Entry:
    """One record: named arrays, and what else there is to know as JSON."""

    arrays: Mapping[str, np.ndarray]
    about: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """What a store holds; sizes in bytes, times in seconds since 1970."""

    folder: Path
    entries: int
    size: int
    corrupt: int
    oldest: float | None
    newest: float | None


@dataclass(frozen=True, slots=True)
class Pruned:
    """What a prune removed and left; sizes in bytes."""

    removed: int
    freed: int
    left: int


def default_folder() -> Path:
    """$SPIKECHECK_STORE, or the platform's cache folder."""
    named = os.environ.get("SPIKECHECK_STORE")
    return Path(named) if named else user_cache_path("spikecheck")


class Store:
    """A folder of records."""

    def __init__(self, folder: Path) -> None:
        """Open a store, made where there is none.

        Raises:
            StoreError: when the folder can't be made or written, or another format lives in it.
        """
        self.folder = folder
        self._runs = folder / "runs"
        marker = folder / "format"
        try:
            self._runs.mkdir(parents=True, exist_ok=True)
            if not marker.exists():
                _write_whole(marker, FORMAT.encode())
            found = marker.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(f"store {folder}: {_reason(error)}; give --store DIR, or --no-store") from error
        if found != FORMAT:
            raise StoreError(f"store {folder}: holds format {found!r}, this version reads {FORMAT!r}; give --store DIR")

    def get(self, digest: str) -> Entry | None:
        """The record, its arrays read-only; None where there is none.

        Raises:
            CorruptEntry: when the file isn't what was written; it is set aside, so the next `get` finds none.
        """
        path = self._path(digest)
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"store {path}: {_reason(error)}") from error
        try:
            entry = _unpack(raw, digest)
        except (SafetensorError, ValueError, KeyError, TypeError) as error:
            _set_aside(path)
            raise CorruptEntry(f"stored run {digest[:12]} is damaged ({error}) and was set aside") from error
        _note_use(path)
        return entry

    def put(self, digest: str, entry: Entry) -> None:
        """Store a record.

        Raises:
            StoreError: when it can't be written, for instance on a full disk; nothing half-written stays behind.
        """
        path = self._path(digest)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_whole(path, _pack(digest, entry))
        except OSError as error:
            raise StoreError(f"store {self.folder}: {_reason(error)}; {_remedy(self.folder, error)}") from error

    def info(self) -> StoreInfo:
        """What is stored."""
        stats = [path.stat() for path in self._entries()]
        used = [stat.st_mtime for stat in stats]
        corrupt = sum(1 for _ in self._runs.glob("*/*.corrupt"))
        size = sum(stat.st_size for stat in stats)
        return StoreInfo(self.folder, len(stats), size, corrupt, min(used, default=None), max(used, default=None))

    def prune(self, keep_bytes: int | None = None, older_than: float | None = None) -> Pruned:
        """Remove what was set aside, what dead writers left, what was not used for `older_than` seconds, and then the least
        recently used until at most `keep_bytes` stay."""
        now = time.time()
        for leftover in [*self._runs.glob("*/*.corrupt"), *_stale(self._runs, now)]:
            leftover.unlink(missing_ok=True)
        known = sorted((path.stat().st_mtime, path.stat().st_size, path) for path in self._entries())
        left, removed, freed = sum(size for _, size, _ in known), 0, 0
        for used, size, path in known:
            too_old = older_than is not None and now - used > older_than
            too_much = keep_bytes is not None and left > keep_bytes
            if too_old or too_much:
                path.unlink(missing_ok=True)
                left, removed, freed = left - size, removed + 1, freed + size
        return Pruned(removed, freed, left)

    def _path(self, digest: str) -> Path:
        return self._runs / digest[:2] / f"{digest}.safetensors"

    def _entries(self) -> Iterator[Path]:
        return self._runs.glob("*/*.safetensors")


def _pack(digest: str, entry: Entry) -> bytes:
    """Arrays and JSON as one safetensors file; a zero-dimensional or empty array keeps its shape."""
    about = json.dumps(entry.about, sort_keys=True, separators=(",", ":"), allow_nan=False)
    arrays = {name: np.ascontiguousarray(array).reshape(array.shape) for name, array in entry.arrays.items()}
    return save(arrays, {"digest": digest, "about": about, "checksum": _checksum(digest, about, arrays)})


def _unpack(raw: bytes, digest: str) -> Entry:
    header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])["__metadata__"]
    arrays = {name: _array(part) for name, part in deserialize(raw)}  # type: ignore[no-untyped-call]
    if header["digest"] != digest:
        raise ValueError(f"it answers {header['digest'][:12]}")
    if header["checksum"] != _checksum(digest, header["about"], arrays):
        raise ValueError("its checksum does not fit")
    return Entry(arrays, json.loads(header["about"]))


_DTYPES = {"F64": np.float64, "F32": np.float32, "I64": np.int64, "I32": np.int32, "U8": np.uint8, "BOOL": np.bool_}


def _array(part: Mapping[str, Any]) -> np.ndarray:
    """A read-only view of the file's bytes."""
    array: np.ndarray = np.frombuffer(bytes(part["data"]), dtype=_DTYPES[part["dtype"]])
    return array.reshape(part["shape"])


def _checksum(digest: str, about: str, arrays: Mapping[str, np.ndarray]) -> str:
    total = hashlib.sha256(f"{digest}\0{about}".encode())
    for name in sorted(arrays):
        array = arrays[name]
        total.update(f"\0{name}\0{array.dtype.str}\0{array.shape}\0".encode())
        total.update(array.tobytes())
    return total.hexdigest()


def _write_whole(path: Path, content: bytes) -> None:
    """All of it under its name, or nothing.

    The rename is atomic. Without an fsync a power cut may leave an empty file under the name: its checksum then does not
    fit and the run is trained again, which costs less than an fsync for every run.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".part-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _set_aside(path: Path) -> None:
    try:
        path.replace(path.with_suffix(".corrupt"))
    except OSError:
        path.unlink(missing_ok=True)


def _note_use(path: Path) -> None:
    try:
        if time.time() - path.stat().st_mtime > _TOUCH_AFTER:
            os.utime(path)
    except OSError:
        pass  # another process pruned it, or the folder is read-only: the order of a later prune suffers, no more


def _stale(runs: Path, now: float) -> Iterator[Path]:
    for path in runs.glob("*/.part-*"):
        try:
            if now - path.stat().st_mtime > _STALE_AFTER:
                yield path
        except FileNotFoundError:
            continue


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _remedy(folder: Path, error: OSError) -> str:
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return "give --store DIR, or --no-store"
    free = shutil.disk_usage(folder).free
    return f"{free / 2**20:.0f} MiB are free: run `spikecheck store prune`, or give --store DIR"
