"""When a spike is the loss back at its earlier level, of planted losses whose stretches are known."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from spikecheck.core.why import Answer, Outcome, Spike
from spikecheck.why.returning import returned
from tests.report.planted_why import answer

DRAWS = np.random.default_rng(0)
START, ONSET, END = 1_000, 1_064, 1_192


def spiking(levels: Sequence[float], *, noise: float = 0.1, first: int = 800, **changes: Any) -> Answer:
    """An answer whose losses have these levels before forks begin, from there to the onset, and since."""
    steps = np.arange(first, END)
    means = np.array(levels)[np.searchsorted([START, ONSET], steps, side="right")]
    losses = means + DRAWS.normal(0.0, noise, len(steps))
    spike = Spike(onset=ONSET, peak=ONSET, over=None, height=9.0, level=1.0, spread=0.1, loss=2.0, benign=False)
    given = {"spike": spike, "start": START, "end": END, "outcome": Outcome.NO_CAUSE, "cause": None, "causes": ()}
    shown = tuple((int(step), float(loss)) for step, loss in zip(steps, losses, strict=True))
    return answer(losses=shown, **given | changes)


def test_a_loss_that_fell_and_is_back_has_returned() -> None:
    back = returned(spiking((2.0, 1.0, 2.0)))
    assert back is not None and back.fell == START
    assert (back.earlier, back.between, back.now) == pytest.approx((2.0, 1.0, 2.0), abs=0.1)
    assert returned(spiking((2.0, 1.0, 1.5))) is not None


@pytest.mark.parametrize("levels", [(1.0, 1.0, 2.0), (2.0, 1.0, 3.0), (1.0, 2.0, 2.0), (1.0, 1.0, 1.0)])
def test_a_loss_that_did_not_fall_before_or_rises_above_has_not(levels: Sequence[float]) -> None:
    assert returned(spiking(levels)) is None


def test_noise_that_is_larger_than_the_fall_hides_it() -> None:
    assert returned(spiking((2.0, 1.0, 2.0), noise=30.0)) is None


def test_an_ordinary_spike_is_rarely_taken_for_a_return() -> None:
    """Both conditions are tests at one per cent, of which the first alone is wrong by chance."""
    wrong = sum(returned(spiking((1.0, 1.0, 1.0))) is not None for _ in range(60))
    assert wrong <= 5  # of 60, more has probability 4e-5 at one per cent


def test_without_a_spike_a_fork_or_enough_losses_nothing_is_known() -> None:
    assert returned(spiking((2.0, 1.0, 2.0), spike=None)) is None
    assert returned(spiking((2.0, 1.0, 2.0), start=None)) is None
    assert returned(spiking((2.0, 1.0, 2.0), first=START - 31)) is None
    assert returned(spiking((2.0, 1.0, 2.0), first=START - 32)) is not None
    gaps = tuple((step, None) for step in range(800, END))
    assert returned(spiking((2.0, 1.0, 2.0)).model_copy(update={"losses": gaps})) is None


def test_the_note_names_the_three_levels_and_only_where_no_cause_is_known() -> None:
    (note,) = [note for note in spiking((2.0, 1.0, 2.0)).notes if "back where it had been" in note]
    assert "before step 1,000, " in note and "one batch that is repeated" in note
    named = spiking((2.0, 1.0, 2.0), outcome=Outcome.CHAOTIC)
    assert not [note for note in named.notes if "back where it had been" in note]
