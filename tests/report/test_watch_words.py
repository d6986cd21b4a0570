"""Sentences about a log, of logs written down by hand."""

import math

import pytest

from spikecheck.core.watched import Header, Look, Step
from spikecheck.report.watch_words import about, heading, notes, spike_line
from spikecheck.watch.detector import NoisySpike
from spikecheck.watch.summary import Summary

HEADER = Header(model="Net", optimizer="SGD", parameters=1_234, every=10, started="2026-01-01T00:00:00+00:00")


def spike(onset: int = 400, height: float = 12.3, loss: float = 4.5, over: int | None = 420) -> NoisySpike:
    return NoisySpike(onset, onset + 5, onset + 3, height, 1.0, 0.1, loss, "high", over)


def summary(spikes: int = 0, overshoots: tuple[float | None, ...] = (), **changes: object) -> Summary:
    looks = {number * 10: value for number, value in enumerate(overshoots)}
    steps = tuple(
        Step(step=step, loss=1.0, look=Look(overshoot=looks[step]) if step in looks else None) for step in range(50)
    )
    given: dict[str, object] = {
        "header": HEADER,
        "steps": steps,
        "spikes": tuple(spike() for _ in range(spikes)),
        "recurring": (),
        "warnings": (),
        "rises": (),
        "unresolved": {},
    }
    return Summary(**given | changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (summary(steps=()), "No step was logged yet."),
        (summary(), "No spike in 50 steps; no overshoot."),
        (summary(1, (0.5,)), "The loss spiked once in 50 steps; overshoot was above 1 at 0 of 1 look."),
        (
            summary(2, (0.5, 1.0, 1.1, None)),
            "The loss spiked twice in 50 steps; overshoot was above 1 at 1 of 3 looks.",
        ),
        (summary(3), "The loss spiked 3 times in 50 steps; no overshoot."),
    ],
)
def test_the_heading_counts_spikes_and_looks(found: Summary, said: str) -> None:
    assert heading(found) == said


def test_what_was_watched_is_named() -> None:
    said = about(summary())
    assert said == "Net, 1,234 parameters, SGD; a look every 10 steps; since 2026-01-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (spike(), ("400", "4.5 at 403", "12.3 spreads", "420", "-")),
        (spike(1_000, over=None), ("1,000", "4.5 at 1,003", "12.3 spreads", "not back", "-")),
        (spike(height=123_456.0), ("400", "4.5 at 403", "1.23e+05 spreads", "420", "-")),
        (spike(height=math.inf), ("400", "4.5 at 403", "far above", "420", "-")),
        (spike(height=math.inf, loss=math.nan), ("400", "at 403", "not finite", "420", "-")),
    ],
)
def test_a_spike_is_one_line(found: NoisySpike, line: tuple[str, ...]) -> None:
    assert spike_line(found, summary()) == line


def test_the_largest_overshoot_near_a_spike_stands_with_it() -> None:
    found = summary(overshoots=(0.5, 0.8, 1.7, 0.9))
    assert spike_line(spike(onset=15), found)[4] == "1.70 (step 20)"


def test_every_remark_has_its_count_and_none_is_made_without_reason() -> None:
    assert list(notes(summary())) == []
    steps = (
        Step(step=0, loss=1.0, skipped=True),
        Step(step=1, loss=1.0, skipped=True),
        Step(step=2, not_finite="nan"),
    )
    said = list(notes(summary(steps=steps, recurring=(spike(),), unresolved={"rounding": 2}, unreadable=3)))
    assert [line.split(" ")[:2] for line in said] == [
        ["2", "steps"], ["1", "step"], ["1", "excursion"], ["2", "looks"], ["3", "lines"]
    ]  # fmt: skip
    assert said[3] == "2 looks without an overshoot: rounding."
