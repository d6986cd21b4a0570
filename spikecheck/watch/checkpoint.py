"""A training's state in a file: written whole or not at all, and read back without running anything that is in it."""

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
    """A snapshot, and what its writer wants to know when it goes on from it."""

    snapshot: Snapshot
    about: dict[str, Any]


def save_checkpoint(path: Path, snapshot: Snapshot, **about: Any) -> None:
    """Write a snapshot to a file, in place of what stood there. `about` holds numbers, text, tensors, lists and dicts.

    Raises:
        UsageError: when the state holds what files do not keep.
        StoreError: when it cannot be written; the file is then what it was before.
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
    """The checkpoint in a file; None where there is no file.

    Raises:
        CorruptEntry: when the file is not what was written.
        StoreError: when it cannot be read.
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
    except Exception as error:  # torch raises many kinds, none of which a forged file may choose
        raise CorruptEntry(f"checkpoint {path}: cannot be read ({type(error).__name__}); delete it") from error
    if not fits:
        raise CorruptEntry(f"checkpoint {path}: holds format {whole['format']!r}, not {_FORMAT!r}; delete it")
    return Checkpoint(snapshot, whole["about"])
