"""The rule by which a trace is read, on traces that are known and on trainings whose cause was planted; and the tables."""

from functools import partial
from typing import Any

import pytest
import torch

from spikecheck.core.watched import LayerLook, Look, Step
from spikecheck.core.why import Answer, Cause, Outcome
from spikecheck.why.signs import _watched
from studies.spontaneous_page import Cell, page
from studies.spontaneous_trace import NO_INSTABILITY, Trace, read_trace
from tests.why.planted_spikes import AT, LASTS, planted
from workloads.sines import sines

ONSET, PEAK = 100, 104


def trace(
    overshoots: dict[int, float | None], surprises: dict[int, float], *, beta2: float = 0.999, **look: Any
) -> Trace:
    """Of the steps 36 to 103, with an overshoot of 0.1 and a surprise of 0.5 where nothing else is given."""
    steps = [
        Step(
            step=step,
            loss=1.0,
            look=Look(
                overshoot=overshoots.get(step, 0.1),
                layers={"w": LayerLook(update=1.0, weights=1.0, surprise=surprises.get(step, 0.5))},
                **(look if step in overshoots else {}),
            ),
        )
        for step in range(ONSET - 64, PEAK)
    ]
    return read_trace(steps, ONSET, PEAK, beta2)


RISING = dict.fromkeys(range(98, 104), 1.4)


@pytest.mark.parametrize(
    ("overshoots", "surprises", "names"),
    [
        ({}, {}, NO_INSTABILITY),
        (RISING, {}, Cause.CURVATURE),
        (RISING, {95: 2.4}, Cause.LAG),
        (RISING, {91: 2.4}, Cause.CURVATURE),  # nine steps before
        (RISING, {100: 2.4}, Cause.CURVATURE),  # no longer before
        (RISING, dict.fromkeys((40, 50, 60, 70, 95), 2.4), Cause.CURVATURE),  # it is often so high
        (RISING, {40: 2.4, 95: 2.4}, Cause.LAG),
        ({}, {95: 2.4}, NO_INSTABILITY),
        ({98: 1.4, 99: 1.4}, {}, NO_INSTABILITY),  # of six steps two
        (dict.fromkeys(range(98, 104), None), {}, NO_INSTABILITY),
    ],
)
def test_the_rule(overshoots: dict[int, float | None], surprises: dict[int, float], names: str) -> None:
    assert trace(overshoots, surprises).names == names


@pytest.mark.parametrize(
    ("surprise", "beta2", "names"),
    [
        (0.5, 0.98, Cause.DECAYED),  # its root halves in ln 4 / (0.02 * 0.75) = 92 steps
        (0.7, 0.98, Cause.CURVATURE),  # in 136
        (0.5, 0.99, Cause.CURVATURE),  # in 185
        (0.0, 0.99, Cause.CURVATURE),  # in 139
        (0.0, 0.9892, Cause.CURVATURE),  # in 128.4
        (0.0, 0.9891, Cause.DECAYED),  # in 127.2
        (1.0, 0.9, Cause.CURVATURE),  # it does not fall
    ],
)
def test_a_second_moment_falls_if_its_root_halves_while_forks_last(surprise: float, beta2: float, names: str) -> None:
    early = dict.fromkeys(range(36, 68), surprise)
    rising: dict[int, float | None] = {**RISING}
    assert trace(rising, early, beta2=beta2).names == names
    assert trace(rising, {**early, 95: 2.4}, beta2=beta2).names == Cause.LAG
    assert trace({}, early, beta2=beta2).names == NO_INSTABILITY


def test_the_second_moment_of_half_of_the_tensors_must_fall() -> None:
    def falls(*surprises: float) -> bool:
        layers = {str(place): LayerLook(update=1.0, weights=1.0, surprise=one) for place, one in enumerate(surprises)}
        steps = [Step(step=step, loss=1.0, look=Look(overshoot=0.1, layers=layers)) for step in range(36, 100)]
        return read_trace(steps, ONSET, PEAK, 0.9).falls

    assert falls(0.1, 1.0)
    assert not falls(0.1, 1.0, 1.0)
    assert not falls()


