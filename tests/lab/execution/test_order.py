"""Jobs are halved without losing a recipe or what it starts from."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.recipe import Recipe
from spikecheck.core.run import Ended, Run
from spikecheck.core.setting import Setting
from spikecheck.lab.execution.order import Job, nothing_ahead
from spikecheck.lab.trained import Trained


def trained(seed: int) -> Trained:
    return Trained(Run(Setting(), seed, 0, np.ones(1), Ended("completed", 0)))


@given(st.integers(1, 40), st.integers(1, 16), st.booleans())
def test_parts_are_the_whole_with_their_parents_and_partners(count: int, size: int, partners: bool) -> None:
    tile = tuple(Recipe(setting=Setting(), seed=seed) for seed in range(count))
    parents = tuple(map(trained, range(count)))
    whole = Job(tile, parents, parents[::-1] if partners else (), size=64)
    parts = [whole.part(first, size) for first in range(0, count, size)]
    assert tuple(recipe for part in parts for recipe in part.tile) == tile
    assert tuple(one for part in parts for one in part.parents) == parents
    assert tuple(one for part in parts for one in part.partners) == whole.partners
    assert all(part.size == size and len(part.tile) <= size for part in parts)
    for part in parts:
        assert [one.run.seed for one in part.parents] == [recipe.seed for recipe in part.tile]


def test_nothing_is_known_ahead_unless_somebody_says_so() -> None:
    assert list(nothing_ahead(9)) == []
