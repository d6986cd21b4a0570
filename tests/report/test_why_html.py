"""An answer as a web page: escaped, the same again, and without anything to fetch."""

import re

import pytest

from spikecheck.core.why import Answer, Outcome
from spikecheck.report.why_html import why_html
from tests.report.planted_why import FORMS, HOSTILE, answer


@pytest.mark.parametrize("found", FORMS)
def test_every_form_is_written_and_is_the_same_again(found: Answer) -> None:
    page = why_html(found)
    assert why_html(found) == page
    assert ("<svg" in page) == bool(found.losses)
    assert page.count("<tr") == (1 + len(found.arms) if found.arms else 0)


def test_hostile_names_do_nothing() -> None:
    page = why_html(answer(HOSTILE))
    assert page.count("<script>") == 1 and "<img" not in page and "{{ 7" in page
    assert "49" not in re.sub(r"<svg.*</svg>", "", page, flags=re.DOTALL)
    assert "\x1b" not in page and "\u202e" not in page


def test_a_wide_table_scrolls_by_itself_and_nothing_is_fetched() -> None:
    page = why_html(answer("x" * 300))
    assert '<div class="scroll" role="region" tabindex="0"' in page
    assert not re.search(r'(src|href)="(?!#)', page)
    assert re.search(r"<svg[^>]* viewBox=", page)


def test_the_sentence_has_the_colour_of_an_answer_with_a_cause_or_of_one_without() -> None:
    assert '<strong class="holds">The loss spike' in why_html(answer(losses=()))
    unnamed = answer(losses=(), outcome=Outcome.NO_CAUSE, cause=None, causes=())
    assert '<strong class="undecided">No cause' in why_html(unnamed)
