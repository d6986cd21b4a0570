"""The counts of a self-test in the terminal."""

from collections.abc import Callable

from spikecheck.report.page import Page
from spikecheck.report.selftest_page import render_counts
from spikecheck.stats.counts import Count

COUNTS = (
    Count("a fair coin", "heads", 1_000, 2_000, 0.478, 0.522),
    Count("a fair coin", "ten in a row", 3, 2_000, 0.0003, 0.0044, promised=0.05),
    Count("another coin", "heads", 1_900, 2_000, 0.94, 0.959, promised=0.5, broken=True),
)


def shown(capture: Callable[..., str], encoding: str = "utf-8") -> list[str]:
    text = capture(lambda console: render_counts(COUNTS, Page(console)), encoding=encoding)
    return text.splitlines()


def test_every_world_is_named_once_above_its_counts(capture: Callable[..., str]) -> None:
    lines = shown(capture)
    assert [line for line in lines[:5] if not line.startswith(" ")] == ["a fair coin", "another coin"]
    assert lines[1].split() == ["heads", "1,000/2,000", "50.0", "%", "47.8", "to", "52.2", "%"]
    assert "at most" not in lines[1]
    assert lines[2].endswith("at most 5 % ✓") and lines[4].endswith("at most 50 % ✗")
    assert max(map(len, lines)) == 80


def test_columns_stand_below_one_another(capture: Callable[..., str]) -> None:
    lines = shown(capture)
    assert lines[1].index("/2,000") == lines[2].index("/2,000") == lines[4].index("/2,000")
    assert all(lines[place][: len(lines[1])].endswith(" %") for place in (1, 2, 4))


def test_an_ascii_stream_gets_ascii(capture: Callable[..., str]) -> None:
    lines = shown(capture, "ascii")
    assert lines[2].endswith("at most 5 % +") and lines[4].endswith("at most 50 % x")
    assert all(line.isascii() for line in lines)
