"""A record as bytes: arrays as safetensors, everything else as JSON in the header, and a checksum over both.

Safetensors itself has no checksum. Nothing is ever unpickled.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

FORMAT = "1"
"""The version in a store's marker file. Records of another format need another store."""
DIGEST = re.compile(r"[0-9a-f]{64}")
_SEAL = 32
"""Bytes of a sha256."""


@dataclass(frozen=True)
class Entry:
    """One record: named arrays, and everything else as JSON."""

    arrays: Mapping[str, np.ndarray]
    about: Mapping[str, Any]


def pack(digest: str, entry: Entry) -> bytes:
    """The bytes of one safetensors file that holds the entry under `digest`.

    Raises:
        ValueError: when safetensors cannot hold an array's dtype, or JSON a value.
    """
    if "__metadata__" in entry.arrays:
        raise ValueError("array '__metadata__': safetensors keeps this name for itself; give another")
    about = json.dumps(entry.about, separators=(",", ":"), allow_nan=False)
    arrays = {name: _native(array) for name, array in entry.arrays.items()}
    try:
        return save(arrays, {"digest": digest, "about": about, "checksum": _checksum(digest, about, arrays)})
    except SafetensorError as error:
        raise ValueError(f"an array of {digest[:12]} cannot be stored: {error}") from error


def unpack(raw: bytes, digest: str) -> Entry:
    """The entry that was packed under this digest, its arrays read-only.

    Raises:
        ValueError: when the bytes are anything else.
    """
    try:
        return _unpacked(raw, digest)
    except (SafetensorError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(str(error)) from error


def _unpacked(raw: bytes, digest: str) -> Entry:
    header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])["__metadata__"]
    arrays = load(raw)
    if header["digest"] != digest:
        raise ValueError(f"it holds run {header['digest'][:12]}")
    if header["checksum"] != _checksum(digest, header["about"], arrays):
        raise ValueError("its checksum does not fit")
    for array in arrays.values():
        array.flags.writeable = False
    return Entry(arrays, json.loads(header["about"]))


def seal(content: bytes | memoryview) -> bytes:
    """What stands before a content in a file, so that `unsealed` notices any change in it."""
    return hashlib.sha256(content).digest()


def unsealed(raw: bytes) -> memoryview:
    """The content that follows its seal.

    Raises:
        ValueError: when it is not what was sealed.
    """
    content = memoryview(raw)[_SEAL:]
    if seal(content) != raw[:_SEAL]:
        raise ValueError("its checksum does not fit")
    return content


def _native(array: np.ndarray) -> np.ndarray:
    """The array in this machine's byte order, in which it is read back, and in C order; it may have no axis or no element."""
    return np.asarray(array, dtype=array.dtype.newbyteorder("="), order="C")


def _checksum(digest: str, about: str, arrays: Mapping[str, np.ndarray]) -> str:
    total = hashlib.sha256(f"{digest}\0{about}".encode())
    for name in sorted(arrays):
        array = arrays[name]
        total.update(f"\0{name}\0{array.dtype.str}\0{array.shape}\0".encode())
        total.update(array.data)
    return total.hexdigest()
