"""The live line is one line, drawn seldom."""

import io
import sys

import pytest
from rich.console import Console

from spikecheck.core.watched import Look, Step
from spikecheck.report.watch_line import WatchLine


def shown(width: int = 80, encoding: str = "utf-8") -> tuple[WatchLine, io.TextIOWrapper, list[float]]:
    clock = [0.0]
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(file=file, force_terminal=True, width=width, legacy_windows=False)
    return WatchLine(console, lambda: clock[0]), file, clock


@pytest.mark.parametrize(("encoding", "width"), [("utf-8", 80), ("ascii", 80), ("utf-8", 40)])
def test_it_is_one_line_that_fits(encoding: str, width: int) -> None:
    line, file, clock = shown(width, encoding)
    for step in range(200):
        clock[0] += 1.0
        line.step(Step(step=step, loss=2.0 / (step + 1), lr=(0.1,), look=Look(overshoot=1.25)))
    line.close()
    file.flush()
    text = file.buffer.getvalue().decode(encoding)  # type: ignore[attr-defined]
    assert "overshoot" in text or width == 40
    assert text.count("\n") <= 1


def test_at_most_ten_updates_a_second() -> None:
    line, _, clock = shown()
    drawn = 0
    for step in range(1_000):
        clock[0] = step / 1_000
        before = line._last
        line.step(Step(step=step, loss=1.0))
        drawn += line._last != before
    line.close()
    assert 9 <= drawn <= 11


def test_what_the_user_prints_goes_where_it_went(capsys: pytest.CaptureFixture[str]) -> None:
    line, file, _ = shown()
    streams = sys.stdout, sys.stderr
    line.step(Step(step=1, loss=1.0))
    sys.stdout.write("the user's own\n")
    assert (sys.stdout, sys.stderr) == streams
    line.close()
    assert capsys.readouterr().out == "the user's own\n"
    file.flush()
    assert b"own" not in file.buffer.getvalue()  # type: ignore[attr-defined]


def test_a_warning_stays_and_its_brackets_with_it() -> None:
    line, file, _ = shown(200)
    line.step(Step(step=1, not_finite="nan"))
    line.warn("step 1: the loss is nan; rising: update of [body].0")
    line.close()
    file.flush()
    assert "update of [body].0" in file.buffer.getvalue().decode()  # type: ignore[attr-defined]
