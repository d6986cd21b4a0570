"""Animates the function fitted by a network during a spike."""

from pathlib import Path

import numpy as np
from matplotlib.animation import FFMpegWriter, FuncAnimation, PillowWriter
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spikecheck.core.errors import UsageError
from spikecheck.core.portrait import Fit, Portrait
from spikecheck.report.portrait_figure import BLUE, GREY, VERMILION, legend_below

_FRAMES = 120
_A_SECOND = 15


def animate(portrait: Portrait, path: Path) -> None:
    """Write an animation of loss and fitted function, from before the onset to after the spike.

    Args:
        portrait: of a network with one input and one output.
        path: FILE.gif, or FILE.mp4 if ffmpeg is installed.

    Raises:
        UsageError: the file cannot be written.
    """
    moving = _animation(portrait)
    writer = PillowWriter(fps=_A_SECOND) if path.suffix.lower() == ".gif" else FFMpegWriter(fps=_A_SECOND)
    draft = path.with_name(f".{path.stem}-unfinished{path.suffix}")
    try:
        moving.save(draft, writer=writer, dpi=90)
        draft.replace(path)
    except OSError as error:
        raise UsageError(f"--animate {path}: cannot be written: {error.strerror or error}") from error
    finally:
        draft.unlink(missing_ok=True)


def _animation(portrait: Portrait) -> FuncAnimation:
    assert portrait.fit is not None
    fit, shown = portrait.fit, _window(portrait)
    places = np.unique(np.linspace(shown.start, shown.stop - 1, min(_FRAMES, shown.stop - shown.start)).astype(int))
    figure = Figure(figsize=(8.0, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    _loss(left, portrait, shown)
    (mark,) = left.plot([], [], "o", color=VERMILION)
    (curve,) = right.plot(fit.x, fit.outputs[shown.start], color=BLUE, linewidth=1.5, label="network")
    _target(right, fit, shown)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # the layout is computed once: for every frame it would take most of the time

    def frame(place: int) -> tuple[object, ...]:
        mark.set_data([portrait.steps[place]], [portrait.loss[place]])
        curve.set_ydata(fit.outputs[place])
        right.set_title(f"step {portrait.steps[place]:.0f}", fontsize=9)
        return mark, curve

    return FuncAnimation(figure, frame, frames=[int(place) for place in places], blit=False)  # type: ignore[arg-type]


def _window(portrait: Portrait) -> slice:
    """Steps shown: the spike, and as long before its onset and after its end as it lasts (at least 20 steps)."""
    around = max(20, portrait.after - portrait.spike.onset)
    return slice(portrait.at(portrait.spike.onset - around), portrait.at(portrait.after + around) + 1)


def _loss(axes: Axes, portrait: Portrait, shown: slice) -> None:
    axes.semilogy(portrait.steps[shown], portrait.loss[shown], color="black", linewidth=0.9)
    axes.set_xlabel("step")
    axes.set_ylabel("training loss")


def _target(axes: Axes, fit: Fit, shown: slice) -> None:
    axes.plot(fit.x, fit.target, color=GREY, linewidth=1.0, label="target")
    values = np.concatenate([fit.outputs[shown].ravel(), fit.target])
    axes.set_ylim(float(values.min()) - 0.1, float(values.max()) + 0.1)
    axes.set_xlabel("x")
    legend_below(axes)
