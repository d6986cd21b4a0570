"""A spike's portrait as a figure of six panels. Legends are below the panels, so that they hide no curve."""

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from spikecheck.core.portrait import Portrait
from spikecheck.core.run import Array
from spikecheck.report import atomic_write
from spikecheck.report.portrait_files import FIGURES
from spikecheck.report.portrait_title import described, ending, title

if TYPE_CHECKING:
    from matplotlib.artist import Artist

# Okabe and Ito's colours, as in `claim_figure`.
BLUE, VERMILION, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "#7f7f7f"
_NARROW = 32
"""Longest label of which two fit side by side below a panel, in characters."""


def draw(portrait: Portrait) -> Figure:
    """Draw loss and sharpness, growth against its prediction, swing by rank, cosines before and after, twins, and the fit."""
    figure = Figure(figsize=(13.0, 8.6), layout="constrained")
    rows = figure.subplots(2, 3)
    figure.suptitle(f"{title(portrait)}: {described(portrait.setting)}", fontsize=9, wrap=True)
    _loss(rows[0, 0], portrait)
    _growth(rows[0, 1], portrait)
    _swing(rows[0, 2], portrait)
    _cosines(rows[1, 0], portrait)
    _twins(rows[1, 1], portrait)
    _fit(rows[1, 2], portrait)
    return figure


def write(portrait: Portrait, path: Path) -> None:
    """Write the figure as PNG or SVG, by the file's suffix.

    Raises:
        UsageError: the file cannot be written.
    """
    out = BytesIO()
    form = FIGURES[path.suffix.lower()]
    metadata = {"Software": None} if form == "png" else {"Date": None}
    with rc_context({"svg.hashsalt": "portrait"}):  # otherwise identifiers in an SVG are random
        draw(portrait).savefig(out, format=form, dpi=120, metadata=metadata)
    atomic_write.write(out.getvalue(), path, "--figure")


def _loss(axes: Axes, portrait: Portrait) -> None:
    axes.semilogy(portrait.steps, portrait.loss, color="black", linewidth=0.9, label="loss (left)")
    axes.set_ylabel("training loss")
    axes.set_xlabel("step")
    axes.set_title("loss, and sharpness times learning rate", fontsize=9)
    beside = axes.twinx()
    product = portrait.sharpness[:, 0] * portrait.setting.lr
    beside.plot(portrait.steps, product, color=BLUE, linewidth=1.0, label="η λ_max (right)")
    beside.set_ylabel("η λ_max", color=BLUE)
    if portrait.threshold is not None:
        level = portrait.threshold * portrait.setting.lr
        beside.axhline(
            level, color=BLUE, linestyle="--", linewidth=0.8, label=f"stability threshold, {level:.3g} (right)"
        )
    _landmarks(axes, portrait)
    legend_below(axes, beside)


def _growth(axes: Axes, portrait: Portrait) -> None:
    """Growth factor a step along the first eigendirection, measured and predicted by the quadratic model."""
    spike = portrait.spike
    shown = slice(portrait.at(spike.onset - 60), portrait.at(spike.peak) + 1)
    axes.plot(portrait.steps[shown], portrait.growth[shown], "o", color=VERMILION, markersize=3, label="measured")
    if portrait.setting.optimizer == "gd":
        predicted = np.abs(1.0 - portrait.setting.lr * portrait.sharpness[shown, 0])
        axes.plot(portrait.steps[shown], predicted, color="black", linewidth=0.9, label="|1 - η λ_max|")
    axes.axhline(1.0, color=GREY, linestyle=":", linewidth=0.8, label="1: no growth")
    axes.set_ylim(0.0, float(min(max(portrait.growth[shown].max(initial=1.5), 1.5), 4.0)))
    axes.set_xlabel("step")
    axes.set_title("growth per step along the first eigendirection", fontsize=9)
    legend_below(axes)


