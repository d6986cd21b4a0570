"""A watched log in the terminal: curves on one axis, the last spikes and warnings, and a count of the others."""

from io import StringIO

import pytest
from rich.console import Console

from spikecheck.report.page import Page
from spikecheck.report.watch_page import render_watch
from spikecheck.watch.summary import Summary
from tests.report.planted_log import log_of

FLAT: dict[int, float | None] = dict.fromkeys(range(100), 1.0)


def shown(summary: Summary, width: int = 80, *, ascii_only: bool = False) -> list[str]:
    out = StringIO()
    page = Page(Console(file=out, width=width, color_system=None))
    page.ascii_only = ascii_only
    render_watch(summary, page)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [80, 100, 120])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_lines_keep_to_the_width(width: int, ascii_only: bool) -> None:
    lines = shown(log_of(FLAT, {0: 0.5, 50: 2.0}, (40,), 3), width, ascii_only=ascii_only)
    assert max(map(len, lines)) <= min(width, 100)
    assert not ascii_only or all(line.isascii() for line in lines)


def test_an_empty_log_has_a_heading_and_no_curves() -> None:
    lines = shown(log_of({}))
    assert lines[0] == "No step was logged yet."
    assert not any(line.startswith(("loss", "overshoot,", "     step")) for line in lines)


@pytest.mark.parametrize(("least", "title"), [(0.5, "loss, log scale"), (0.0, "loss"), (-1.0, "loss")])
def test_the_scale_is_logarithmic_where_every_loss_is_positive(least: float, title: str) -> None:
    lines = shown(log_of({**FLAT, 7: least}))
    assert title in lines
    labels = [line.split("│")[0].strip() for line in lines if "│" in line]
    assert f"{least:.3g}" in labels and "1" in labels


def test_a_spike_is_marked_below_its_own_column() -> None:
    lines = shown(log_of(FLAT, None, (0, 99)))
    axis = next(line for line in lines if line.lstrip().startswith("step└"))
    assert axis.endswith("o") and axis[axis.index("└") + 1] == "o" and axis.count("o") == 2


@pytest.mark.parametrize(("count", "more"), [(8, False), (9, True), (20, True)])
def test_the_last_eight_are_listed_and_the_others_counted(count: int, more: bool) -> None:
    lines = shown(log_of(FLAT, None, tuple(range(count)), count))
    for what in ("spikes", "warnings"):
        assert (f"  the last 8 of {count} {what}; --html FILE shows all" in lines) == more
    listed = [line for line in lines if line.startswith("  step ") and "warning" in line]
    rows = lines.index(next(line for line in lines if line.startswith("  onset")))
    assert [int(line.split()[0]) for line in lines[rows + 1 : rows + 9]] == list(range(count - 8, count))
    assert len(listed) == 8 and f"warning {count - 1}" in listed[-1] and f"warning {count - 8}" in listed[0]


def test_overshoots_have_a_panel_where_there_are_any() -> None:
    assert not any(line.startswith("overshoot, at most") for line in shown(log_of(FLAT)))
    assert any(line.startswith("overshoot, at most") for line in shown(log_of(FLAT, {10: 0.5})))
