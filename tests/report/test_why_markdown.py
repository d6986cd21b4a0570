"""An answer as Markdown: one table, lists that are not empty, and nothing that a name could do."""

import re

import pytest

from spikecheck.core.why import Answer
from spikecheck.report.why_markdown import why_markdown
from spikecheck.report.why_words import COLUMNS
from tests.report.planted_why import EMPTY, FORMS, HOSTILE, answer


@pytest.mark.parametrize("found", FORMS)
def test_every_form_has_its_table_and_no_empty_list(found: Answer) -> None:
    text = why_markdown(found)
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) == (2 + len(found.arms) if found.arms else 0)
    assert all(row.count(" | ") == len(COLUMNS) - 1 for row in rows)
    assert all(re.match(r"## [^\n]+\n\n- ", part) for part in re.findall(r"## .*?(?=\n\n##|\Z)", text, re.DOTALL))
    assert text.endswith("\n") and "\n\n\n" not in text


def test_without_anything_there_is_the_sentence_alone() -> None:
    assert why_markdown(EMPTY) == "# Why did the loss spike?\n\n**No loss spike.**\n"


def test_remedies_come_before_what_was_watched_and_the_command_is_last() -> None:
    text = why_markdown(answer())
    places = [text.index(part) for part in ("## Remedies", "## Before the spike", "## Arms that", "## What this")]
    assert places == sorted(places)
    assert text.rstrip().endswith("`spikecheck diagnose --workload half the rate`")


def test_hostile_names_do_nothing() -> None:
    text = why_markdown(answer(HOSTILE))
    assert "\x1b" not in text and "\u202e" not in text
    assert "<script>" not in re.sub(r"\\<", "", text).split("`spikecheck")[0]
