"""Checkpoints: a training's state in a file. Files are written whole or not at all, and never unpickled freely."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from spikecheck.core.errors import CorruptEntry, StoreError
from spikecheck.core.whole_file import remove_abandoned, write_whole
from spikecheck.lab.store_format import seal, unsealed
from spikecheck.watch.holdings import check_storable
from spikecheck.watch.training import Snapshot

_FORMAT = "spikecheck/checkpoint@1"


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
        remove_abandoned(path.parent, f".{path.name}-")
        write_whole(path, seal(content), content, drafts=path.parent, prefix=f".{path.name}-", flush=True)
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
    try:
        content = unsealed(raw)
    except ValueError as error:
        raise CorruptEntry(f"checkpoint {path}: {error}; delete it to train from the start") from error
    try:
        whole = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        snapshot = Snapshot(whole["steps"], whole["values"])
        fits = whole["format"] == _FORMAT
    except Exception as error:  # torch raises many types of error on a forged file
        raise CorruptEntry(f"checkpoint {path}: cannot be read ({type(error).__name__}); delete it") from error
    if not fits:
        raise CorruptEntry(f"checkpoint {path}: holds format {whole['format']!r}, not {_FORMAT!r}; delete it")
    return Checkpoint(snapshot, whole["about"])
