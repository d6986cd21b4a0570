"""Which spike of a run is explained: of losses written down by hand."""

import math

import numpy as np
import pytest

from spikecheck.core.errors import UsageError
from spikecheck.core.why import HIGHEST
from spikecheck.watch.detector import NoisySpike
from spikecheck.why.scene import Scene
from spikecheck.why.spikes import Run, at_step, first_costly, reported

NOISE = np.random.default_rng(0).normal(2.0, 0.05, 900)
FIRST = 100
"""Number of the first loss's step."""


def run(*raised: tuple[int, int, float]) -> Run:
    """Noise, raised from a place for so many steps by so much."""
    losses = NOISE.copy()
    for place, steps, height in raised:
        losses[place : place + steps] += height
    return Run(FIRST, losses.tolist())


def noisy(onset: int, over: int | None, **changes: float) -> NoisySpike:
    given = {"height": 9.0, "level": 2.0, "spread": 0.05, "loss": 4.0} | changes
    return NoisySpike(onset, onset + 2, onset + 1, rule="high", over=over, **given)


def test_steps_are_numbered_from_the_runs_first() -> None:
    found = run((300, 20, 2.0))
    assert list(found.until(103)) == NOISE[:3].tolist()
    scene = Scene(start=110, onset=112, over=115, end=120, level=0.0, spread=1.0)
    assert list(found.within(scene)) == NOISE[10:20].tolist()
    (spike,) = found.spikes
    assert abs(spike.onset - 400) <= 2


def test_the_first_spike_that_costs_something_is_meant() -> None:
    """Two high losses that leave nothing behind are benign; twenty are not."""
    found = run((300, 2, 6.0), (600, 20, 2.0))
    benign, costly = found.spikes
    assert found.is_benign(benign) and not found.is_benign(costly)
    assert first_costly(found, found.spikes) == costly
    assert first_costly(found, [benign]) is None


@pytest.mark.parametrize("at", [340, 400, 415, 480])
def test_a_named_step_is_that_of_the_nearest_spike(at: int) -> None:
    found = run((300, 20, 2.0), (600, 20, 2.0))
    assert at_step(found, found.spikes, at) == found.spikes[0]
    assert at_step(found, found.spikes, 690) == found.spikes[1]


def test_where_two_spikes_are_near_the_one_with_the_nearer_onset_is_taken() -> None:
    spikes = (noisy(400, 420), noisy(450, 460))
    assert at_step(run(), spikes, 424).onset == 400
    assert at_step(run(), spikes, 426).onset == 450


def test_a_rise_without_an_alarm_is_found_and_a_step_without_one_is_refused_with_the_spikes_there_are() -> None:
    rise = run((300, 1, 0.25))
    assert rise.spikes == ()
    assert at_step(rise, (), 402).onset == 400
    spikes = (noisy(800, 810),)
    falling = Run(FIRST, np.linspace(3.0, 1.0, 900).tolist())
    with pytest.raises(
        UsageError, match="--at-step 402: within 64 steps of it no loss is above .*; spikes begin at: 800"
    ):
        at_step(falling, spikes, 402)
    many = tuple(noisy(onset, onset + 5) for onset in range(800, 890, 10))
    eight = ", ".join(str(onset) for onset in range(800, 880, 10))
    with pytest.raises(UsageError, match=f"spikes begin at: {eight}$"):
        at_step(falling, many, 402)
    with pytest.raises(UsageError, match="spikes begin at: none"):
        at_step(falling, (), 402)


@pytest.mark.parametrize(("at", "near"), [(335, False), (336, True), (484, True), (485, False)])
def test_a_spike_is_near_so_many_steps_before_its_onset_and_after_its_end(at: int, *, near: bool) -> None:
    falling = Run(FIRST, np.linspace(3.0, 1.0, 900).tolist())
    if near:
        assert at_step(falling, (noisy(400, 420),), at).onset == 400
    else:
        with pytest.raises(UsageError, match="spikes begin at: 400"):
            at_step(falling, (noisy(400, 420),), at)


@pytest.mark.parametrize(("at", "before"), [(FIRST, 0), (FIRST + 31, 31), (FIRST - 1, 0)])
def test_a_step_with_too_few_losses_before_it_is_refused_for_that(at: int, before: int) -> None:
    """Regression: it was said that no loss near it is high, which was not so."""
    losses = [*[1.0] * 20, *[9.0] * 20, *[1.0] * 60]
    with pytest.raises(UsageError, match=f"--at-step {at}: {before} losses come before it, and 32 are needed"):
        at_step(Run(FIRST, losses), (), at)


def test_a_spike_that_never_ends_is_near_every_later_step() -> None:
    assert at_step(run(), (noisy(400, None),), 900).onset == 400


@pytest.mark.parametrize(
    ("height", "loss", "shown"),
    [
        (9.0, 4.0, (9.0, 4.0)),
        (math.inf, math.inf, (HIGHEST, None)),
        (math.nan, math.nan, (HIGHEST, None)),
        (1e9, 4.0, (HIGHEST, 4.0)),
    ],
)
def test_a_report_has_numbers_where_the_loss_has_none(
    height: float, loss: float, shown: tuple[float, float | None]
) -> None:
    found = reported(noisy(400, 420, height=height, loss=loss), benign=False)
    assert (found.height, found.loss) == shown
    assert (found.onset, found.peak, found.over, found.benign) == (400, 401, 420, False)
