"""Tiles trained in this process, one after another."""

import subprocess
import sys

import numpy as np

from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.lab.execution.local import Local
from spikecheck.lab.execution.order import Job, Tile, TrainingRequest
from spikecheck.lab.train_batch import train_tile

NOTHING_TO_TRAIN = """
import sys
from spikecheck.lab.execution.local import Local
from spikecheck.lab.execution.order import TrainingRequest
print(list(Local().results(TrainingRequest((), lambda tile: None, "cpu", lambda tile, made: None))), "torch" in sys.modules)
"""


def test_tiles_come_in_their_order_with_what_they_trained_to() -> None:
    tiles: list[Tile] = [(Recipe(setting=Setting(width=3, points=5, steps=steps), seed=1),) for steps in (60, 30)]
    told: list[tuple[Tile, int]] = []
    order = TrainingRequest(
        tiles, lambda tile: Job(tile, (), size=1), "cpu", lambda tile, made: told.append((tile, made))
    )
    results = list(Local().results(order))
    assert [tile for tile, _ in results] == tiles
    for tile, trained in results:
        assert trained is not None
        (alone,) = train_tile(tile, (), "cpu", lambda made: None, size=1)
        np.testing.assert_array_equal(trained[0].run.loss, alone.run.loss)
        assert (tile, 0) in told  # the deadline is looked at for tiles too short to tell of a step as well


def test_without_tiles_torch_is_not_imported() -> None:
    said = subprocess.run([sys.executable, "-c", NOTHING_TO_TRAIN], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["[]", "False"]
