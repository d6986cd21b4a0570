"""A spike's portrait as a figure of six panels, and the fit through it as an animation."""

import shutil
from io import BytesIO
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.animation import FFMpegWriter, FuncAnimation, PillowWriter
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spikecheck.core.errors import UsageError
from spikecheck.core.portrait import Portrait
from spikecheck.report import atomic_write
from spikecheck.report.phrases import conditions

# Okabe and Ito's colours, as in `claim_figure`.
_BLUE, _VERMILION, _GREEN, _GREY = "#0072b2", "#d55e00", "#009e73", "#7f7f7f"
_FORMATS = {".png": "png", ".svg": "svg"}
_MOVING = (".gif", ".mp4")
_FRAMES = 120


def draw(portrait: Portrait) -> Figure:
    """Loss and sharpness; growth against its prediction; the swing by rank; cosines before and after; twins; the fit."""
    figure = Figure(figsize=(13.0, 7.6), layout="constrained")
    rows = figure.subplots(2, 3)
    figure.suptitle(f"The first spike of seed {portrait.seed}: {conditions(portrait.setting)}", fontsize=9, wrap=True)
    _loss(rows[0, 0], portrait)
    _growth(rows[0, 1], portrait)
    _swing(rows[0, 2], portrait)
    _cosines(rows[1, 0], portrait)
    _twins(rows[1, 1], portrait)
    _fit(rows[1, 2], portrait)
    return figure


def write(portrait: Portrait, path: Path) -> None:
    """As PNG or SVG, by the file's suffix.

    Raises:
        UsageError: when it can't be written.
    """
    out = BytesIO()
    form = _FORMATS[path.suffix.lower()]
    metadata = {"Software": None} if form == "png" else {"Date": None}
    with rc_context({"svg.hashsalt": "portrait"}):  # else identifiers in an SVG are drawn at random
        draw(portrait).savefig(out, format=form, dpi=120, metadata=metadata)
    atomic_write.write(out.getvalue(), path, "--figure")


def check_figure(path: Path) -> None:
    """Refuse before training what could not be drawn after it.

    Raises:
        UsageError: when the suffix is unknown, or nothing can be written there.
    """
    if path.suffix.lower() not in _FORMATS:
        raise UsageError(f"--figure {path}: give FILE.png or FILE.svg")
    atomic_write.check(path, "--figure")


def check_animation(path: Path) -> None:
    """Refuse before training what could not be animated after it.

    Raises:
        UsageError: when the suffix is unknown, or nothing can be written there, or ffmpeg is missing.
    """
    if path.suffix.lower() not in _MOVING:
        raise UsageError(f"--animate {path}: give FILE.gif or FILE.mp4")
    if path.suffix.lower() == ".mp4" and shutil.which("ffmpeg") is None:
        raise UsageError(f"--animate {path}: there is no ffmpeg; install it, or give FILE.gif")
    atomic_write.check(path, "--animate")


