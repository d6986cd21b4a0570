"""The bar of work that consists of equal parts."""

import io

import pytest
from rich.console import Console

from spikecheck.report.counting import counting


def shown(done: int, total: int | None, seconds: float) -> str:
    """The last line on a terminal of 80 columns after `done` parts took `seconds`."""
    screen, now = io.StringIO(), [0.0]
    console = Console(file=screen, force_terminal=True, width=80, color_system=None)
    bar = counting(console)
    bar.get_time = lambda: now[0]
    task = bar.add_task("parts", total=total)
    bar.advance(task, 0)
    now[0] = seconds
    bar.advance(task, done)
    console.print(bar.get_renderable())
    return screen.getvalue().splitlines()[-1].strip()


def test_share_and_time_left_have_the_words_of_the_other_displays() -> None:
    assert shown(25, 100, 20.0).endswith("25 %, about 1:00 left")


@pytest.mark.parametrize(("done", "total", "says"), [(0, None, "0 %"), (100, 100, "100 %")])
def test_nothing_is_estimated_before_the_first_part_and_after_the_last(done: int, total: int | None, says: str) -> None:
    assert shown(done, total, 5.0).endswith(f" {says}")


def test_a_pipe_gets_no_bar() -> None:
    stream = io.StringIO()
    with counting(Console(file=stream)) as bar:
        bar.advance(bar.add_task("parts", total=2))
    assert not stream.getvalue().strip()
