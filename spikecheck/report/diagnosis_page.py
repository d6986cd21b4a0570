"""A log's diagnosis in the terminal: the answer, the loss curve, each spike, and what the log cannot show."""

import math

from spikecheck.report.curves import Axis, curve, step_axis
from spikecheck.report.page import Page
from spikecheck.report.phrases import plural
from spikecheck.report.sanitize import inert
from spikecheck.watch.detector import NoisySpike
from spikecheck.watch.diagnosis import DiagnosedSpike, Diagnosis, Moved
from spikecheck.watch.numbers import short
from spikecheck.watch.signals import above_level

_SHOWN = 12
"""At most so many spikes are listed, the highest."""


def render_diagnosis(diagnosis: Diagnosis, page: Page) -> None:
    """Print the diagnosis of a log on the page."""
    page.say(heading(diagnosis), "bold red" if diagnosis.spikes else "bold")
    if diagnosis.recurring:
        page.say(inert(diagnosis.recurring[0].upper() + diagnosis.recurring[1:] + "."))
    _loss(diagnosis, page)
    highest = sorted(diagnosis.spikes, key=lambda one: -one.spike.height)[:_SHOWN]
    for one in sorted(highest, key=lambda one: one.spike.onset):
        _spike(one, page)
    if len(diagnosis.spikes) > _SHOWN:
        page.say(f"the highest {_SHOWN} of {len(diagnosis.spikes)} spikes", "dim")
    page.blank()
    page.say("What this log cannot tell", "cyan")
    for sentence in diagnosis.missing:
        page.say(inert(sentence), indent=2)


def heading(diagnosis: Diagnosis) -> str:
    """The answer in one line."""
    where = f"in {plural(diagnosis.rows, 'loss').replace('losss', 'losses')}, steps {diagnosis.first:,} to {diagnosis.last:,}"
    return f"{plural(len(diagnosis.spikes), 'loss spike') if diagnosis.spikes else 'No loss spike'} {where}."


def _loss(diagnosis: Diagnosis, page: Page) -> None:
    shown = [(step, loss) for step, loss in diagnosis.losses if math.isfinite(loss)]
    if len(shown) < 2:
        return
    positive = all(loss > 0.0 for _, loss in shown)
    axis = Axis(diagnosis.first, diagnosis.last, page.width, page.ascii_only)
    page.blank()
    page.say(f"loss{', log scale' if positive else ''}; o: a spike begins", "cyan")
    points = [(step, math.log10(loss) if positive else loss) for step, loss in shown]
    lines = curve(axis, points, 7, (lambda log: f"{10.0**log:.3g}") if positive else (lambda value: f"{value:.3g}"))
    for line in [*lines, *step_axis(axis, [(one.spike.onset, "o") for one in diagnosis.spikes])]:
        page.verbatim(line)


def _rise(spike: NoisySpike) -> str:
    if math.isfinite(spike.loss):
        return f"the loss reaches {spike.loss:.4g} at step {spike.peak:,}, {above_level(spike)}"
    if spike.peak == spike.onset:
        return "the loss is no longer a finite number"
    return f"the loss rises, and is no longer a finite number at step {spike.peak:,}"


def _spike(one: DiagnosedSpike, page: Page) -> None:
    spike = one.spike
    page.blank()
    over = "it did not come back" if spike.over is None else f"over at step {spike.over:,}"
    page.say(f"step {spike.onset:,}: {_rise(spike)}; {over}", "bold")
    if one.moved:
        page.rows("moved", [inert(_says(moved)) for moved in one.moved])
    else:
        page.row("moved", "no other column left its own noise before the peak")
    if one.kink is not None:
        page.row("schedule", f"the learning rate has a kink at step {one.kink:,}")
    elif one.lr is not None:
        page.row("schedule", f"no kink of the learning rate, which was {one.lr:.3g}")


def _says(moved: Moved) -> str:
    when = (
        f"{moved.before:,} steps before"
        if moved.before > 0
        else "with it"
        if not moved.before
        else f"{-moved.before:,} steps after"
    )
    height = "far above its level" if math.isinf(moved.height) else f"{short(moved.height)} of its spreads"
    return f"{moved.column}, {when} (step {moved.onset:,}, {height})"
