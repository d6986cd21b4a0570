"""A stored run that is trained again has the same bits, and one that was changed is noticed."""

from pathlib import Path

import numpy as np
import pytest

from spikecheck.lab.laboratory import Laboratory
from spikecheck.lab.run_codec import recipe_of
from spikecheck.lab.store import Store
from spikecheck.lab.store_audit import audited, sampled
from spikecheck.lab.store_format import Entry
from tests.lab.stored import RECIPES, stored


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return stored(tmp_path)


def results(store: Store) -> list[str]:
    return [one.result for one in audited(store, store.digests(), Laboratory(None, "cpu"), lambda: None)]


def test_every_stored_run_names_its_recipe(store: Store) -> None:
    entries = [store.peek(digest) for digest in store.digests()]
    assert {recipe_of(entry) for entry in entries if entry is not None} == set(RECIPES)


def test_what_is_trained_again_is_the_same(store: Store) -> None:
    assert results(store) == ["same"] * 4


def test_a_run_of_which_one_number_was_changed_differs(store: Store) -> None:
    digest = store.digests()[0]
    entry = store.get(digest)
    assert entry is not None
    loss = entry.arrays["loss"].copy()
    loss[7] = np.nextafter(loss[7], 2.0)
    store.put(digest, Entry({**entry.arrays, "loss": loss}, entry.about))
    (one, *others) = audited(store, store.digests(), Laboratory(None, "cpu"), lambda: None)
    assert (one.result, one.says[:10]) == ("differs", "loss by up")
    assert {other.result for other in others} == {"same"}


def test_what_was_stored_elsewhere_and_what_names_no_recipe_is_not_compared(store: Store) -> None:
    entry = store.get(store.digests()[0])
    assert entry is not None
    store.put("0" * 64, entry)  # as another version would name it
    store.put("1" * 64, Entry({"losses": np.ones(3)}, {"diverged": False}))
    store.put("2" * 64, Entry({}, {"format": 2}))
    assert sorted(results(store)) == ["damaged", "elsewhere", "same", "same", "same", "same", "workload"]


def test_one_in_n_is_drawn_by_the_seed(store: Store) -> None:
    for number in range(400):
        store.put(f"{number:064x}", Entry({}, {}))
    drawn = [sampled(store, 10, seed) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert 15 < len(drawn[0]) < 75
    assert sampled(store, 1, 0) == store.digests()