def _swing(axes: Axes, portrait: Portrait) -> None:
    ranks = np.arange(1, len(portrait.swing) + 1)
    axes.bar(ranks, np.maximum(portrait.swing, 1e-6), color=BLUE)
    axes.set_yscale("log")
    axes.set_xticks(ranks)
    axes.set_xlabel("rank of the eigenvalue")
    axes.set_ylabel("over the largest")
    axes.set_title("gradient swing at the peak, by eigenvalue", fontsize=9)


def _cosines(axes: Axes, portrait: Portrait) -> None:
    """Cosines before the spike above the diagonal, after it below, for comparison across the diagonal."""
    before, after = portrait.cosines
    if len(before) != len(after) or not len(after):
        _instead(axes, "no layer of neurons with input weights")
        return
    image = axes.imshow(np.tril(after) + np.triu(before, 1), vmin=0.0, vmax=1.0, cmap="cividis", extent=_ranks(after))
    axes.figure.colorbar(image, ax=axes, shrink=0.8, label="|cos|")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1))
        axis.set_label_text("neuron")
    means = portrait.alignment
    axes.set_title(
        "|cos| of input weights\n"
        f"above: step {portrait.before}, mean {means[0]:.2f}; below: step {portrait.after}, mean {means[1]:.2f}",
        fontsize=9,
    )


def _ranks(matrix: Array) -> tuple[float, float, float, float]:
    """Edges (left, right, bottom, top) of an image whose rows and columns count from 1, downwards."""
    last = len(matrix) + 0.5
    return 0.5, last, last, 0.5


def _twins(axes: Axes, portrait: Portrait) -> None:
    for twin, colour in zip(portrait.twins, (VERMILION, GREEN), strict=False):
        axes.semilogy(twin.steps, twin.loss, color=colour, linewidth=0.9, label=f"{twin.name}: {ending(twin)}")
    axes.set_xlabel("step")
    axes.set_ylabel("training loss")
    axes.set_title("twins, parted before the spike", fontsize=9)
    legend_below(axes)


def _fit(axes: Axes, portrait: Portrait) -> None:
    fit = portrait.fit
    if fit is None:
        _instead(axes, "more than one input or output:\nno curve to show")
        return
    axes.plot(fit.x, fit.target, color=GREY, linewidth=2.5, alpha=0.5, label="target")
    for (name, step), colour in zip(portrait.moments.items(), (GREEN, VERMILION, BLUE), strict=True):
        axes.plot(fit.x, fit.outputs[portrait.at(step)], color=colour, linewidth=1.0, label=f"{name}, step {step}")
    axes.set_xlabel("x")
    axes.set_title("the fitted function", fontsize=9)
    legend_below(axes)


def _instead(axes: Axes, why: str) -> None:
    """Replace a panel by the reason why it is empty."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, why, ha="center", transform=axes.transAxes)


def _landmarks(axes: Axes, portrait: Portrait) -> None:
    """Shade the spike in three parts. In the last the loss stays low until the spike counts as over."""
    spike = portrait.spike
    assert spike.recovery is not None
    axes.axvspan(spike.onset, spike.peak, color=VERMILION, alpha=0.3, linewidth=0, label="onset to peak")
    axes.axvspan(spike.peak, spike.recovery, color=VERMILION, alpha=0.15, linewidth=0, label="peak to recovery")
    axes.axvspan(spike.recovery, portrait.after, color=GREY, alpha=0.15, linewidth=0, label="recovery to end")


def legend_below(*several: Axes) -> None:
    """Place one legend for axes that share a panel below it, no wider than the panel."""
    handles: list[Artist] = []
    for axes in several:
        handles += axes.get_legend_handles_labels()[0]
    widest = max(len(str(handle.get_label())) for handle in handles)
    several[0].legend(
        handles=handles,
        fontsize=7,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.16),
        ncols=1 if widest > _NARROW else 2,
        frameon=False,
    )
