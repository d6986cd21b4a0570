"""Trains a sample of the stored runs again, and says which differ from what is stored."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from spikecheck.core.errors import CorruptEntry
from spikecheck.core.events import ignore
from spikecheck.core.recipe import Recipe
from spikecheck.lab.laboratory import Laboratory
from spikecheck.lab.run_cache import RunCache
from spikecheck.lab.run_codec import encode, recipe_of
from spikecheck.lab.store import Store
from spikecheck.lab.store_format import Entry

Result = Literal["same", "differs", "elsewhere", "workload", "damaged"]


@dataclass(frozen=True, slots=True)
class Audited:
    """The result of training one stored run again.

    "same": every array has the stored bits. "differs": one has other bits; `says` names it and the largest difference.
    "elsewhere": not trained again, because another version, machine or device stored it and may round otherwise. "workload":
    not trained again, because a workload's entry has no recipe. "damaged": the file differs from what was written; `says` has
    the reason.
    """

    digest: str
    result: Result
    says: str = ""


def sampled(store: Store, one_in: int, seed: int) -> list[str]:
    """About one stored digest in `one_in`, an integer of at least 1; the same `seed` always selects the same digests."""
    return [digest for digest in store.digests() if _number(f"{seed}:{digest}") % one_in == 0]


def audited(store: Store, digests: list[str], lab: Laboratory, ticked: Callable[[], object]) -> Iterator[Audited]:
    """Train each run again and compare every array.

    Args:
        store: where the runs are.
        digests: of the runs to audit.
        lab: must have no store, or it would read the run instead of training it.
        ticked: called after each run.
    """
    names = RunCache(None, lab.environment, ignore)
    for digest in digests:
        yield _audited(store, digest, lab, names)
        ticked()


def _audited(store: Store, digest: str, lab: Laboratory, names: RunCache) -> Audited:
    try:
        entry = store.peek(digest)
        if entry is None or "format" not in entry.about:
            return Audited(digest, "workload")
        recipe = recipe_of(entry)
    except CorruptEntry as error:
        return Audited(digest, "damaged", str(error))
    if names.digest(recipe) != digest:
        return Audited(digest, "elsewhere")
    says = _difference(entry, recipe, lab)
    return Audited(digest, "differs" if says else "same", says)


def _difference(entry: Entry, recipe: Recipe, lab: Laboratory) -> str:
    """The first difference between the stored run and the one that is trained now; empty where there is none."""
    again = lab.runs([recipe]).get(recipe)
    if again is None:
        return "it cannot be trained again: the run that it is forked from has no spike"
    now = encode(again, probe=recipe.probe)
    if dict(now.about) != dict(entry.about):
        return ", ".join(sorted(name for name in now.about if now.about[name] != entry.about.get(name)))
    return next((line for name, array in sorted(now.arrays.items()) if (line := _moved(name, entry, array))), "")


def _moved(name: str, entry: Entry, now: np.ndarray) -> str:
    """How an array differs from the stored one; empty where all its bits are the same."""
    before = entry.arrays.get(name)
    if before is None or before.shape != now.shape or before.dtype != now.dtype:
        return f"{name} has another shape"
    if before.tobytes() == now.tobytes():
        return ""
    return f"{name} by up to {float(np.max(np.abs(before.astype(float) - now.astype(float)))):.3g}"


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")
