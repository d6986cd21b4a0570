"""The figure of an answer: a panel for the run, one for each arm that is drawn, one for the overshoot."""

import re

import pytest

from spikecheck.core.why import Answer, Outcome, Signs
from spikecheck.report.why_figure import why_svg
from tests.report.planted_why import EMPTY, HOSTILE, answer

FEW = tuple((step, 1.0) for step in range(120, 140))


def titles(found: Answer) -> list[str]:
    texts = re.findall(r">([^<>]+)</text>", why_svg(found))
    return [text for text in texts if "forks" in text or text in ("the run", "overshoot before the spike")]


def test_there_is_a_panel_for_everything_that_is_known() -> None:
    assert titles(answer(losses=FEW)) == [
        "the run",
        "4 forks: placebo",
        "4 forks: half the rate",
        "overshoot before the spike",
    ]
    unnamed = answer(losses=FEW, signs=Signs(), outcome=Outcome.NO_CAUSE, causes=(), cause=None)
    assert titles(unnamed) == [
        "the run",
        "4 forks: placebo",
    ]


@pytest.mark.parametrize("losses", [(), ((3, 1.0),), ((3, None), (4, None), (5, 2.0))])
def test_fewer_than_two_losses_are_no_figure(losses: tuple[tuple[int, float | None], ...]) -> None:
    assert why_svg(answer(losses=losses)) == ""
    assert why_svg(EMPTY) == ""


def test_a_name_is_no_mathematics_and_no_wider_than_the_panel() -> None:
    shown = [title for title in titles(answer(HOSTILE, losses=FEW)) if "forks" in title]
    assert all("$" not in title and "\\" not in title for title in shown)
    assert max(map(len, shown)) <= len("4 forks: ") + 40
