"""Checkpoints: a training's state in a file. Files are written whole or not at all, and never unpickled freely."""

import hashlib
import io
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from spikecheck.core.errors import CorruptEntry, StoreError
from spikecheck.watch.holdings import check_storable
from spikecheck.watch.training import Snapshot

_FORMAT = "spikecheck/checkpoint@1"
_DIGEST_BYTES = 32


@dataclass(frozen=True)
class Checkpoint:
    """A snapshot, and the values that its writer needs to resume."""

    snapshot: Snapshot
    about: dict[str, Any]


def save_checkpoint(path: Path, snapshot: Snapshot, **about: Any) -> None:
    """Write a snapshot to a file; an existing file is replaced.

    Args:
        path: the file; missing folders are created.
        snapshot: the training's state.
        **about: further values to store: numbers, text, tensors, lists and dicts.

    Raises:
        UsageError: the state contains a value that cannot be stored.
        StoreError: the file cannot be written; an existing file is unchanged.
    """
    check_storable(snapshot.values["state"], "state")
    check_storable(snapshot.values["batches"], "batches.state_dict()")
    buffer = io.BytesIO()
    whole = {"format": _FORMAT, "steps": snapshot.steps, "values": dict(snapshot.values), "about": about}
    torch.save(whole, buffer)
    content = buffer.getbuffer()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, hashlib.sha256(content).digest(), content)
    except OSError as error:
        raise StoreError(f"checkpoint {path}: {error.strerror}; free space, or name another folder") from error


def load_checkpoint(path: Path) -> Checkpoint | None:
    """Read a checkpoint; None if the file does not exist.

    Raises:
        CorruptEntry: the checksum, the content or the format is wrong.
        StoreError: the file cannot be read.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"checkpoint {path}: {error.strerror}; make it readable, or name another folder") from error
    digest, content = raw[:_DIGEST_BYTES], memoryview(raw)[_DIGEST_BYTES:]
    if hashlib.sha256(content).digest() != digest:
        raise CorruptEntry(f"checkpoint {path}: its checksum does not fit; delete it to train from the start")
    try:
        whole = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        snapshot = Snapshot(whole["steps"], whole["values"])
        fits = whole["format"] == _FORMAT
    except Exception as error:  # torch raises many types of error on a forged file
        raise CorruptEntry(f"checkpoint {path}: cannot be read ({type(error).__name__}); delete it") from error
    if not fits:
        raise CorruptEntry(f"checkpoint {path}: holds format {whole['format']!r}, not {_FORMAT!r}; delete it")
    return Checkpoint(snapshot, whole["about"])


def _replace(path: Path, *parts: bytes | memoryview) -> None:
    """Write all parts to a temporary file in the same folder, flush it to the disk, and rename it."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
