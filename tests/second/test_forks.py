"""Forks against the second implementation, from the same state."""

import numpy as np
import pytest

from spikecheck import Continue, FreezeOutside, Inject, LowerRate, Retune, SpikeDefinition
from spikecheck.core.run import Run
from tests.second.asked import SEEDS, SPIKING, A, Case, runs
from tests.second.counting import onset
from tests.second.motion import adam, adam_from, along_one_direction, descent, eigenpairs, heavy_ball

CASES = pytest.mark.parametrize("case", SPIKING.values(), ids=SPIKING)
ROUNDING = 1e-9
"""Relative; as in `test_trajectories`."""
DEFINITION = SpikeDefinition()
EARLY = DEFINITION.lead - 20
"""Steps up to which a fork is far enough from the onset that roundings stay small."""


def started(run: Run) -> np.ndarray:
    return run.snapshots["start"].params


@CASES
def test_twins_part_from_their_parent_so_long_before_the_first_spike(case: Case) -> None:
    parents = runs(case, SEEDS)
    forks = runs(case.but(intervention=Continue(horizon=5)), SEEDS)
    expected = {seed: onset(run.loss, DEFINITION.factor) for seed, run in parents.items()}
    early = {seed: step - DEFINITION.lead for seed, step in expected.items() if step and step >= DEFINITION.lead}
    assert {seed: run.start for seed, run in forks.items()} == early
    assert len(forks) >= 3
    for seed, run in forks.items():
        np.testing.assert_array_equal(run.loss, parents[seed].loss[run.start : run.start + 6])
        assert case.net.loss(started(run)) == pytest.approx(run.loss[0], rel=1e-12)


def test_twins_part_where_a_training_of_its_own_has_come_to() -> None:
    """At setting A, where the first spike is early; later, roundings may have grown to anything at the edge of stability."""
    case = SPIKING["A"]
    parents = runs(case, SEEDS)
    for seed, run in runs(case.but(intervention=Continue(horizon=5)), SEEDS).items():
        path = descent(case.net, started(parents[seed]), case.setting.lr, run.start)
        np.testing.assert_allclose(started(run), path[-1], rtol=0, atol=1e-6)


@CASES
def test_a_fork_that_is_left_alone_goes_on(case: Case) -> None:
    for run in runs(case.but(intervention=Continue(horizon=EARLY)), SEEDS).values():
        path = descent(case.net, started(run), case.setting.lr, EARLY)
        np.testing.assert_allclose(run.loss, case.net.losses(path), rtol=ROUNDING)
        np.testing.assert_allclose(run.snapshots["end"].params, path[-1], rtol=0, atol=1e-8)


@CASES
def test_a_calm_twin_goes_as_far_in_smaller_steps(case: Case) -> None:
    factor = 0.4
    found = runs(case.but(intervention=LowerRate(horizon=100, factor=factor)), SEEDS)
    assert len(found) >= 3
    for run in found.values():
        path = descent(case.net, started(run), factor * case.setting.lr, round(100 / factor))
        np.testing.assert_allclose(run.loss, case.net.losses(path), rtol=ROUNDING)
        np.testing.assert_allclose(run.snapshots["end"].params, path[-1], rtol=0, atol=1e-9)


def test_a_frozen_fork_moves_along_the_first_direction_only() -> None:
    case = SPIKING["A"]
    for run in runs(case.but(intervention=FreezeOutside(horizon=EARLY)), SEEDS).values():
        path = along_one_direction(case.net, started(run), case.setting.lr, EARLY)
        np.testing.assert_allclose(run.loss, case.net.losses(path), rtol=ROUNDING)


@CASES
@pytest.mark.parametrize("rank", [1, 2])
def test_an_injection_is_along_its_direction_and_as_high_as_asked(case: Case, rank: int) -> None:
    untouched = runs(case.but(intervention=Continue(horizon=5)), SEEDS)
    found = runs(case.but(intervention=Inject(horizon=20, rank=rank, rise=4.0)), SEEDS)
    assert len(found) >= 3
    for seed, run in found.items():
        before = started(untouched[seed])
        moved = started(run) - before
        direction = eigenpairs(case.net, before)[1][rank - 1]
        assert np.linalg.norm(moved - (moved @ direction) * direction) < 1e-6 * np.linalg.norm(moved)
        assert case.net.loss(started(run)) == pytest.approx(4.0 * case.net.loss(before), rel=1e-9)
        path = descent(case.net, started(run), case.setting.lr, 20)
        np.testing.assert_allclose(run.loss, case.net.losses(path), rtol=ROUNDING)


@pytest.mark.parametrize("optimizer", ["heavy-ball", "adam"])
def test_a_fork_takes_along_what_the_rule_remembers(optimizer: str) -> None:
    """A training of 150 steps, gone on with for 50, is one of 200."""
    case = A.but(optimizer=optimizer, lr=0.01, steps=150)
    forked = runs(case.but(intervention=Continue(at="end", horizon=50)), range(4))
    for seed, parent in runs(case, range(4)).items():
        if optimizer == "adam":
            path = adam(case.net, started(parent), 0.01, 200, (0.9, 0.999), 1e-8)
        else:
            path = heavy_ball(case.net, started(parent), 0.01, 200, 0.9)
        np.testing.assert_allclose(forked[seed].loss, case.net.losses(path[150:]), rtol=ROUNDING)


@pytest.mark.parametrize(("faster", "emptied"), [(True, False), (False, True), (True, True)])
def test_a_fork_of_adam_is_retuned_without_a_jump_of_its_second_moment(faster: bool, emptied: bool) -> None:
    """After 60 steps, where beta2 = 0.999 has a bias correction of 0.06 and beta2 = 0.9 one of 0.998."""
    case, betas, eps = A.but(optimizer="adam", lr=0.01, steps=60), (0.9, 0.999), 1e-8
    numbers = (("beta2", 0.9),) if faster else ()
    fork = Retune(at="end", horizon=40, numbers=numbers, empties_momentum=emptied)
    forked = runs(case.but(intervention=fork), range(4))
    for seed, parent in runs(case, range(4)).items():
        theta = started(parent)
        start = (theta, np.zeros_like(theta), np.zeros_like(theta))
        _, (there, mean, square) = adam_from(case.net, start, (0, 60), 0.01, betas, eps)
        state = (there, mean * (not emptied), square * ((1 - 0.9**60) / (1 - 0.999**60) if faster else 1.0))
        path, _ = adam_from(case.net, state, (60, 100), 0.01, (0.9, 0.9 if faster else 0.999), eps)
        np.testing.assert_allclose(forked[seed].loss, case.net.losses(path), rtol=1e-8)