def animate(portrait: Portrait, path: Path) -> None:
    """The fit of a network of one input and one output, from the onset to behind the recovery, beside the loss.

    Raises:
        UsageError: when it can't be written.
    """
    assert portrait.fit is not None
    fit, spike = portrait.fit, portrait.spike
    around = max(20, (spike.recovery or spike.peak) - spike.onset)
    first, last = portrait.at(spike.onset - around), portrait.at((spike.recovery or spike.peak) + around)
    places = np.unique(np.linspace(first, last, min(_FRAMES, last - first + 1)).astype(int))
    figure = Figure(figsize=(8.0, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.semilogy(portrait.steps[first : last + 1], portrait.loss[first : last + 1], color="black", linewidth=0.9)
    (mark,) = left.plot([], [], "o", color=_VERMILION)
    left.set_xlabel("step")
    left.set_ylabel("training loss")
    right.plot(fit.x, fit.target, color=_GREY, linewidth=1.0, label="target")
    (curve,) = right.plot(fit.x, fit.outputs[first], color=_BLUE, linewidth=1.5, label="network")
    shown = np.concatenate([fit.outputs[first : last + 1].ravel(), fit.target])
    right.set_ylim(float(shown.min()) - 0.1, float(shown.max()) + 0.1)
    right.set_xlabel("x")
    right.legend(fontsize=7, loc="upper right")

    def frame(place: int) -> tuple[object, ...]:
        mark.set_data([portrait.steps[place]], [portrait.loss[place]])
        curve.set_ydata(fit.outputs[place])
        right.set_title(f"step {portrait.steps[place]:.0f}", fontsize=9)
        return mark, curve

    moving = FuncAnimation(figure, frame, frames=[int(place) for place in places], blit=False)  # type: ignore[arg-type]
    writer = PillowWriter(fps=15) if path.suffix.lower() == ".gif" else FFMpegWriter(fps=15)
    draft = path.with_name(f".{path.stem}-unfinished{path.suffix}")
    try:
        moving.save(draft, writer=writer, dpi=90)
        draft.replace(path)
    except OSError as error:
        raise UsageError(f"--animate {path}: cannot be written: {error.strerror or error}") from error
    finally:
        draft.unlink(missing_ok=True)


def _loss(axes: Axes, portrait: Portrait) -> None:
    axes.semilogy(portrait.steps, portrait.loss, color="black", linewidth=0.9, label="loss")
    axes.set_ylabel("training loss")
    axes.set_xlabel("step")
    axes.set_title("loss, and sharpness times learning rate", fontsize=9)
    beside = axes.twinx()
    beside.plot(portrait.steps, portrait.sharpness[:, 0] * portrait.setting.lr, color=_BLUE, linewidth=1.0)
    beside.set_ylabel("η λ_max", color=_BLUE)
    if portrait.threshold is not None:
        beside.axhline(portrait.threshold * portrait.setting.lr, color=_BLUE, linestyle="--", linewidth=0.8)
    _landmarks(axes, portrait)


def _growth(axes: Axes, portrait: Portrait) -> None:
    """The factor a step, measured and as a quadratic would have it; only where there is a motion worth the name."""
    spike = portrait.spike
    shown = slice(portrait.at(spike.onset - 60), portrait.at(spike.peak) + 1)
    axes.plot(portrait.steps[shown], portrait.growth[shown], "o", color=_VERMILION, markersize=3, label="measured")
    if portrait.setting.optimizer == "gd":
        predicted = np.abs(1.0 - portrait.setting.lr * portrait.sharpness[shown, 0])
        axes.plot(portrait.steps[shown], predicted, color="black", linewidth=0.9, label="|1 - η λ_max|")
    axes.axhline(1.0, color=_GREY, linestyle=":", linewidth=0.8)
    axes.set_ylim(0.0, float(min(max(portrait.growth[shown].max(initial=1.5), 1.5), 4.0)))
    axes.set_xlabel("step")
    axes.set_title("growth along the first eigendirection, a step", fontsize=9)
    axes.legend(fontsize=7)


def _swing(axes: Axes, portrait: Portrait) -> None:
    ranks = np.arange(1, len(portrait.swing) + 1)
    axes.bar(ranks, np.maximum(portrait.swing, 1e-6), color=_BLUE)
    axes.set_yscale("log")
    axes.set_xticks(ranks)
    axes.set_xlabel("eigen rank")
    axes.set_title("the gradient's swing at the peak, by eigendirection", fontsize=9)


def _cosines(axes: Axes, portrait: Portrait) -> None:
    """Before above the diagonal, after below it: one picture, to be compared across it."""
    before, after = portrait.cosines
    if len(before) != len(after) or not len(after):
        axes.set_axis_off()
        return
    both = np.tril(after) + np.triu(before, 1)
    image = axes.imshow(both, vmin=0.0, vmax=1.0, cmap="cividis")
    axes.figure.colorbar(image, ax=axes, shrink=0.8)
    mean = portrait.alignment
    axes.set_title(
        f"|cos| of input weights: before (above, mean {mean[0]:.2f}), after (below, {mean[1]:.2f})", fontsize=9
    )


def _twins(axes: Axes, portrait: Portrait) -> None:
    for twin, colour in zip(portrait.twins, (_VERMILION, _GREEN), strict=False):
        label = f"{twin.name}; ends at mean |cos| {twin.alignment:.3f}"
        axes.semilogy(twin.steps, twin.loss, color=colour, linewidth=0.9, label=label)
    axes.set_xlabel("step")
    axes.set_ylabel("training loss")
    axes.set_title("twins, parted before the spike", fontsize=9)
    axes.legend(fontsize=7)


def _fit(axes: Axes, portrait: Portrait) -> None:
    fit, spike = portrait.fit, portrait.spike
    if fit is None:
        axes.set_axis_off()
        axes.text(0.5, 0.5, "more than one input or output:\nno curve to show", ha="center", transform=axes.transAxes)
        return
    axes.plot(fit.x, fit.target, color=_GREY, linewidth=2.5, alpha=0.5, label="target")
    moments = {"before": (spike.onset - 10, _GREEN), "peak": (spike.peak, _VERMILION), "after": (spike.recovery, _BLUE)}
    for name, (step, colour) in moments.items():
        if step is not None:
            axes.plot(fit.x, fit.outputs[portrait.at(step)], color=colour, linewidth=1.0, label=f"{name}, step {step}")
    axes.set_xlabel("x")
    axes.set_title("the fitted function", fontsize=9)
    axes.legend(fontsize=7)


def _landmarks(axes: Axes, portrait: Portrait) -> None:
    spike = portrait.spike
    axes.axvspan(spike.onset, spike.peak, color=_VERMILION, alpha=0.25, linewidth=0)
    if spike.recovery is not None:
        axes.axvspan(spike.peak, spike.recovery, color=_VERMILION, alpha=0.1, linewidth=0)
