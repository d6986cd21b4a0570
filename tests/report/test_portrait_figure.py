"""A portrait as a figure: legends that hide no curve, whole neurons, and the same file twice."""

from pathlib import Path

import matplotlib.pyplot as plt
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from spikecheck.core.portrait import Portrait
from spikecheck.report.portrait_figure import draw, write
from tests.report.portraits import planted, without_neurons


def drawn(portrait: Portrait) -> Figure:
    figure = draw(portrait)
    FigureCanvasAgg(figure).draw()
    return figure


def panel(figure: Figure, title: str) -> Axes:
    return next(axes for axes in figure.axes if axes.get_title().startswith(title))


def named(axes: Axes) -> list[str]:
    legend = axes.get_legend()
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]


@pytest.mark.parametrize("suffix", ["png", "svg"])
@pytest.mark.parametrize("portrait", [planted(), without_neurons()], ids=["curve", "no curve"])
def test_it_is_drawn_alike_twice(portrait: Portrait, suffix: str, tmp_path: Path) -> None:
    files = [tmp_path / f"{name}.{suffix}" for name in "ab"]
    for file in files:
        write(portrait, file)
    assert files[0].stat().st_size > 10_000
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize("neurons", [2, 3, 5, 20])
def test_ticks_that_count_neurons_are_whole_numbers_from_one(neurons: int) -> None:
    """Regression: there was a neuron 2.5, and the first was neuron 0."""
    axes = panel(drawn(planted(neurons=neurons)), "|cos|")
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        seen = [tick for tick in axis.get_majorticklocs() if low <= tick <= high]
        assert seen == [round(tick) for tick in seen]
        assert 1 <= min(seen) <= max(seen) <= neurons
        assert axis.get_label_text() == "neuron"


def test_every_panel_of_curves_has_a_legend_that_hides_none_of_them() -> None:
    """Regression: that of the first was missing, the others lay on their curves."""
    figure = drawn(planted())
    curves = {
        "loss, and": ["loss (left)", "onset to peak", "peak to recovery", "recovery to end", "η λ_max (right)"],
        "growth": ["measured", "|1 - η λ_max|", "1: no growth"],
        "twins": ["through the spike: ends at mean |cos| 0.625, loss 0.1"],
        "the fitted": ["target", "before, step 180", "peak, step 265", "after, step 289"],
    }
    for title, labels in curves.items():
        axes = panel(figure, title)
        legend = axes.get_legend()
        assert legend is not None
        assert set(labels) <= set(named(axes))
        assert not legend.get_window_extent().overlaps(axes.get_window_extent())


def test_nothing_reaches_out_of_the_figure() -> None:
    figure = drawn(planted())
    whole = figure.bbox
    for axes in figure.axes:
        box = axes.get_tightbbox()
        assert box is not None
        assert whole.x0 <= box.x0 <= box.x1 <= whole.x1
        assert whole.y0 <= box.y0 <= box.y1 <= whole.y1


def test_the_fit_after_the_spike_is_that_of_when_it_is_over() -> None:
    """Regression: it was that of the recovery, in the middle of the descent."""
    portrait = planted()
    axes = panel(drawn(portrait), "the fitted")
    (after,) = [line for line in axes.get_lines() if line.get_label() == "after, step 289"]
    assert portrait.fit is not None
    assert after.get_ydata()[0] == portrait.fit.outputs[289 - 110][0]  # type: ignore[index]


def test_no_figure_is_left_open() -> None:
    drawn(planted())
    assert plt.get_fignums() == []
