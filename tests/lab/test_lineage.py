"""What starts from what: parents come before children, and a child needs what it starts from."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.intervention import Continue, Exchange
from spikecheck.core.probe import Anatomy, Directions, Trail
from spikecheck.core.recipe import Recipe
from spikecheck.core.run import Ended, Run
from spikecheck.core.setting import Setting
from spikecheck.lab.laboratory import Laboratory
from spikecheck.lab.lineage import can_start, generation, generations, starts, with_ancestors

PLAIN = Setting(width=4, points=6, steps=40)
FORK = PLAIN.but(intervention=Continue(horizon=10, at="end"))
EXCHANGE = PLAIN.but(intervention=Exchange(other=(("lr", 0.01),)))
RECIPES = [
    Recipe(setting=PLAIN, seed=0),
    Recipe(setting=PLAIN, seed=0, probe=Trail()),
    Recipe(setting=FORK, seed=0),
    Recipe(setting=FORK, seed=0, probe=Directions()),
    Recipe(setting=EXCHANGE, seed=0),
]


def test_generations_of_a_training_a_fork_and_a_probe_of_a_fork() -> None:
    assert [generation(recipe) for recipe in RECIPES] == [0, 1, 1, 2, 1]


def test_an_exchange_starts_from_two_trainings() -> None:
    assert [start.setting.lr for start in starts(RECIPES[4])] == [PLAIN.lr, 0.01]


@given(st.permutations(RECIPES), st.integers(1, len(RECIPES)))
def test_parents_come_before_their_children_and_everything_comes_once(order: list[Recipe], count: int) -> None:
    everything = [recipe for group in generations(with_ancestors(order[:count])) for recipe in group]
    assert len(everything) == len(set(everything))
    assert set(order[:count]) <= set(everything)
    for place, recipe in enumerate(everything):
        assert all(start in everything[: place + 1] for start in starts(recipe))


def test_a_child_can_start_only_from_what_is_there() -> None:
    trained = dict(Laboratory().runs(RECIPES[:1]))
    assert can_start(RECIPES[0], {})
    assert not can_start(RECIPES[2], {})
    assert can_start(RECIPES[2], trained)
    assert not can_start(Recipe(setting=PLAIN, seed=0, probe=Anatomy()), trained)  # it has no spike
    assert not can_start(RECIPES[1], {RECIPES[0]: _diverged(trained[RECIPES[0]])})


def test_nothing_is_exchanged_with_a_run_that_diverged() -> None:
    parent, partner = starts(RECIPES[4])
    trained = dict(Laboratory().runs([parent, partner]))
    assert can_start(RECIPES[4], trained)
    assert not can_start(RECIPES[4], trained | {partner: _diverged(trained[partner])})


def _diverged(run: Run) -> Run:
    return replace(run, ended=Ended("diverged", run.ended.step))
