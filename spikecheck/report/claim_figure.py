"""A claim's figure: the typical run above, every seed's effect and its control's below; as PNG, or as SVG for a web page."""

import re
from io import BytesIO, StringIO

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spikecheck.core.judgement import Judgement
from spikecheck.core.verdict import Trace, Verdict
from spikecheck.report.estimates import Decider, decider, of_average
from spikecheck.report.quoted import rule_of
from spikecheck.report.sanitize import inert
from spikecheck.stats.prediction import Average

# Okabe and Ito's blue and vermilion: apart for all common colour vision. In black and white the marks tell them apart.
CLAIM, CONTROL = "#0072b2", "#d55e00"
_THEMED = {
    CLAIM: "var(--claim)",
    CONTROL: "var(--control)",
    "#000000": "currentColor",
    "#ffffff": "var(--ground)",
    "#cccccc": "var(--line)",
}

_GROUP_OF_MARKS = re.compile(r"<g((?: clip-path=\"[^\"]*\")?)>((?:\s*<use [^>]*/>)+\s*)</g>")
_STYLE = re.compile(r' style="([^"]*)"')


def draw(verdict: Verdict, *, narrow: bool = False) -> Figure:
    """Two panels of the typical run where there is one, and the strip of effects.

    `narrow` is for a page that may be read on a phone: legends stand above their panels, and letters stay large enough.
    """
    trace = verdict.typical
    size = (4.3, 6.4 if trace else 2.6) if narrow else (7.0, 6.0 if trace else 2.4)
    figure = Figure(figsize=size, layout="constrained")
    rows = 3 if trace else 1
    axes = list(figure.subplots(rows, 1, squeeze=False)[:, 0])
    if trace is not None:
        axes[1].sharex(axes[0])
        figure.suptitle(_title(trace, verdict.reference.setting.steps, narrow=narrow), fontsize=9)
        _loss(axes[0], trace)
        _sharpness(axes[1], trace)
    _strip(axes[-1], verdict)
    for panel in axes:
        _legend(panel, "first spike" if trace is not None and panel is axes[0] else None, above=narrow)
    return figure


def drawn(verdict: Verdict) -> bytes:
    """The figure as PNG; equal verdicts have equal bytes."""
    out = BytesIO()
    draw(verdict).savefig(out, format="png", dpi=110, metadata={"Software": None})
    return out.getvalue()


def svg(verdict: Verdict) -> str:
    """The figure as an SVG element without a background; equal verdicts have equal text.

    Lines and letters are `currentColor`, the claim's and its control's marks `var(--claim)` and `var(--control)`; identifiers
    begin with the claim's, so that one page can hold many.
    """
    out = StringIO()
    # Letters stay letters, to be read aloud and found; identifiers are hashes of what they name, not of the clock.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": verdict.id, "font.size": 9}):
        draw(verdict, narrow=True).savefig(
            out, format="svg", transparent=True, metadata={"Date": None, "Creator": None}
        )
    return themed(out.getvalue(), re.sub(r"[^\w-]", "", verdict.id))


def themed(element: str, own: str) -> str:
    """A figure that matplotlib wrote as an SVG element of a page, in the page's colours; its identifiers begin with `own`."""
    element = element[element.index("<svg") :].strip()
    element = re.sub(r"<metadata>.*?</metadata>", "", element, flags=re.DOTALL)
    element = re.sub(r"(\d\.\d\d)\d+", r"\1", element)  # a hundredth of a point is enough for any eye
    element = re.sub(r'\b(id="|xlink:href="#|href="#|url\(#)', rf"\g<1>{own}-", element)
    element = _GROUP_OF_MARKS.sub(_with_one_style, element)
    for colour, named in _THEMED.items():
        element = element.replace(colour, named)
    # Text without a colour of its own is black in SVG, whatever the page's is.
    return element.replace("<svg ", '<svg fill="currentColor" ', 1)


def _with_one_style(group: re.Match[str]) -> str:
    """A group whose marks all look alike says so once: a third of a figure's text is that."""
    begin, marks = group.groups()
    styles = set(_STYLE.findall(marks))
    if len(styles) != 1:
        return group.group()
    return f'<g{begin} style="{styles.pop()}">{_STYLE.sub("", marks)}</g>'


def _title(trace: Trace, steps: int, *, narrow: bool) -> str:
    part = f",{chr(10) if narrow else ' '}the first {trace.steps[-1]:,} of {steps:,} steps"
    return f"a run with a typical effect (seed {trace.seed}){part if trace.steps[-1] < steps - 1 else ''}"


