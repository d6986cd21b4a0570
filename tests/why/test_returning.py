"""A spike that is the loss back at its earlier level, of planted losses whose levels are known."""

import numpy as np
import pytest

from spikecheck.core.why import HIGHEST, Cause, Effect, Fall, Outcome, Ranked
from spikecheck.why.returning import Earlier, FallReader, fall_before
from spikecheck.why.scene import Scene
from tests.report.planted_why import answer, arm

START, ONSET, END = 1_000, 1_064, 1_192
SCENE = Scene(start=START, onset=ONSET, over=END, end=END, level=1.0, spread=0.1)
USUAL = 2.0


def noise(seed: int, steps: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, 0.1, steps)


def fork(between: float, now: float, seed: int = 0) -> list[float]:
    """Losses from the fork on: of this level up to the onset, and of that one since."""
    return [*(between + noise(2 * seed, ONSET - START)), *(now + noise(2 * seed + 1, END - ONSET))]


def fall(between: float, now: float, *, before: int = 200, seed: int = 0) -> tuple[Fall, FallReader] | None:
    """Of a run with the usual level up to the fork."""
    return fall_before(SCENE, list(USUAL + noise(1_000 + seed, before)), fork(between, now, seed))


def reader() -> FallReader:
    known = fall(1.0, USUAL)
    assert known is not None
    return known[1]


@pytest.mark.parametrize("now", [2.0, 1.5])
def test_a_loss_that_fell_and_is_back_has_returned(now: float) -> None:
    known = fall(1.0, now)
    assert known is not None
    assert known[0].step == START
    assert (known[0].earlier, known[0].between, known[0].now) == pytest.approx((USUAL, 1.0, now), abs=0.1)


@pytest.mark.parametrize(("between", "now"), [(2.0, 3.0), (1.0, 2.2), (3.0, 2.0)])
def test_a_loss_that_did_not_fall_or_rises_above_its_earlier_level_has_not(between: float, now: float) -> None:
    assert fall(between, now) is None


def test_noise_is_rarely_taken_for_a_fall() -> None:
    wrong = sum(fall(USUAL, USUAL, seed=seed) is not None for seed in range(1, 61))
    assert wrong <= 5  # of 60, more has probability 3e-5 at one per cent


def test_without_enough_losses_or_with_one_that_is_no_number_nothing_is_known() -> None:
    assert fall(1.0, USUAL, before=31) is None and fall(1.0, USUAL, before=32) is not None
    assert fall(np.nan, USUAL) is None and fall(1.0, np.inf) is None


def test_a_fork_that_stays_at_the_earlier_level_has_no_fall() -> None:
    calm, fallen = reader().seen(fork(USUAL, USUAL, 7)), reader().seen(fork(1.0, USUAL, 8))
    assert (calm.spikes, calm.alarms) == (False, False) and abs(calm.height) < 1.0
    assert (fallen.spikes, fallen.alarms) == (True, True) and fallen.height == pytest.approx(10.0, rel=0.3)


@pytest.mark.parametrize("between", [4.0, np.nan, np.inf])
def test_a_fork_whose_loss_rises_or_is_no_number_has_not_removed_the_fall(between: float) -> None:
    seen = reader().seen(fork(between, USUAL))
    assert seen.alarms and seen.spikes
    assert np.isfinite(between) or seen.height == HIGHEST


def test_where_no_test_can_tell_half_of_the_depth_is_still_the_fall() -> None:
    """As half of a spike's height is still that spike. Of losses with so long a memory only two are independent."""
    slow = FallReader(SCENE, Earlier(USUAL + noise(3, 128), stride=64), fork(1.0, USUAL))
    deep, shallow = slow.seen(fork(1.4, USUAL, 5)), slow.seen(fork(1.6, USUAL, 6))
    assert (deep.spikes, deep.alarms) == (True, False)
    assert (shallow.spikes, shallow.alarms) == (False, False)


def test_losses_without_a_spread_have_a_depth_in_millionths() -> None:
    known = fall_before(SCENE, [1.0] * 200, [*[0.5] * (ONSET - START), *[1.0] * (END - ONSET)])
    assert known is not None
    assert known[1].seen([0.5] * (END - START)).height == pytest.approx(5e5)


FELL = Fall(step=100, earlier=2.0, between=1.0, now=2.1)


def test_the_answer_explains_the_fall() -> None:
    arms = (
        arm("placebo", Effect.LEAVES, None),
        arm("other batches", Effect.REMOVES, Cause.DATA, claimed=True),
        arm("half the rate", Effect.LEAVES, Cause.CURVATURE),
    )
    causes = (Ranked(cause=Cause.DATA, arms=("other batches",)),)
    told = answer(arms=arms, cause=Cause.DATA, causes=causes, batches=(126, 135), fall=FELL)
    assert told.sentence == (
        "The loss spike at step 130 is the loss back at its earlier level. It had fallen from about step 100 on because of "
        "the data: batches from step 100 on. In forks of the training from step 100 on, the fall is gone in 4 of 4 with other "
        "batches; in 0 of 4 with half the rate; with the placebo (weights nudged by 1e-6) it comes again in 4 of 4."
    )
    (note,) = [note for note in told.notes if "back where it had been" in note]
    assert "its median was 2 before step 100, 1 from there to the spike, and 2.1 since" in note
    assert "a height is its depth" in note


def test_a_fall_that_no_arm_removes_is_a_note() -> None:
    told = answer(outcome=Outcome.NO_CAUSE, cause=None, causes=(), fall=FELL)
    assert any("No arm removes the fall either. One batch that is repeated" in note for note in told.notes)
    assert "the fall is gone" not in told.sentence
    assert not any("back where it had been" in note for note in answer().notes)
