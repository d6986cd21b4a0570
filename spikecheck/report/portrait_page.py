"""A spike's portrait in the terminal: curves, bars, and figures in words."""

import numpy as np
from rich.console import Console

from spikecheck.core.portrait import Portrait
from spikecheck.core.verdict import Trace
from spikecheck.report.braille import Canvas
from spikecheck.report.page import Page
from spikecheck.report.phrases import plural
from spikecheck.report.picture import picture
from spikecheck.report.portrait_title import described, ending, title

_ROWS = 9
_BAR = 32
_WHEN = {"before": "before the spike", "peak": "at its peak", "after": "after the spike"}


def render_portrait(portrait: Portrait, console: Console) -> None:
    """Print the portrait."""
    page = Page(console)
    spike = portrait.spike
    page.say(title(portrait), "bold")
    page.say(described(portrait.setting), "dim")
    page.blank()
    for line in picture(_trace(portrait), page.width, page.ascii_only, heading="loss, log scale"):
        page.verbatim(line)
    page.blank()
    page.row("spike", f"onset {spike.onset}, peak {spike.peak}, {spike.height:.3g} x the loss at its trough")
    page.row("recovery", _recovery(portrait))
    page.row("ascent", _ascent(portrait))
    page.rows("by rank", _bars(portrait, ascii_only=page.ascii_only))
    page.row("alignment", _alignment(portrait))
    page.rows("twins", [f"{twin.name}: {ending(twin)}" for twin in portrait.twins])
    for name, step in portrait.moments.items() if portrait.fit is not None else ():
        page.blank()
        page.say(f"Fitted function {_WHEN[name]}, step {step}; line: the network, dots: the target")
        for line in _curve(portrait, step, page.width - 2, ascii_only=page.ascii_only):
            page.verbatim(f"  {line}".rstrip())


def _recovery(portrait: Portrait) -> str:
    spike = portrait.spike
    assert spike.recovery is not None
    later, low = plural(spike.recovery - spike.peak, "step"), portrait.after - spike.recovery + 1
    over = f"counts as over at step {portrait.after}, after {low} steps of low loss"
    return f"step {spike.recovery}, {later} after the peak; {over}"


def _alignment(portrait: Portrait) -> str:
    if not len(portrait.cosines[0]):
        return "none: the model has no layer of neurons with input weights"
    before, after = portrait.alignment
    return f"mean |cos| of input weights {before:.3f} at step {portrait.before}, {after:.3f} at step {portrait.after}"


def _trace(portrait: Portrait) -> Trace:
    """The portrait's window as a trace that `picture` can draw."""
    steps = tuple(int(step) for step in portrait.steps)
    spike = portrait.spike
    return Trace(
        seed=portrait.seed,
        steps=steps,
        loss=tuple(map(float, portrait.loss)),
        sharpness_steps=steps,
        sharpness=tuple(map(float, portrait.sharpness[:, 0])),
        threshold=portrait.threshold,
        lr=portrait.setting.lr,
        onset=spike.onset,
        peak=spike.peak,
        recovery=spike.recovery,
    )


def _ascent(portrait: Portrait) -> str:
    """Growth along the first eigendirection before the peak, and the quadratic model's prediction for it."""
    spike = portrait.spike
    rise = slice(portrait.at(spike.onset - 10), max(portrait.at(spike.peak), portrait.at(spike.onset - 10) + 1))
    measured = f"grows by a median factor of {np.median(portrait.growth[rise]):.3f} a step"
    if portrait.setting.optimizer != "gd":
        return measured
    predicted = np.median(np.abs(1.0 - portrait.setting.lr * portrait.sharpness[rise, 0]))
    return f"{measured}; |1 - lr x sharpness| is {predicted:.3f}"


def _bars(portrait: Portrait, *, ascii_only: bool) -> list[str]:
    """Swing at the peak by eigendirection, relative to the largest, as bars on a log scale from 0.001 to 1."""
    full, lines = ("#" if ascii_only else "█"), []
    for rank, share in enumerate(portrait.swing, 1):
        length = round(_BAR * (1.0 + np.log10(max(float(share), 1e-3)) / 3.0))
        lines.append(f"v{rank:<3}{full * length:<{_BAR}} {share:.2g}")
    return lines


def _curve(portrait: Portrait, step: int, columns: int, *, ascii_only: bool) -> list[str]:
    fit = portrait.fit
    assert fit is not None
    values = fit.outputs[portrait.at(step)]
    low, high = (float(pick(np.concatenate([fit.target, values]))) for pick in (np.min, np.max))
    canvas = Canvas(columns, _ROWS)
    span, height = float(fit.x[-1] - fit.x[0]) or 1.0, (high - low) or 1.0

    def place(x: float, y: float) -> tuple[int, int]:
        return round((2 * columns - 1) * (x - fit.x[0]) / span), round((4 * _ROWS - 1) * (high - y) / height)

    canvas.curve([place(x, y) for x, y in zip(fit.x, values, strict=True)])
    dots = np.linspace(fit.x[0], fit.x[-1], columns // 2)
    for x, y in zip(dots, np.interp(dots, fit.x, fit.target), strict=True):
        canvas.dot(*place(float(x), float(y)))
    return canvas.lines(ascii_only=ascii_only)
