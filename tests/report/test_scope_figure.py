"""A map's figure: everything in it is written as well as shaded, and equal maps give equal files."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from spikecheck.core.judgement import Outcome
from spikecheck.core.scope import Axis
from spikecheck.core.setting import Setting
from spikecheck.report.cells import fill
from spikecheck.report.scope_figure import draw, drawn

Make = Callable[..., Any]
HOSTILE = (
    "$x_$ \x1b[31m <script>alert(1)</script> --> 関数 \u202e\nand a good deal more of the same, and yet more of it"
)


def cells_of(figure: Figure) -> tuple[Axes, list[Rectangle]]:
    axes = figure.axes[0]
    return axes, [patch for patch in axes.patches if isinstance(patch, Rectangle)]


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def test_every_cell_says_counts_interval_and_median_where_it_lies(scope: Make) -> None:
    figure = draw(scope(), Setting(), "heading")
    assert texts(figure) == [
        "✓ 60/64", "86-98 %", "median 0.0412", "✗ 12/64", "12-28 %", "median 0.0412",
        "? 48/64", "65-83 %", "median 0.0412", "∅ n=6", "of 64", "~ 40 lost", "of 64",
        "✓ 60/64", "86-98 %", "median 0.0412",
    ]  # fmt: skip
    places = [(int(text.get_position()[0]), int(text.get_position()[1])) for text in figure.axes[0].texts]
    assert places == [(0, 0)] * 3 + [(1, 0)] * 3 + [(2, 0)] * 3 + [(0, 1)] * 2 + [(1, 1)] * 2 + [(2, 1)] * 3


def test_what_may_be_read_is_shaded_and_the_rest_is_hatched_each_in_its_way(scope: Make) -> None:
    found = scope()
    _, patches = cells_of(draw(found, Setting(), "heading"))
    assert [patch.get_hatch() for patch in patches[:6]] == [None, None, None, "///", "xxx", None]
    for patch, cell in zip(patches, found.cells, strict=False):
        expected = fill(cell) or (255, 255, 255)
        assert to_rgb(patch.get_facecolor()) == pytest.approx([part / 255 for part in expected])


def test_the_reference_is_outlined_and_only_where_it_is_a_cell(scope: Make) -> None:
    _, patches = cells_of(draw(scope(), Setting(), "heading"))
    assert [(int(p.get_x()), int(p.get_y())) for p in patches[6:] if not p.get_fill()] == [(1, 0)]
    _, patches = cells_of(draw(scope(), Setting(points=11), "heading"))
    assert len(patches) == 6


def test_axes_have_names_meanings_and_values(scope: Make) -> None:
    axes, _ = cells_of(draw(scope(), Setting(), "heading"))
    assert (axes.get_xlabel(), axes.get_ylabel().replace("\n", " ")) == (
        "lr (learning rate)",
        "width (neurons a hidden layer)",
    )
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0.05", "0.1", "0.2"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["20", "50"]
    assert (axes.get_xlim(), axes.get_ylim()) == ((0, 3), (0, 2))


def test_the_bar_is_centred_at_the_required_share(scope: Make) -> None:
    bar = draw(scope(), Setting(), "heading").axes[1]
    assert [label.get_text() for label in bar.get_yticklabels()] == ["0 %", "40 %", "80 %", "90 %", "100 %"]
    low, middle, high = (bar.transData.transform((0, share))[1] for share in (0.0, 0.8, 1.0))
    assert middle - low == pytest.approx(high - middle)
    assert "80 % required" in bar.get_ylabel()


def test_where_an_average_decides_the_shades_are_outcomes_and_no_share_is_required(scope: Make, average: Make) -> None:
    found = scope()
    kinds = (Outcome.HOLDS, Outcome.FAILS, Outcome.UNDECIDED)
    cells = tuple(average(kinds[place % 3], cell.setting) for place, cell in enumerate(found.cells))
    figure = draw(found.model_copy(update={"cells": cells}), Setting(points=11), "heading")
    assert texts(figure)[:6] == [
        "✓ 60/64",
        "0.031 to 0.055",
        "mean 0.0431",
        "✗ 12/64",
        "-0.011 to 0.015",
        "mean 0.0021",
    ]
    legend = figure.axes[0].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [f"the mean decides: {outcome}" for outcome in kinds]
    assert not figure.axes[1].axison
    assert "the mean is that of: gain of mean |cos|" in " ".join(figure.get_supxlabel().split())
    figure.draw_without_rendering()
    axes, patches = cells_of(figure)
    assert max(text.get_window_extent().width for text in axes.texts) < patches[0].get_window_extent().width


def test_the_legend_explains_what_occurs(scope: Make, judgement: Make) -> None:
    legend = draw(scope(), Setting(), "heading").axes[0].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [
        "the reference setting", "untriggered: applies to n < 14 seeds", "lost: numerical failures in most seeds",
    ]  # fmt: skip
    found = scope()
    holding = tuple(judgement(Outcome.HOLDS, cell.setting) for cell in found.cells)
    plain = draw(found.model_copy(update={"cells": holding}), Setting(points=11), "heading")
    assert plain.axes[0].get_legend() is None


def test_heading_seeds_unit_and_the_rest_of_the_setting_stand_around_it(scope: Make) -> None:
    figure = draw(scope(), Setting(), "condensation: spikes condense")
    assert figure.get_suptitle() == "condensation: spikes condense"
    said = " ".join(figure.get_supxlabel().split())
    assert said.startswith(
        "64 seeds a cell; the median is that of: gain of mean |cos|. Elsewhere: problem=sines, target=sin x"
    )
    assert not re.search(r"\b(lr|width)=", said)


@pytest.mark.parametrize("columns", [2, 12])
def test_no_text_is_wider_than_its_cell(scope: Make, columns: int) -> None:
    figure = draw(scope(Axis(name="lr", values=tuple(1 + n / 100 for n in range(columns)))), Setting(), "heading")
    figure.draw_without_rendering()
    axes, patches = cells_of(figure)
    widest = max(text.get_window_extent().width for text in axes.texts)
    assert widest < patches[0].get_window_extent().width


@pytest.mark.parametrize("form", ["png", "svg"])
def test_equal_maps_have_equal_bytes(scope: Make, form: Any) -> None:
    first, second = (drawn(scope(), Setting(), "heading", form) for _ in range(2))
    assert first == second
    assert first.startswith(b"\x89PNG" if form == "png" else b"<?xml")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("form", ["png", "svg"])
def test_hostile_strings_are_drawn_as_they_read_and_warn_nobody(scope: Make, form: Any) -> None:
    x, y = Axis(name="target", values=("sin x", HOSTILE)), Axis(name="problem", values=("sines", f"a:{HOSTILE}"))
    content = drawn(scope(x, y, centre=Setting(model=HOSTILE)), Setting(), HOSTILE, form)
    assert b"<script" not in content
    assert b"\x1b[31m" not in content
