"""The run around its spike, and forks laid over each other, as SVG for a web page."""

from collections.abc import Sequence
from io import StringIO

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spikecheck.core.why import Answer, ArmResult
from spikecheck.report.claim_figure import CLAIM, CONTROL, themed
from spikecheck.report.why_words import overlaid

_LETTERS = 40
"""Of an arm's name, at most: what a panel of a phone's width has room for."""


def why_svg(answer: Answer) -> str:
    """An SVG element without a background; empty where there is nothing to draw."""
    if sum(loss is not None for _, loss in answer.losses) < 2:
        return ""
    out = StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "why", "font.size": 9}):
        _drawn(answer).savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return themed(out.getvalue(), "why")


def _drawn(answer: Answer) -> Figure:
    arms, watched = overlaid(answer), bool(answer.signs.overshoots)
    panels = 1 + len(arms) + watched
    figure = Figure(figsize=(4.3, 1.6 * panels), layout="constrained")
    axes: list[Axes] = list(figure.subplots(panels, 1, sharex=True, squeeze=False)[:, 0])
    _line(axes[0], answer.losses, CLAIM)
    axes[0].set_title("the run", fontsize=9, loc="left")
    for panel, arm in zip(axes[1:], arms, strict=False):
        _forks(panel, answer, arm)
        panel.sharey(axes[0])
    if watched:
        _line(axes[-1], answer.signs.overshoots, CLAIM)
        axes[-1].axhline(1.0, color="#000000", linestyle=":", linewidth=0.8)
        axes[-1].set_title("overshoot before the spike", fontsize=9, loc="left")
    if all(loss > 0.0 for _, loss in answer.losses if loss is not None):
        axes[0].set_yscale("log")
    if answer.spike is not None:
        for panel in axes:
            panel.axvline(answer.spike.onset, color="#cccccc", linewidth=0.8)
    axes[-1].set_xlabel("step")
    return figure


def _forks(panel: Axes, answer: Answer, arm: ArmResult) -> None:
    """Every fork of one arm."""
    for fork in arm.forks:
        _line(panel, list(enumerate(fork.losses, answer.start or 0)), CONTROL)
    panel.set_title(f"{len(arm.forks)} forks: {_letters(arm.name)}", fontsize=9, loc="left")


def _line(panel: Axes, points: Sequence[tuple[int, float | None]], colour: str) -> None:
    steps, values = zip(*((step, float("nan") if value is None else value) for step, value in points), strict=True)
    panel.plot(steps, values, color=colour, linewidth=1.0)


def _letters(name: str) -> str:
    """Without what matplotlib reads as mathematics, and no wider than the panel."""
    return "".join(c for c in name if c.isalnum() or c in " =.-_")[:_LETTERS]
