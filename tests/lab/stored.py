"""A store that holds a few runs, and a probe of one of them."""

from pathlib import Path

from spikecheck.core.probe import Finish
from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.lab.laboratory import Laboratory
from spikecheck.lab.store import Store

SETTING = Setting(width=5, points=8, steps=40, lr=0.02)
RECIPES = [
    *(Recipe(setting=SETTING, seed=seed) for seed in range(3)),
    Recipe(setting=SETTING, seed=0, probe=Finish()),
]


def stored(folder: Path) -> Store:
    store = Store(folder / "store")
    Laboratory(store, "cpu").runs(RECIPES)
    return store
