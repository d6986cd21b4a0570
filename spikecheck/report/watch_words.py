"""Sentences about a watched training's log, shared by terminal and web page."""

import math
from collections.abc import Iterator

from spikecheck.report.phrases import plural
from spikecheck.watch.detector import NoisySpike
from spikecheck.watch.numbers import short
from spikecheck.watch.summary import HIGHEST, Summary

MEANING = (
    "Overshoot: 0 where the loss is linear along the update, 1 where the step stops lowering its own batch's loss, "
    "above 1 where it raises it. For gradient descent along an eigendirection: learning rate x curvature / 2."
)

OVERSHOOT_CAPTION = (
    f"overshoot, at most {HIGHEST:.0f} is drawn; dotted: 1, above which a step raises its own batch's loss"
)


def heading(summary: Summary) -> str:
    """The answer in one line: number of spikes, and looks with overshoot above 1."""
    if not summary.steps:
        return "No step was logged yet."
    spikes, above = len(summary.spikes), sum(value > 1.0 for _, value in summary.overshoots)
    spiked = f"The loss spiked {_times(spikes)}" if spikes else "No spike"
    share = (
        f"overshoot was above 1 at {above} of {plural(len(summary.overshoots), 'look')}"
        if summary.overshoots
        else "no overshoot"
    )
    return f"{spiked} in {plural(len(summary.steps), 'step')}; {share}."


def about(summary: Summary) -> str:
    """Model, size, optimizer, interval of the looks, and start of the training."""
    header = summary.header
    size = f"{header.parameters:,} parameters"
    return f"{header.model}, {size}, {header.optimizer}; a look every {header.every} steps; since {header.started}"


def spike_line(spike: NoisySpike, summary: Summary) -> tuple[str, str, str, str, str]:
    """A spike's onset, peak, height, end, and the largest overshoot near it, as text."""
    over = "not back" if spike.over is None else f"{spike.over:,}"
    highest = summary.overshoot_at(spike)
    overshoot = "-" if highest is None else f"{short(highest[1], 2)} (step {highest[0]:,})"
    peak = f"{spike.loss:.4g} at {spike.peak:,}" if math.isfinite(spike.loss) else f"at {spike.peak:,}"
    return f"{spike.onset:,}", peak, _height(spike), over, overshoot


def _height(spike: NoisySpike) -> str:
    if not math.isfinite(spike.loss):
        return "not finite"
    return "far above" if math.isinf(spike.height) else f"{short(spike.height)} spreads"


SPIKE_COLUMNS = ("onset", "peak", "height", "over", "overshoot")


def notes(summary: Summary) -> Iterator[str]:
    """Remarks on skipped steps, losses that are not finite, recurring excursions, and looks without overshoot."""
    skipped = sum(step.skipped for step in summary.steps)
    unfinite = sum(step.not_finite is not None for step in summary.steps)
    if skipped:
        yield f"{plural(skipped, 'step')} without a step of the optimizer, as when a gradient scaler meets an overflow."
    if unfinite:
        yield f"{plural(unfinite, 'step')} with a loss that is not finite."
    if summary.recurring:
        excursions = plural(len(summary.recurring), "excursion")
        yield f"{excursions} that came again at equal distances, as an epoch's hard batches do: no alarm."
    for reason, count in summary.unresolved.items():
        yield f"{plural(count, 'look')} without an overshoot: {reason}."
    if summary.unreadable:
        yield f"{plural(summary.unreadable, 'line')} of the log could not be read."


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")
