"""The interval as a bar, and on which side of the required share it lies."""

from collections.abc import Callable
from typing import Any

import pytest

from spikecheck.core.judgement import Outcome
from spikecheck.report.evidence import interval_bar

Make = Callable[..., Any]
OUTCOMES = list(Outcome)


@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_interval_lies_on_the_side_of_the_mark_that_it_is_on(
    judgement: Make, outcome: Outcome, *, ascii_only: bool
) -> None:
    found = judgement(outcome)
    bar, beneath = (line.plain for line in interval_bar(found, ascii_only=ascii_only))
    left, right, mark = "[]^" if ascii_only else "├┤▲"
    ends = [column for column, character in enumerate(bar) if character in left + right + "●*"]
    assert (ends[0] >= beneath.index(mark)) == (found.low >= found.required)
    assert (ends[-1] < beneath.index(mark)) == (found.high < found.required)
    assert len(beneath) <= 67
