"""An answer in the terminal: within the width, in ASCII where that is wanted, drawn even where little is known."""

from io import StringIO

import pytest
from rich.console import Console

from spikecheck.core.why import Answer
from spikecheck.report.page import Page
from spikecheck.report.why_page import render_why
from tests.report.planted_why import FORMS, HOSTILE, answer


def shown(found: Answer, width: int, encoding: str = "utf-8") -> str:
    out = StringIO()
    console = Console(file=out, width=width, color_system=None)
    page = Page(console)
    page.ascii_only = encoding != "utf-8"
    render_why(found, page)
    return out.getvalue()


@pytest.mark.parametrize("found", FORMS)
@pytest.mark.parametrize("width", [80, 100, 120])
def test_lines_keep_to_the_width(found: Answer, width: int) -> None:
    text = shown(found, width)
    assert max(map(len, text.splitlines())) <= min(width, 100)
    assert shown(found, width, "ascii").isascii() or "√" in text


def test_the_answer_comes_first_and_every_arm_has_a_row() -> None:
    lines = shown(answer(), 100).splitlines()
    assert lines[0].startswith("The loss spike at step 130 was caused by")
    rows = [line for line in lines if line.startswith(("placebo ", "half the rate ", "other batches ", "float32 "))]
    assert [row.split("  ")[0] for row in rows] == ["placebo", "half the rate", "other batches", "float32"]
    assert "4 of 4" in rows[1] and "does not apply" in rows[3]


def test_the_axis_marks_the_fork_and_the_onset() -> None:
    text = shown(answer(), 80)
    axis = next(line for line in text.splitlines() if line.lstrip().startswith("step"))
    forked, begins = axis.index("f"), axis.index("o")
    # 70 characters of curve for the steps 40 to 159: 30 steps from fork to onset are 18 of them
    assert begins - forked == pytest.approx(30 * 69 / 119, abs=1)
    assert "f: the forks begin" in text
    assert "f: the forks begin" not in shown(answer(start=None, end=None), 80)


def test_forks_have_the_runs_scale() -> None:
    """The placebo's forks reach 3 where the run's largest loss is 1: they leave at the top of its panel."""
    text = shown(answer(losses=tuple((step, 1.0 + (step == 130)) for step in range(40, 160))), 80).splitlines()
    panels = [number for number, line in enumerate(text) if line.startswith("forks, ")]
    run = next(number for number, line in enumerate(text) if line.startswith("loss of the run"))
    assert all(text[panel + 1][:10] == text[run + 1][:10] for panel in panels)


def test_hostile_names_do_nothing() -> None:
    text = shown(answer(HOSTILE), 80)
    assert "\x1b" not in text and "\u202e" not in text
