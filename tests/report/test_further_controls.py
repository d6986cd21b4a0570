"""Further negative controls are told wherever an answer is: on the terminal, on the web page, and in Markdown."""

from collections.abc import Callable
from typing import Any

import pytest

from spikecheck.core.judgement import Answer, ConditionJudged, Contrast, FurtherControl, Outcome
from spikecheck.core.verdict import Verdict
from spikecheck.report.controls import Mark, also_negative
from spikecheck.report.html import html
from spikecheck.report.markdown import markdown
from spikecheck.report.terminal import render

Make = Callable[..., Any]


def with_further(verdict: Verdict, outcome: Outcome, failing: ConditionJudged | None = None) -> Verdict:
    """The reference's answer with one more negative control, which comes out like this."""
    first: Answer = verdict.answers[0]
    assert first.control is not None
    conditions = () if failing is None else (failing,)
    contrast = Contrast(outcome=outcome, estimate=0.62, low=0.51, high=0.7, margin=0.5, pairs=60)
    judgement = first.control.model_copy(update={"conditions": conditions})
    further = FurtherControl(says="a stranger's <sharpness>", judgement=judgement, contrast=contrast)
    return verdict.model_copy(
        update={"answers": (first.model_copy(update={"also_not": (further,)}), *verdict.answers[1:])}
    )


@pytest.fixture
def forms(capture: Make) -> Callable[[Any], list[str]]:
    """A report on the terminal, as a web page and as Markdown, each on one line."""

    def told(report: Any) -> list[str]:
        terminal = capture(lambda console: render(report, console), width=120)
        return [" ".join(text.split()) for text in (terminal, html(report), markdown(report))]

    return told


def test_every_form_names_it_with_its_figures(report: Make, guarded: Make, forms: Callable[[Any], list[str]]) -> None:
    terminal, page, text = forms(report(with_further(guarded(), Outcome.HOLDS)))
    assert "a stranger's <sharpness>" in terminal
    assert "a stranger&#39;s &lt;sharpness&gt;" in page
    for form in (terminal, page, text):
        assert "0.62 (0.51 to 0.7)" in form
    for form in forms(report(guarded())):
        assert "0.62" not in form


def test_one_that_fails_a_condition_is_told_by_it(guarded: Make, condition: Make) -> None:
    (named,) = also_negative(with_further(guarded(estimand="mean"), Outcome.FAILS, condition(Outcome.FAILS)).answers[0])
    assert (named[1].mark, named[1].finding) == (Mark.GOOD, "failed, as it must")
    assert "rise of mean |cos|" in named[1].figures
    assert "exceeded" not in named[1].figures
