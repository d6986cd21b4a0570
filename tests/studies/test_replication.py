"""Two reports of the same claims, side by side."""

import pytest

from spikecheck.report.json_file import read
from studies.replication import REPORTS, compared, page

ONE = read(REPORTS / "reproduction.json.gz")


def test_a_report_agrees_with_itself() -> None:
    assert all(claim.same and claim.held[0] == claim.held[1] and not claim.differing for claim in compared(ONE, ONE))
    assert page(ONE, ONE).endswith("\nnone\n")


def test_another_verdict_and_another_answer_are_named() -> None:
    first = ONE.claims[0]
    answer = next(answer for answer in first.answers if answer.outcome != "holds")
    changed = answer.model_copy(update={"outcome": "holds", "reason": "planted"})
    other = first.model_copy(
        update={
            "replicates": "holds",
            "answers": tuple(changed if one is answer else one for one in first.answers),
        }
    )
    assert first.replicates != "holds"
    report = ONE.model_copy(update={"claims": (other, *ONE.claims[1:])})
    text = page(ONE, report)
    assert f"**{len(ONE.claims) - 1} of {len(ONE.claims)} verdicts are the same**" in text
    assert f"- `{first.id}`, {answer.role}: {answer.outcome}, holds (planted)" in text


def test_other_seeds_are_not_compared() -> None:
    with pytest.raises(ValueError, match="different claims or seeds"):
        compared(ONE, ONE.model_copy(update={"seed": 1}))


def test_the_page_is_that_of_the_published_reports() -> None:
    assert (REPORTS / "replication.md").read_text() == page(ONE, read(REPORTS / "replication.json.gz"))
