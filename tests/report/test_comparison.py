"""The comparison of two files in the terminal."""

from collections.abc import Callable

import pytest

from spikecheck.core.comparison import Comparison, Kind, Line
from spikecheck.report.comparison import render_comparison

SAME: list[Kind] = ["same"]


def lines(*kinds: Kind) -> tuple[Line, ...]:
    return tuple(Line(f"claim-{n}", kind, f"was {n}", f"is {n}") for n, kind in enumerate(kinds))


def test_changes_are_listed_with_both_sides_and_the_rest_is_counted(capture: Callable[..., str]) -> None:
    found = Comparison("a.json", "b.json", lines("regressed", "improved", "same", "changed", "same"))
    text = capture(lambda console: render_comparison(found, console))
    head, *rest = text.splitlines()
    assert head == "a.json -> b.json"
    assert [line.split() for line in rest if line and line[0] != " " and "unchanged" not in line] == [
        ["regressed", "claim-0"], ["improved", "claim-1"], ["changed", "claim-3"]
    ]  # fmt: skip
    assert "before  was 0" in text and "after   is 0" in text
    assert "claim-2" not in text
    assert rest[-1] == "2 entries unchanged"


@pytest.mark.parametrize(
    ("same", "said"), [(0, "0 entries unchanged"), (1, "1 entry unchanged"), (1200, "1,200 entries")]
)
def test_what_is_unchanged_is_counted(capture: Callable[..., str], same: int, said: str) -> None:
    found = Comparison("a", "b", lines(*SAME * same))
    assert said in capture(lambda console: render_comparison(found, console))


def test_hostile_names_come_out_inert(capture: Callable[..., str]) -> None:
    hostile = "\x1b[31m[bold]x\n\u202e"
    found = Comparison(hostile, "b", (Line(hostile, "changed", hostile, hostile),))
    text = capture(lambda console: render_comparison(found, console), force_terminal=True, color_system=None)
    assert "\x1b" not in text and "\u202e" not in text
    assert text.count("[31m[bold]x ") == 4
