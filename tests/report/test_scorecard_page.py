"""The gate's web page: complete, inert, the worst row first, both sides' curves, and what could have been found."""

import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from spikecheck.core.scorecard import Band, Change, Decision, OptimizerSpec, Row, Scorecard, SuiteSetting
from spikecheck.core.setting import Setting
from spikecheck.gate.comparison import decided
from spikecheck.report.curve_figure import curves_svg
from spikecheck.report.scorecard_page import finds, refusal_html, scorecard_html, worst_first

HOSTILE = '\x1b[31m"><script>alert(1)</script><img src=x onerror=alert(2)> {{ 7 * 7 }} \u202e'


def row(name: str, change: Change, difference: float = 0.5, *, looks_worse: bool = False, **other: Any) -> Row:
    figures = {"candidate": 1.5, "reference": 1.0, "difference": difference, "low": difference - 0.1}
    given = {"unit": "log10", "p_worse": 0.01, "p_better": 1.0, "pairs": 16, "detectable": 0.3, "margin": 0.1}
    return Row(name=name, change=change, looks_worse=looks_worse, high=difference + 0.1, **figures, **given | other)


def band(height: float) -> Band:
    return Band(steps=(0, 9, 19), median=(height,) * 3, low=(height / 2,) * 3, high=(height * 2, None, height * 2))


def card(*rows: Row, **changes: Any) -> Scorecard:
    who = OptimizerSpec(optimizer="mine.py:Adam", lr=0.1)
    decision, undecided = decided(rows, 16)
    given: dict[str, Any] = {
        "passed": decision is Decision.PASSED,
        "command": "spikecheck gate",
        "environment": {"spikecheck": "0.1.0", "device": "cpu"},
        "candidate": who,
        "against": "trained beside it",
        "places": (SuiteSetting(name="sines", setting=Setting()),),
        "curves": {"candidate": {"sines": band(1.0)}, "reference": {"sines": band(0.5)}},
    }
    return Scorecard(
        decision=decision, undecided=undecided, reference=who, alpha=0.05, seeds=16, root=0, rows=rows, runs_trained=1,
        runs_reused=0, seconds=1.0, **given | changes,
    )  # fmt: skip


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).replace("\u00a0", " ").split())


MIXED = (
    row("same", Change.SAME, 0.0),
    row("a little worse", Change.WORSE, 0.3),
    row("unsure", Change.UNDECIDED, 0.4),
    row("far worse", Change.WORSE, 2.0),
    row("suspect", Change.UNDECIDED, 0.9, looks_worse=True),
)


def test_what_is_worst_comes_first() -> None:
    found = [one.name for one in worst_first(MIXED)]
    assert found == ["far worse", "a little worse", "suspect", "same", "unsure"]
    page = scorecard_html(card(*MIXED))
    places = [page.index(f'<th scope="row">{name}') for name in found]
    assert places == sorted(places)


def test_the_page_has_the_answer_the_sides_the_power_and_the_environment() -> None:
    text = text_of(scorecard_html(card(*MIXED)))
    assert "REGRESSION: worse in a little worse, far worse" in text
    assert "candidate mine.py:Adam (lr=0.1)" in text
    assert "finds a difference of 0.3 with 80 % power" in text
    assert "difference +2, interval +1.9 to +2.1, margin 0.1" in text
    assert "device cpu" in text
    assert scorecard_html(card(*MIXED)) == scorecard_html(card(*MIXED))


def test_where_nothing_could_be_found_that_is_said() -> None:
    assert finds(row("spikes", Change.UNDECIDED, detectable=None)) == "finds no difference: too few trainings"


def test_both_sides_have_a_curve_and_one_side_alone_says_so() -> None:
    page = scorecard_html(card(row("spikes", Change.SAME)))
    assert 'aria-label="Training loss in sines: candidate and reference"' in page
    assert "the other side kept no curve" not in page
    alone = scorecard_html(
        card(row("spikes", Change.SAME), curves={"candidate": {"sines": band(1.0)}, "reference": {}})
    )
    assert "Only the candidate: the other side kept no curve." in alone
    assert "This scorecard keeps no curves." in scorecard_html(card(row("spikes", Change.SAME), curves={}))


def test_the_figure_is_well_formed_in_the_pages_colours_and_ends_where_there_is_no_number() -> None:
    figure = curves_svg({"candidate": band(1.0), "reference": band(0.5)}, "curves-0")
    ET.fromstring(figure)
    assert "var(--claim)" in figure
    assert "var(--control)" in figure
    assert figure == curves_svg({"candidate": band(1.0), "reference": band(0.5)}, "curves-0")
    gone = Band(steps=(0, 9), median=(1.0, None), low=(0.5, None), high=(None, None))
    assert "nan" not in curves_svg({"candidate": gone}, "curves-1").lower()


@pytest.mark.parametrize("made", ["card", "refusal"])
def test_a_users_strings_come_out_inert_and_nothing_foreign_may_run(made: str) -> None:
    hostile = card(
        row(HOSTILE, Change.WORSE, where=HOSTILE, unit=HOSTILE),
        candidate=OptimizerSpec(optimizer=HOSTILE, lr=0.1),
        against=HOSTILE,
        command=HOSTILE,
        environment={HOSTILE: HOSTILE},
        places=(SuiteSetting(name=HOSTILE, setting=Setting()),),
        not_compared=(HOSTILE,),
        curves={"candidate": {HOSTILE: band(1.0)}, "reference": {HOSTILE: band(2.0)}},
    )
    page = scorecard_html(hostile) if made == "card" else refusal_html(HOSTILE)
    assert page.count("<script") == 1
    assert "<img" not in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert " 49 " not in page
    assert "default-src 'none'" in page
    assert not re.findall(r'(?:src|href)="(?!#)', page)
