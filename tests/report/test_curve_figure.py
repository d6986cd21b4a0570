"""Both sides' losses as an SVG: a line and a band each, whatever diverged."""

import re

import pytest

from spikecheck.core.scorecard import Band
from spikecheck.report.curve_figure import _top, curves_svg

FINE = Band(steps=(0, 10, 20), low=(0.9, 0.4, 0.1), median=(1.0, 0.5, 0.2), high=(1.1, 0.6, 0.3))
LOST = Band(steps=(0, 10, 20), low=(0.9, 0.4, None), median=(1.0, None, None), high=(1.1, None, None))


def words(svg: str) -> list[str]:
    return re.findall(r">([^<>]+)</text>", svg)


def test_each_side_has_its_name_and_the_axes_theirs() -> None:
    svg = curves_svg({"candidate": FINE, "reference": FINE}, "sines")
    assert {"candidate", "reference", "step", "training loss"} <= set(words(svg))
    assert "reference" not in words(curves_svg({"candidate": FINE}, "sines"))


def test_a_figure_is_the_same_again_and_ids_belong_to_its_name() -> None:
    sides = {"candidate": FINE, "reference": LOST}
    assert curves_svg(sides, "sines") == curves_svg(sides, "sines")
    one, other = (set(re.findall(r' id="([^"]+)"', curves_svg(sides, name))) for name in ("sines", "batches 32"))
    assert one and other and not one & other


@pytest.mark.parametrize("sides", [{"candidate": LOST}, {"candidate": LOST, "reference": FINE}])
def test_what_diverged_is_drawn_as_far_as_it_went(sides: dict[str, Band]) -> None:
    svg = curves_svg(sides, "x")
    assert svg.startswith("<svg") and "nan" not in svg.lower() and "inf" not in svg.lower()


def test_the_band_of_a_side_that_diverged_is_open_at_its_largest_finite_value() -> None:
    assert _top(LOST) == 1.1
    assert _top(FINE) == 1.1
    assert _top(Band(steps=(0,), low=(None,), median=(None,), high=(None,))) == 1.0
