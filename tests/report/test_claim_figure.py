"""A claim's figure: well-formed, with its rule's limits, and with every mark."""

from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

from spikecheck.core.judgement import Outcome
from spikecheck.report.claim_figure import svg

Make = Callable[..., Any]


def test_the_rules_limits_are_drawn_where_they_are_known(verdict: Make) -> None:
    assert "the rule's limit" in svg(verdict(floor=0.0))
    assert "the rule's limit" not in svg(verdict())


def test_what_an_average_must_be_worth_is_drawn(guarded: Make) -> None:
    assert "worth a claim" in svg(guarded(estimand="mean"))
    assert "worth a claim" not in svg(guarded(estimand="median"))


def test_the_figure_is_well_formed_and_takes_the_pages_colours(verdict: Make) -> None:
    element = svg(verdict())
    ET.fromstring(element)
    assert "var(--claim)" in element
    assert "var(--control)" in element
    assert "currentColor" in element
    assert "#ffffff" not in element


def test_marks_that_look_alike_say_so_once_and_all_are_there(verdict: Make, judgement: Make) -> None:
    many = judgement(Outcome.HOLDS).model_copy(update={"scores": tuple(number / 100 for number in range(64))})
    element = ET.fromstring(svg(verdict(reference=many)))
    marks = [one for one in element.iter() if one.tag.endswith("use") and "style" not in one.attrib]
    groups = [one for one in element.iter() if one.tag.endswith("}g") and "fill: var(--claim)" in one.get("style", "")]
    assert len(marks) >= 64
    assert any(len(group) == 64 for group in groups)