def test_an_update_that_goes_uphill_and_raises_the_loss_counts_as_above_1() -> None:
    unresolved: dict[int, float | None] = dict.fromkeys(range(98, 104), None)
    assert trace(unresolved, {}, slope=0.1, change=0.2).unstable
    assert not trace(unresolved, {}, slope=0.1, change=-0.2).unstable
    assert not trace(unresolved, {}, slope=-0.1, change=0.2).unstable  # it would have an overshoot if it were known


def watched(training: Any, onset: int, peak: int) -> Trace:
    training.run(onset - 64)
    return read_trace(_watched(training, peak - onset + 64, onset - 64), onset, peak, 0.999)


def test_bad_batches_are_no_instability() -> None:
    assert watched(planted(None, 0, "cpu", plant="batches"), AT, AT + LASTS).names == NO_INSTABILITY


def test_gradient_descent_at_ten_times_its_rate_is_one() -> None:
    """The sines at rate 1: the loss rises from the first steps on, and there is no second moment that could lag."""
    training = sines(partial(torch.optim.SGD, lr=0.05), 0, "cpu")
    training.run(64)
    for group in training.optimizer.param_groups:
        group["lr"] = 5.0
    seen = read_trace(_watched(training, 4, 64), 64, 68, 0.999)
    assert (seen.names, seen.lagging) == (Cause.CURVATURE, None)


def cell(trace: Trace | None, cause: str | None) -> Cell:
    answer = Answer(outcome=Outcome.CAUSE if cause else Outcome.NO_CAUSE, sentence="", cause=cause)
    return Cell(kind="a", seed=0, steps=100, onset=50, trace=trace, answer=answer)


STABLE = Trace(overshoot=0.2, lagging=None, surprise=1.0)
STEEP = Trace(overshoot=1.3, lagging=None, surprise=1.0)
FALLS = Trace(overshoot=1.3, lagging=None, surprise=0.3, falls=True)
LAGS = Trace(overshoot=1.3, lagging="w", surprise=3.0)


@pytest.mark.parametrize(
    ("seen", "cause", "agrees", "by_kind"),
    [
        (STABLE, Cause.DATA, True, True),
        (STABLE, None, True, True),
        (STABLE, Cause.LAG, False, False),
        (STEEP, Cause.CURVATURE, True, True),
        (STEEP, Cause.LAG, False, True),
        (STEEP, Cause.DATA, False, False),
        (LAGS, Cause.LAG, True, True),
        (LAGS, None, False, False),
        (FALLS, Cause.DECAYED, True, True),
        (FALLS, Cause.CURVATURE, False, True),
        (STABLE, Cause.DECAYED, False, False),
    ],
)
def test_agreement(seen: Trace, cause: str | None, agrees: bool, by_kind: bool) -> None:
    assert (cell(seen, cause).agrees, cell(seen, cause).agrees_by_kind) == (agrees, by_kind)


def test_the_page_counts_what_spiked() -> None:
    cells = [cell(STEEP, Cause.CURVATURE), cell(STEEP, Cause.LAG), Cell(kind="a", seed=1, steps=100, onset=None)]
    text = page(cells, ["a", "b"])
    assert "| `diagnose` names the trace's cause | 2 | 1 of 2: 50 % (1 to 99) |" in text
    assert "| by kind: both see an instability, or neither | 2 | 2 of 2: 100 % (16 to 100) |" in text
    assert "| a | 3 | 100 | 2 | 1 | 2 |" in text


def test_spikes_whose_overshoot_is_not_resolved_are_counted_apart() -> None:
    unknown = Trace(overshoot=None, lagging=None, surprise=1.0)
    text = page([cell(STEEP, Cause.CURVATURE), cell(unknown, None)], ["a"])
    assert "| `diagnose` names the trace's cause | 2 | 2 of 2" in text
    assert "| `diagnose` names the trace's cause, overshoot resolved | 1 | 1 of 1" in text