def _loss(axes: Axes, trace: Trace) -> None:
    axes.semilogy(trace.steps, trace.loss, color="black", linewidth=0.8)
    _phases(axes, trace)
    axes.set_ylabel("training loss")
    axes.tick_params(labelbottom=False)


def _sharpness(axes: Axes, trace: Trace) -> None:
    """In units of the learning rate, in which the threshold of gradient descent is 2."""
    sharpness = np.array(trace.sharpness) * trace.lr
    axes.plot(trace.sharpness_steps, sharpness, ".-", markersize=3, color=CLAIM, linewidth=1.0, label="η λ_max")
    if trace.threshold is not None:
        threshold = trace.threshold * trace.lr
        axes.axhline(threshold, color="black", linestyle="--", linewidth=0.8, label=f"threshold: {threshold:.3g}")
    _phases(axes, trace, labelled=False)
    axes.set_xlabel("step")
    axes.set_ylabel("η λ_max")


def _legend(axes: Axes, title: str | None, *, above: bool) -> None:
    """Beside the panel or above it, where it covers nothing."""
    if not axes.get_legend_handles_labels()[0]:
        return
    if above:
        axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, borderaxespad=0.1, frameon=False, fontsize=8)
    else:
        axes.legend(
            loc="upper left",
            bbox_to_anchor=(1.0, 1.0),
            frameon=False,
            fontsize=8,
            title=title,
            title_fontsize=8,
            alignment="left",
        )


def _phases(axes: Axes, trace: Trace, *, labelled: bool = True) -> None:
    """The first spike's ascent, from onset to peak, and its descent, to where it has recovered; the peak is a line."""
    stretches = (("ascent", trace.onset, trace.peak, 0.3), ("descent", trace.peak, trace.recovery, 0.12))
    for name, first, last, strength in stretches:
        if first is not None and last is not None:
            label = f"{name}: {last - first:,} steps" if labelled else None
            axes.axvspan(first, last, color=CONTROL, alpha=strength, linewidth=0, label=label)
    if trace.peak is not None:
        axes.axvline(trace.peak, color=CONTROL, linewidth=0.8)


def _strip(axes: Axes, verdict: Verdict) -> None:
    which = decider(verdict.reference, rule_of(verdict))
    _dots(axes, 1.0, verdict.reference, CLAIM, "o", which)
    _dots(axes, 0.0, verdict.control, CONTROL, "x", which)
    axes.set_yticks([0.0, 1.0], ["control", "claim"])
    _limits(axes, verdict)
    axes.set_xlabel(inert(verdict.reference.effect.unit).replace("$", r"\$"))
    scores = [s for j in (verdict.reference, verdict.control) for s in j.scores if s is not None]
    if scores and max(map(abs, scores)) > 1e3 * (float(np.median(np.abs(scores))) or 1.0):
        axes.set_xscale("symlog")


def _limits(axes: Axes, verdict: Verdict) -> None:
    """Where an effect, or its average, must lie; and from where on it is worth a claim."""
    limits = [limit for limit in (verdict.floor, verdict.ceiling) if limit is not None]
    for limit, label in zip(limits, ("the rule's limit", None), strict=False):
        axes.axvline(limit, color="black", linestyle="--", linewidth=0.8, label=label)
    predicts = rule_of(verdict)
    if isinstance(predicts, Average) and predicts.worth:
        (limit,) = (limit for limit in (predicts.floor, predicts.ceiling) if limit is not None)
        worth = limit + predicts.worth if predicts.floor is not None else limit - predicts.worth
        axes.axvline(worth, color="black", linestyle=":", linewidth=0.8, label="worth a claim")


def _dots(axes: Axes, height: float, judgement: Judgement, colour: str, marker: str, which: Decider) -> None:
    """Every seed's effect, spread a little so that equal ones are seen, and the average that decides, or else the median."""
    scores = np.array([score for score in judgement.scores if score is not None])
    spread = 0.25 * np.sin(np.arange(len(scores)) * 2.4)
    axes.scatter(scores, height + spread, s=12, color=colour, marker=marker, linewidths=0.8, alpha=0.7)
    estimate, low, high = of_average(judgement.effect, which)
    if estimate is not None and low is not None and high is not None:
        axes.plot([low, high], [height - 0.42] * 2, color="black", linewidth=1.5)
        axes.plot([estimate], [height - 0.42], color="black", marker="|", markersize=9)
