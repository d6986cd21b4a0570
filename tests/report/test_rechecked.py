"""What a report contradicts itself in, in the terminal."""

from collections.abc import Callable
from typing import Any

from spikecheck.report.rechecked import render_rechecked

Make = Callable[..., Any]


def test_contradictions_stand_under_their_claim_and_the_rest_is_counted(
    capture: Callable[..., str], report: Make, verdict: Make
) -> None:
    whole = report(verdict(), verdict(id="slas"), verdict(id="dose"))
    differences = {"slas": ["held is 60, and 59 follows", "a \x1b[31mcolour"]}
    text = capture(lambda console: render_rechecked(whole, differences, console))
    assert text.splitlines() == [
        "slas", "  held is 60, and 59 follows", "  a [31mcolour", "2 of 3 verdicts follow from their counts"
    ]  # fmt: skip


def test_a_sound_report_has_one_line(capture: Callable[..., str], report: Make, verdict: Make) -> None:
    text = capture(lambda console: render_rechecked(report(verdict()), {}, console))
    assert text == "1 of 1 verdict follows from its counts\n"
