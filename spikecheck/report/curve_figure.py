"""The loss of candidate and reference in one setting of the gate, median and band over seeds, as SVG for a web page."""

import re
from io import StringIO

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spikecheck.core.scorecard import Band
from spikecheck.report.claim_figure import CLAIM, CONTROL, themed

_SIDES = {"candidate": (CLAIM, "-"), "reference": (CONTROL, "--")}
"""Colour and line style of each side: colours differ under all common colour vision, styles in black and white."""


def curves_svg(sides: dict[str, Band], name: str) -> str:
    """Draw median and band of each side as an SVG element without a background.

    Args:
        sides: the bands of "candidate" and "reference"; one may be missing.
        name: prefix of the element's identifiers, unique on the page.
    """
    out = StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": name, "font.size": 9}):
        _drawn(sides).savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return themed(out.getvalue(), re.sub(r"[^\w-]", "", name))


def _drawn(sides: dict[str, Band]) -> Figure:
    figure = Figure(figsize=(4.3, 2.7), layout="constrained")
    axes = figure.subplots()
    for side, band in sides.items():
        _line(axes, side, band)
    axes.set_yscale("log")
    axes.set_xlabel("step")
    axes.set_ylabel("training loss")
    axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, borderaxespad=0.1, frameon=False, fontsize=8)
    return figure


def _line(axes: Axes, side: str, band: Band) -> None:
    colour, line = _SIDES[side]
    low, median, high = (np.array(values, dtype=float) for values in (band.low, band.median, band.high))
    axes.fill_between(band.steps, low, np.where(np.isnan(high), _top(band), high), color=colour, alpha=0.2, linewidth=0)
    axes.plot(band.steps, median, line, color=colour, linewidth=1.2, label=side)


def _top(band: Band) -> float:
    """The largest finite value of a band; it replaces an upper edge that is not finite."""
    return max((value for values in (band.high, band.median, band.low) for value in values if value), default=1.0)
