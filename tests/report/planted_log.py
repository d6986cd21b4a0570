"""Logs of watched trainings, written down by hand."""

from spikecheck.core.watched import Header, Look, Step
from spikecheck.watch.detector import NoisySpike
from spikecheck.watch.signals import Warned
from spikecheck.watch.summary import Summary

HEADER = Header(model="Net<b>", optimizer="SGD", parameters=1_234, every=10, started="2026-01-01T00:00:00+00:00")


def log_of(
    losses: dict[int, float | None],
    overshoots: dict[int, float] | None = None,
    onsets: tuple[int, ...] = (),
    warnings: int = 0,
) -> Summary:
    """A summary of these losses by step, with looks, spikes and warnings at some of them."""
    looks = overshoots or {}
    steps = tuple(
        Step(step=step, loss=loss, look=Look(overshoot=looks[step]) if step in looks else None)
        for step, loss in losses.items()
    )
    spikes = tuple(NoisySpike(at, at + 1, at + 2, 12.0, 1.0, 0.1, 4.5, "high", at + 9) for at in onsets)
    warned = tuple(Warned(number, "spike", f"warning {number}") for number in range(warnings))
    return Summary(HEADER, steps, spikes, (), warned, (), {})
