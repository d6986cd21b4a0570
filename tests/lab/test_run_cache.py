"""Runs are found again in memory and in the store; a store that fails costs no run."""

from pathlib import Path

import numpy as np
import pytest

from spikecheck.core.errors import StoreError
from spikecheck.core.events import Event, StoreTrouble
from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.lab.device import environment
from spikecheck.lab.laboratory import Laboratory
from spikecheck.lab.run_cache import RunCache
from spikecheck.lab.store import Store
from spikecheck.lab.trained import Trained

RECIPES = [Recipe(setting=Setting(width=4, points=6, steps=40), seed=seed) for seed in range(2)]
HERE = environment("cpu")


@pytest.fixture(scope="module")
def trained() -> list[Trained]:
    runs = Laboratory().runs(RECIPES)
    return [Trained(runs[recipe]) for recipe in RECIPES]


def test_what_is_kept_is_found_by_the_next_cache_of_the_same_store(tmp_path: Path, trained: list[Trained]) -> None:
    told: list[Event] = []
    RunCache(Store(tmp_path), HERE, told.append).keep(RECIPES[0], trained[0])
    cache = RunCache(Store(tmp_path), HERE, told.append)
    assert RECIPES[0] in cache
    assert RECIPES[1] not in cache
    assert cache.get(RECIPES[1]) is None
    there = cache.get(RECIPES[0])
    assert there is not None
    assert np.array_equal(there.run.loss, trained[0].run.loss)
    assert not told


def test_without_a_store_memory_keeps_everything(trained: list[Trained]) -> None:
    cache = RunCache(None, HERE, lambda event: None)
    cache.keep(RECIPES[0], trained[0], in_memory=False)
    cache.forget()
    assert cache.get(RECIPES[0]) is trained[0]
    assert not cache.writes


def test_a_store_that_cannot_be_written_is_reported_once_and_memory_keeps_the_rest(
    tmp_path: Path, trained: list[Trained], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Store, digest: str, entry: object) -> None:
        raise StoreError("full")

    monkeypatch.setattr(Store, "put", full)
    told: list[Event] = []
    cache = RunCache(Store(tmp_path), HERE, told.append)
    for recipe, one in zip(RECIPES, trained, strict=True):
        cache.keep(recipe, one, in_memory=False)
    cache.forget()
    assert [cache.get(recipe) for recipe in RECIPES] == trained
    assert told == [StoreTrouble("full; going on without storing")]


def test_a_run_that_a_worker_did_not_store_is_an_error_with_the_remedy(tmp_path: Path) -> None:
    cache = RunCache(Store(tmp_path), HERE, lambda event: None)
    with pytest.raises(StoreError, match="give --store a place that all workers see"):
        cache.stored(RECIPES[0])
