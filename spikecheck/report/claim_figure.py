"""A claim's figure, as PNG or as SVG for a web page: a typical run above, the effects of all seeds below."""

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

# Okabe and Ito's blue and vermilion differ under all common colour vision. In black and white the markers differ.
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
    """Draw two panels of the typical run, if there is one, and a strip of the seeds' effects.

    Args:
        verdict: what to draw.
        narrow: fit a phone's width: legends stand above their panels, and the figure is 4.3 inches wide.
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
    """The figure as PNG. Equal verdicts give equal bytes."""
    out = BytesIO()
    draw(verdict).savefig(out, format="png", dpi=110, metadata={"Software": None})
    return out.getvalue()


def svg(verdict: Verdict) -> str:
    """The figure as an SVG element without a background. Equal verdicts give equal text.

    Lines and text have the colour `currentColor`, the claim's markers `var(--claim)`, its control's `var(--control)`.
    Identifiers begin with the claim's id, so that one page can contain many figures.
    """
    out = StringIO()
    # Text stays text, so that screen readers and search find it. The salt makes identifiers reproducible.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": verdict.id, "font.size": 9}):
        draw(verdict, narrow=True).savefig(
            out, format="svg", transparent=True, metadata={"Date": None, "Creator": None}
        )
    return themed(out.getvalue(), re.sub(r"[^\w-]", "", verdict.id))


def themed(element: str, own: str) -> str:
    """Turn matplotlib's SVG into an element of a page, in the page's colours. Its identifiers begin with `own`."""
    element = element[element.index("<svg") :].strip()
    element = re.sub(r"<metadata>.*?</metadata>", "", element, flags=re.DOTALL)
    element = re.sub(r"(\d\.\d\d)\d+", r"\1", element)  # a hundredth of a point cannot be seen
    element = re.sub(r'\b(id="|xlink:href="#|href="#|url\(#)', rf"\g<1>{own}-", element)
    element = _GROUP_OF_MARKS.sub(_with_one_style, element)
    for colour, named in _THEMED.items():
        element = element.replace(colour, named)
    # SVG text without a colour is black, also on a dark page.
    return element.replace("<svg ", '<svg fill="currentColor" ', 1)


def _with_one_style(group: re.Match[str]) -> str:
    """Move a style that all marks of a group share to the group: this saves a third of the text."""
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
    """Sharpness times learning rate; the stability threshold of gradient descent is then 2."""
    sharpness = np.array(trace.sharpness) * trace.lr
    axes.plot(trace.sharpness_steps, sharpness, ".-", markersize=3, color=CLAIM, linewidth=1.0, label="η λ_max")
    if trace.threshold is not None:
        threshold = trace.threshold * trace.lr
        axes.axhline(threshold, color="black", linestyle="--", linewidth=0.8, label=f"threshold: {threshold:.3g}")
    _phases(axes, trace, labelled=False)
    axes.set_xlabel("step")
    axes.set_ylabel("η λ_max")


def _legend(axes: Axes, title: str | None, *, above: bool) -> None:
    """Place the legend beside the panel or above it, so that it covers no curve."""
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
    """Shade the first spike's ascent (onset to peak) and descent (peak to recovery); a line marks the peak."""
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
    """Lines at the rule's limits, and at the smallest effect worth a claim."""
    limits = [limit for limit in (verdict.floor, verdict.ceiling) if limit is not None]
    for limit, label in zip(limits, ("the rule's limit", None), strict=False):
        axes.axvline(limit, color="black", linestyle="--", linewidth=0.8, label=label)
    predicts = rule_of(verdict)
    if isinstance(predicts, Average) and predicts.worth:
        (limit,) = (limit for limit in (predicts.floor, predicts.ceiling) if limit is not None)
        worth = limit + predicts.worth if predicts.floor is not None else limit - predicts.worth
        axes.axvline(worth, color="black", linestyle=":", linewidth=0.8, label="worth a claim")


def _dots(axes: Axes, height: float, judgement: Judgement, colour: str, marker: str, which: Decider) -> None:
    """Every seed's effect, jittered so that equal ones stay visible, and the deciding average (or the median)."""
    scores = np.array([score for score in judgement.scores if score is not None])
    spread = 0.25 * np.sin(np.arange(len(scores)) * 2.4)
    axes.scatter(scores, height + spread, s=12, color=colour, marker=marker, linewidths=0.8, alpha=0.7)
    estimate, low, high = of_average(judgement.effect, which)
    if estimate is not None and low is not None and high is not None:
        axes.plot([low, high], [height - 0.42] * 2, color="black", linewidth=1.5)
        axes.plot([estimate], [height - 0.42], color="black", marker="|", markersize=9)
