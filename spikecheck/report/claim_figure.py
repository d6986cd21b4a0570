"""A claim's figure: the typical run above, every seed's effect and its control's below."""

from io import BytesIO

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spikecheck.core.judgement import Judgement
from spikecheck.core.verdict import Trace, Verdict
from spikecheck.report.inert import inert

# Okabe and Ito's blue and vermilion: apart for all common colour vision. In black and white the marks tell them apart.
_CLAIM, _CONTROL = "#0072b2", "#d55e00"


def draw(verdict: Verdict) -> Figure:
    """Two panels of the typical run where there is one, and the strip of effects."""
    trace = verdict.typical
    figure = Figure(figsize=(7.0, 6.0 if trace else 2.4), layout="constrained")
    rows = 3 if trace else 1
    axes = list(figure.subplots(rows, 1, squeeze=False)[:, 0])
    if trace is not None:
        axes[1].sharex(axes[0])
        _loss(axes[0], trace)
        _sharpness(axes[1], trace)
    _strip(axes[-1], verdict)
    return figure


def drawn(verdict: Verdict) -> bytes:
    """The figure as PNG; equal verdicts have equal bytes."""
    out = BytesIO()
    draw(verdict).savefig(out, format="png", dpi=110, metadata={"Software": None})
    return out.getvalue()


def _loss(axes: Axes, trace: Trace) -> None:
    axes.semilogy(trace.steps, trace.loss, color="black", linewidth=0.8)
    _landmarks(axes, trace)
    axes.set_ylabel("training loss")
    axes.set_title(f"typical run (seed {trace.seed})", fontsize=9)
    axes.tick_params(labelbottom=False)


def _sharpness(axes: Axes, trace: Trace) -> None:
    axes.plot(trace.sharpness_steps, trace.sharpness, color=_CLAIM, linewidth=1.0, label="sharpness")
    if trace.threshold is not None:
        axes.axhline(trace.threshold, color="black", linestyle="--", linewidth=0.8, label="stability threshold")
    _landmarks(axes, trace)
    axes.set_xlabel("step")
    axes.set_ylabel("sharpness")
    axes.legend(fontsize=7, loc="best")


def _landmarks(axes: Axes, trace: Trace) -> None:
    """Onset and peak of the first spike."""
    for step, line in ((trace.onset, ":"), (trace.peak, "-")):
        if step is not None:
            axes.axvline(step, color=_CONTROL, linestyle=line, linewidth=0.8)


def _strip(axes: Axes, verdict: Verdict) -> None:
    _dots(axes, 1.0, verdict.reference, _CLAIM, "o")
    _dots(axes, 0.0, verdict.control, _CONTROL, "x")
    axes.set_yticks([0.0, 1.0], ["control", "claim"])
    axes.set_ylim(-0.6, 1.6)
    axes.set_xlabel(inert(verdict.reference.effect.unit).replace("$", r"\$"))
    scores = [s for j in (verdict.reference, verdict.control) for s in j.scores if s is not None]
    if scores and max(map(abs, scores)) > 1e3 * (float(np.median(np.abs(scores))) or 1.0):
        axes.set_xscale("symlog")


def _dots(axes: Axes, height: float, judgement: Judgement, colour: str, marker: str) -> None:
    """Every seed's effect, spread a little so that equal ones are seen, and the median with its interval."""
    scores = np.array([score for score in judgement.scores if score is not None])
    spread = 0.25 * np.sin(np.arange(len(scores)) * 2.4)
    axes.scatter(scores, height + spread, s=12, color=colour, marker=marker, linewidths=0.8, alpha=0.7)
    effect = judgement.effect
    if effect.median is not None and effect.low is not None and effect.high is not None:
        axes.plot([effect.low, effect.high], [height - 0.42] * 2, color="black", linewidth=1.5)
        axes.plot([effect.median], [height - 0.42], color="black", marker="|", markersize=9)
