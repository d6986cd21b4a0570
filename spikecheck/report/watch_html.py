"""A watched training's log as one self-contained HTML file."""

import math
from collections.abc import Callable, Sequence

from markupsafe import Markup

from spikecheck.report.watch_words import MEANING, OVERSHOOT_CAPTION, SPIKE_COLUMNS, about, heading, notes, spike_line
from spikecheck.report.web_page import rendered
from spikecheck.watch.summary import Summary

_WIDTH, _HEIGHT, _LEFT, _TOP = 860, 200, 70, 12
_POINTS = 1_000
"""Horizontal positions of a curve. Of the values at one position, the lowest and the highest are drawn."""


def watch_html(summary: Summary, name: str) -> str:
    """The page as text; `name` is the log's file name."""
    return rendered(
        "watch.html.j2",
        ["theme.js"],
        name=name,
        summary=summary,
        heading=heading(summary),
        about=about(summary),
        meaning=MEANING,
        columns=SPIKE_COLUMNS,
        spikes=[spike_line(spike, summary) for spike in summary.spikes],
        notes=list(notes(summary)),
        figures=_figures(summary),
    )


def _figures(summary: Summary) -> list[tuple[str, Markup]]:
    if not summary.losses:
        return []
    positive = all(loss > 0.0 for _, loss in summary.losses)
    onsets, first, last = [s.onset for s in summary.spikes], summary.steps[0].step, summary.steps[-1].step

    def panel(
        title: str, points: Sequence[tuple[int, float]], label: Callable[[float], str], level: float | None
    ) -> Markup:
        return Markup(_svg(title, points, label, level=level, onsets=onsets, span=(first, max(last, first + 1))))

    losses = [(step, math.log10(loss) if positive else loss) for step, loss in summary.losses]
    shown = [
        (
            f"Loss{', log scale' if positive else ''}; dashed: where a spike begins",
            panel(
                "loss over steps", losses, (lambda v: f"{10.0**v:.3g}") if positive else (lambda v: f"{v:.3g}"), None
            ),
        )
    ]
    if summary.overshoots:
        drawn = panel("overshoot over steps", summary.drawn_overshoots, lambda v: f"{v:.2f}", 1.0)
        shown.append((OVERSHOOT_CAPTION[:1].upper() + OVERSHOOT_CAPTION[1:], drawn))
    return shown


def _svg(
    title: str,
    points: Sequence[tuple[int, float]],
    label: Callable[[float], str],
    *,
    level: float | None,
    onsets: Sequence[int],
    span: tuple[int, int],
) -> str:
    values = [value for _, value in points] + ([] if level is None else [level])
    low, high = min(values), max(values)

    def x(step: int) -> float:
        return _LEFT + (_WIDTH - _LEFT - 10) * (step - span[0]) / (span[1] - span[0])

    def y(value: float) -> float:
        return _TOP + (_HEIGHT - _TOP - 28) * (high - value) / ((high - low) or 1.0)

    line = " ".join(f"{x(step):.1f},{y(value):.1f}" for step, value in _thinned(points))
    parts = [f'<polyline points="{line}" fill="none" stroke="var(--claim)" stroke-width="1.3"/>']
    if level is not None:
        parts.append(_rule((_LEFT, y(level)), (_WIDTH - 10, y(level)), "2 4", "var(--ink)"))
    parts += [_rule((x(onset), _TOP), (x(onset), _HEIGHT - 28), "5 4", "var(--control)") for onset in onsets]
    ticks = {high: y(high), low: y(low)} | ({} if level is None else {level: y(level)})
    parts += [_text(_LEFT - 6, at + 4, label(value), "end") for value, at in ticks.items()]
    parts += [
        _text(x(step), _HEIGHT - 8, f"{step:,}", anchor) for step, anchor in ((span[0], "start"), (span[1], "end"))
    ]
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" role="img" aria-label="{title}">{"".join(parts)}</svg>'
    )


def _thinned(points: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    if len(points) <= 2 * _POINTS:
        return list(points)
    size = math.ceil(len(points) / _POINTS)
    groups = [points[at : at + size] for at in range(0, len(points), size)]
    ends = [{min(group, key=lambda p: p[1]), max(group, key=lambda p: p[1])} for group in groups]
    return [point for group in ends for point in sorted(group)]


def _rule(start: tuple[float, float], end: tuple[float, float], dashes: str, colour: str) -> str:
    place = f'x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}"'
    return f'<line {place} stroke="{colour}" stroke-dasharray="{dashes}"/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="12" fill="currentColor">{text}</text>'
