"""Exit codes of reports, and the shell lines that judge a setting again."""

from itertools import product

import pytest

from spikecheck.core.judgement import Outcome
from spikecheck.core.setting import Setting
from spikecheck.core.verdict import Report, Verdict, exit_code
from tests.commands.planted import FAILS, HOLDS, UNDECIDED, verdict

REFERENCE = Setting()


def report(*verdicts: Verdict, **changes: object) -> Report:
    whole = Report(passed=False, command="", profile="quick", seed=0, environment={}, claims=verdicts)
    return whole.model_copy(update=changes)


@pytest.mark.parametrize(("replicates", "generalises"), list(product(Outcome, Outcome)))
@pytest.mark.parametrize("kind", ["law", "tendency"])
@pytest.mark.parametrize("strict", [False, True])
def test_what_one_verdict_leaves_with(kind: str, replicates: Outcome, generalises: Outcome, strict: bool) -> None:
    """Written out: a failure is 1, what is settled and passes 0, all else 3."""
    refuted = generalises is Outcome.FAILS
    passed = replicates is Outcome.HOLDS and not (kind == "law" and refuted)
    expected = 0 if passed else 3
    if replicates is Outcome.FAILS or (refuted and (kind == "law" or strict)):
        expected = 1
    assert exit_code(report(verdict("planted", kind, replicates, generalises)), strict=strict) == expected


GOOD, OPEN, BAD = (verdict("planted", "tendency", one, one) for one in (HOLDS, UNDECIDED, FAILS))


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (report(GOOD, GOOD), 0),
        (report(GOOD, OPEN), 3),
        (report(OPEN, BAD, GOOD), 1),
        (report(GOOD, complete=False), 3),
        (report(GOOD, unreadable={"mine.py": "no claim"}), 3),
        (report(BAD, complete=False), 1),
        (report(GOOD, left_out={"other": "has no formula"}), 0),
    ],
)
def test_what_a_report_leaves_with(found: Report, code: int) -> None:
    assert exit_code(found) == code
