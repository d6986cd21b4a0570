"""Further negative controls are told wherever an answer is: on the terminal, on the web page, and in Markdown."""

from collections.abc import Callable
from typing import Any

import pytest

from spikecheck.core.judgement import Answer, ConditionJudged, Contrast, FurtherControl, Judgement, Outcome
from spikecheck.core.verdict import Verdict
from spikecheck.report.controls import Mark, also_negative, contrasted, negative, planted, signed
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


@pytest.mark.parametrize("estimand", ["share", "mean"])
def test_a_control_that_holds_is_bad_news_however_far_the_claim_exceeds_it(
    guarded: Make, judgement: Make, average: Make, estimand: str
) -> None:
    found = guarded(estimand=estimand).answers[0]
    held: Judgement = (judgement if estimand == "share" else average)(Outcome.HOLDS)
    marks = {}
    for outcome in (Outcome.HOLDS, Outcome.FAILS):
        contrast: Contrast = found.contrast.model_copy(update={"outcome": outcome})
        marks[outcome] = negative(found.model_copy(update={"control": held, "contrast": contrast})).mark
    assert marks == {Outcome.HOLDS: Mark.BAD, Outcome.FAILS: Mark.BAD}


def test_what_a_contrast_without_figures_says(guarded: Make) -> None:
    found = guarded().answers[0]
    none = Contrast(outcome=Outcome.UNTRIGGERED, estimate=None, low=None, high=None, margin=0.2, pairs=3)
    told = contrasted(found.model_copy(update={"contrast": none}))
    assert told is not None
    assert told.text == "only 3 seeds to which both claim and negative control apply: too few to compare"
    assert told.mark is Mark.BAD
    assert contrasted(found.model_copy(update={"contrast": None})) is None


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Outcome.HOLDS, "✓ planted effect found in 60 of 64"),
        (Outcome.FAILS, "✗ planted effect NOT found: in 12 of 64"),
        (Outcome.UNDECIDED, "? planted effect not clearly found: in 48 of 64"),
        (Outcome.UNTRIGGERED, "? planted effect could not be judged: applicable in 6 seeds"),
    ],
)
def test_what_the_positive_control_did_is_told_in_words(
    guarded: Make, judgement: Make, outcome: Outcome, said: str
) -> None:
    told = planted(guarded().answers[0].model_copy(update={"positive": judgement(outcome)}))
    assert told is not None
    assert signed(told) == said
