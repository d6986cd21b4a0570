"""A store behind an address that fsspec knows, such as s3://bucket/spikecheck: records as in a folder, one file each.

A file appears by a move out of `unfinished/`, as in a folder. Whether that move is atomic depends on the place, so a record
that differs from what was written is set aside and its run trained again. Nothing is ever removed here; use the bucket's own
retention rules for that.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from spikecheck.core.errors import CorruptEntry, StoreError
from spikecheck.lab.store_format import DIGEST, FORMAT, Entry, pack, unpack

_ELSEWHERE = "give --store another place, or --no-store"


class Remote:
    """Records at an address."""

    def __init__(self, address: str) -> None:
        """Open the store at an address; create it where there is none.

        Raises:
            StoreError: when the address is not understood, cannot be reached, or holds another format.
        """
        self.address = address
        with self._told():
            self._files, root = _connected(address)
            self._root = root.rstrip("/")
            marker = f"{self._root}/format"
            format_there = self._files.cat_file(marker).decode() if self._files.exists(marker) else ""
            if not format_there.strip():
                self._write_whole(marker, FORMAT.encode())
        if format_there.strip() not in ("", FORMAT):
            raise StoreError(
                f"store {address}: holds format {format_there!r}, this version reads {FORMAT!r}; update spikecheck"
            )

    def __contains__(self, digest: str) -> bool:
        """Whether a record with this digest exists."""
        with self._told():
            return bool(self._files.exists(self._path(digest)))

    def get(self, digest: str) -> Entry | None:
        """The record with this digest, its arrays read-only; None where there is none.

        Raises:
            CorruptEntry: when it differs from what was written; it is set aside, so the next `get` finds none.
            StoreError: when the address cannot be reached.
        """
        path = self._path(digest)
        with self._told():
            try:
                raw = self._files.cat_file(path)
            except FileNotFoundError:
                return None
            try:
                return unpack(raw, digest)
            except ValueError as error:
                self._files.mv(path, f"{path}.corrupt")
                raise CorruptEntry(f"stored run {digest[:12]} is damaged ({error}) and was set aside") from error

    def put(self, digest: str, entry: Entry) -> None:
        """Store a record.

        Raises:
            StoreError: when it cannot be written.
            ValueError: when safetensors has no such dtype, or JSON no such value.
        """
        path, content = self._path(digest), pack(digest, entry)
        with self._told():
            self._write_whole(path, content)

    def _write_whole(self, path: str, content: bytes) -> None:
        draft = f"{self._root}/unfinished/{uuid.uuid4().hex}"
        for place in (draft, path):
            self._files.makedirs(place.rpartition("/")[0], exist_ok=True)
        self._files.pipe_file(draft, content)
        self._files.mv(draft, path)

    def _path(self, digest: str) -> str:
        if not DIGEST.fullmatch(digest):
            raise ValueError(f"digest={digest!r}: give 64 lower-case hexadecimal digits")
        return f"{self._root}/runs/{digest[:2]}/{digest}.safetensors"

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn whatever the library of the address raises into a StoreError of one line."""
        try:
            yield
        except StoreError:
            raise
        except Exception as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise StoreError(f"store {self.address}: {reason}; {_ELSEWHERE}") from error


def _connected(address: str) -> tuple[Any, str]:
    """The file system and the path on it. The user installs what fsspec needs for a kind of bucket."""
    connection: tuple[Any, str] = import_module("fsspec.core").url_to_fs(address)
    return connection
