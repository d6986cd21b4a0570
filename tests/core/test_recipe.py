"""Recipes and their digests: everything that may change a bit of a run is in them."""

import pytest

from spikecheck.core.intervention import (
    Exchange,
    LowerRate,
)
from spikecheck.core.probe import Anatomy, Directions, SharpnessTrace
from spikecheck.core.recipe import Environment, Recipe
from spikecheck.core.setting import Setting

HERE = Environment(torch="2", device="cpu", threads=1)


def test_every_part_of_a_recipe_and_its_environment_is_in_its_digest() -> None:
    recipe = Recipe(setting=Setting(), seed=1)
    others = [
        Recipe(setting=Setting(), seed=2).digest(HERE),
        Recipe(setting=Setting(lr=0.2), seed=1).digest(HERE),
        recipe.digest(HERE.model_copy(update={"threads": 2})),
        recipe.digest(HERE.model_copy(update={"epoch": 99})),
        recipe.digest(HERE, sources="x"),
    ]
    assert len({recipe.digest(HERE), *others}) == 6


def test_an_accelerators_memory_belongs_to_its_digests_and_leaves_the_cpus_as_they_were() -> None:
    """Both texts are from before there was a memory."""
    here = Environment(torch="2.13.0", device="cpu AVX512", threads=1, epoch=7)
    compiled = here.model_copy(update={"compiler": "g++ 12"})
    plain = Recipe(setting=Setting(), seed=1)
    traced = Recipe(setting=Setting(), seed=1, probe=SharpnessTrace())
    assert plain.digest(here) == "7a46ddbd769f18949cd1c0a2c8197c93ca38a7b10afc24d2cc62ec3d415a4c4b"
    assert traced.digest(compiled) == "e37d159bb57b5e6efe9d3661139112881382fd110862776e60bd8880b59f99bf"
    digests = {plain.digest(here.model_copy(update={"memory": memory})) for memory in (0, 16, 80)}
    assert len(digests) == 3


FORK = LowerRate(factor=0.5, horizon=9)
FORKED = Setting(intervention=FORK)


@pytest.mark.parametrize(
    ("recipe", "parent"),
    [
        (Recipe(setting=Setting(), seed=1), Recipe(setting=Setting(), seed=1)),
        (Recipe(setting=Setting(), seed=1, probe=Anatomy()), Recipe(setting=Setting(), seed=1)),
        (Recipe(setting=FORKED, seed=1), Recipe(setting=Setting(), seed=1)),
        (Recipe(setting=FORKED, seed=1, probe=Anatomy()), Recipe(setting=Setting(), seed=1)),
        (Recipe(setting=FORKED, seed=1, probe=Directions()), Recipe(setting=FORKED, seed=1)),
    ],
)
def test_what_is_trained_first(recipe: Recipe, parent: Recipe) -> None:
    """A probe at the end of a fork needs the fork; every other fork or probe needs the training that it starts from."""
    assert recipe.parent() == parent
    assert recipe.partner() is None


def test_an_exchange_needs_the_run_that_differs_as_it_says() -> None:
    swap = Exchange(other=(("init_scale", 2.0), ("lr", 0.2)))
    recipe = Recipe(setting=Setting(intervention=swap), seed=4)
    assert recipe.partner() == Recipe(setting=Setting(init_scale=2.0, lr=0.2), seed=4)
    probed = Recipe(setting=recipe.setting, seed=4, probe=Directions())
    assert probed.parent() == recipe
    assert probed.partner() is None, "the exchange is made already"
