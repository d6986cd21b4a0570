"""What is trained ahead: parents before their forks, nothing twice, and tiles that a later request finds as they are."""

import pytest

from spikecheck.core.intervention import Continue, LowerRate
from spikecheck.core.probe import Anatomy, SharpnessTrace
from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.lab.laboratory import Laboratory

SPIKING = Setting(steps=700)
SEEDS = range(6)
ROUND = [
    Recipe(setting=SPIKING.but(intervention=twin) if twin else SPIKING, seed=seed, probe=probe)
    for twin, probe in (
        (None, Anatomy()),
        (Continue(horizon=50), None),
        (LowerRate(factor=0.25, horizon=50), SharpnessTrace()),
    )
    for seed in SEEDS
]
CALM = [Recipe(setting=Setting(width=5, points=8, steps=60, lr=0.01), seed=seed) for seed in SEEDS]


def trained_ahead(lab: Laboratory, rounds: list[list[Recipe]]) -> list[tuple[Recipe, ...]]:
    """All tiles that are given, each trained before the next is asked for."""
    prefetch, given = lab._prefetch, []
    prefetch.anticipate(rounds)
    while taken := prefetch.take(1):
        (tile,) = taken
        given.append(tile)
        prefetch.end(tile, ())
        lab.runs(tile)
    return given


@pytest.fixture
def lab() -> Laboratory:
    return Laboratory()


def test_forks_and_probes_follow_what_they_start_from(lab: Laboratory) -> None:
    given = [recipe for tile in trained_ahead(lab, [ROUND]) for recipe in tile]
    assert len(set(given)) == len(given)
    assert set(lab.runs(ROUND)) <= set(given)
    for place, recipe in enumerate(given):
        if recipe != recipe.parent():
            assert recipe.parent() in given[:place]


def test_nothing_that_starts_from_a_training_under_way_is_given(lab: Laboratory) -> None:
    prefetch = lab._prefetch
    prefetch.anticipate([ROUND, CALM])
    (first,) = prefetch.take(1)
    assert {recipe.probe for recipe in first} == {None}
    assert prefetch.take(9) == [tuple(CALM)]
    assert prefetch.take(9) == []
    prefetch.end(first, ())
    lab.runs(first)
    again = prefetch.take(9)
    assert again
    assert all(recipe != recipe.parent() for tile in again for recipe in tile)


def test_what_never_spiked_has_no_fork(lab: Laboratory) -> None:
    forks = [Recipe(setting=calm.setting.but(intervention=Continue(horizon=50)), seed=calm.seed) for calm in CALM]
    assert trained_ahead(lab, [forks]) == [tuple(CALM)]


def test_a_request_keeps_the_tiles_that_were_begun_ahead(lab: Laboratory) -> None:
    prefetch = lab._prefetch
    prefetch.anticipate([CALM[:3]])
    (ahead,) = prefetch.take(1)
    assert prefetch.begin(CALM) == [tuple(CALM[:3]), tuple(CALM[3:])]
    prefetch.end(ahead, set(CALM))
    assert prefetch.claim(CALM) == 0


def test_what_was_trained_ahead_is_claimed_once(lab: Laboratory) -> None:
    prefetch = lab._prefetch
    prefetch.anticipate([CALM])
    (ahead,) = prefetch.take(1)
    prefetch.end(ahead, CALM[:2])
    assert (prefetch.claim(CALM), prefetch.claim(CALM)) == (4, 0)


def test_a_tile_that_is_done_does_not_come_again_with_one_of_its_recipes(lab: Laboratory) -> None:
    """As where the store has dropped a run since."""
    prefetch = lab._prefetch
    prefetch.anticipate([CALM])
    (ahead,) = prefetch.take(1)
    prefetch.end(ahead, ())
    assert prefetch.begin(CALM[:1]) == [(CALM[0],)]


def test_rounds_are_taken_in_their_order_and_none_again(lab: Laboratory) -> None:
    given = trained_ahead(lab, [CALM[:2], CALM, CALM[1:]])
    assert given == [tuple(CALM[:2]), tuple(CALM[2:])]


def test_a_round_that_cannot_be_trained_is_passed_over(lab: Laboratory) -> None:
    broken = [Recipe(setting=Setting(problem="no.such:module"), seed=0)]
    assert trained_ahead(lab, [broken, CALM]) == [tuple(CALM)]


def test_an_announcement_replaces_the_one_before(lab: Laboratory) -> None:
    prefetch = lab._prefetch
    prefetch.anticipate([CALM])
    prefetch.anticipate([CALM[:1]])
    assert prefetch.take(9) == [(CALM[0],)]
