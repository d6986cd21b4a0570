"""Reads every record and every checkpoint of a store, and says which differ from what was written."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from spikecheck.core.errors import StoreError
from spikecheck.lab.run_codec import decode
from spikecheck.lab.store import Store
from spikecheck.lab.store_format import Entry, unsealed


@dataclass(frozen=True, slots=True)
class StoreChecked:
    """How many files were read, and one line for each that is damaged."""

    records: int
    checkpoints: int
    damaged: tuple[str, ...]


def checked(store: Store, ticked: Callable[[], object]) -> StoreChecked:
    """Read the whole store; `ticked` is called for each record. Damaged records are set aside, damaged checkpoints removed.

    What is read does not count as used, so a later prune removes the same records as without this check.
    """
    damaged: list[str] = []
    digests = store.digests()
    for digest in digests:
        damaged += _record_damage(store, digest)
        ticked()
    checkpoints = sorted((store.folder / "checkpoints").glob("[!.]*.pt"))
    damaged += [line for path in checkpoints for line in _checkpoint_damage(path)]
    return StoreChecked(len(digests), len(checkpoints), tuple(damaged))


def _record_damage(store: Store, digest: str) -> Iterator[str]:
    try:
        entry = store.peek(digest)
        if entry is not None and _is_run(entry):
            decode(entry)
    except StoreError as error:
        yield str(error)


def _is_run(entry: Entry) -> bool:
    """Whether it is the run of a recipe; the trainings of workloads are stored beside them."""
    return "format" in entry.about


def _checkpoint_damage(path: Path) -> Iterator[str]:
    try:
        unsealed(path.read_bytes())
    except OSError as error:
        yield f"checkpoint {path.name}: cannot be read ({error.strerror})"
    except ValueError as error:
        path.unlink(missing_ok=True)
        yield f"checkpoint {path.name} is damaged ({error}) and was removed"
