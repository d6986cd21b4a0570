"""What is said while claims are verified."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rich.console import Console

from spikecheck.core.events import (
    ClaimFinished,
    ClaimStarted,
    Event,
    SettingJudged,
    StageStarted,
    StoreTrouble,
    TileAdvanced,
    TileStored,
    WorkPlanned,
)
from spikecheck.core.judgement import Outcome
from spikecheck.core.setting import Setting
from spikecheck.report.live import Lines, Live, Silent, watcher
from spikecheck.report.tally import Tally

Make = Callable[..., Any]


class Stream(io.StringIO):
    """A stream that is or is not a terminal."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.fixture
def story(verdict: Make, judgement: Make) -> list[Event]:
    return [
        ClaimStarted("condensation", 1, 2, before=0.0, share=0.4, settings=4),
        StageStarted("condensation", "reference", 1, 64),
        WorkPlanned(1_000, 10),
        TileAdvanced(600),
        TileStored(16, 20),
        SettingJudged("condensation", "reference", Setting(), judgement(Outcome.HOLDS)),
        StageStarted("condensation", "descent", 0, 32),
        ClaimFinished(verdict(generalises=Outcome.FAILS)),
    ]


def clock(*times: float) -> Callable[[], float]:
    """A clock that shows these times in turn, and the last one ever after."""
    left: Iterator[float] = iter(times)
    last = 0.0

    def read() -> float:
        nonlocal last
        last = next(left, last)
        return last

    return read


@pytest.mark.parametrize(
    ("terminal", "env", "kind"),
    [
        (True, {}, Live),
        (False, {}, Lines),
        (False, {"FORCE_COLOR": "1"}, Lines),
        (True, {"CI": "true"}, Lines),
        (True, {"TERM": "dumb"}, Lines),
    ],
)
def test_the_display_suits_the_stream(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, env: dict[str, str], kind: type
) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    console = Console(file=Stream(terminal=terminal))
    assert type(watcher(console, quiet=False)) is kind
    assert type(watcher(console, quiet=True)) is Silent


def test_a_log_gets_a_line_for_each_stage_and_each_finished_claim(story: list[Event]) -> None:
    out = Stream(terminal=False)
    with Lines(Console(file=out, width=40), clock=lambda: 0.0) as observe:
        for event in story:
            observe(event)
    figures = "1 setting judged, 20 spikes found, 16 runs trained, 10 reused; 10 % of all, about 0:00 left"
    assert out.getvalue().splitlines() == [
        "[ 0:00] condensation: reference, 1 setting x 64 seeds",
        "[ 0:00] condensation: replicates ✓ HOLDS, generalises ✗ FAILS; " + figures,
    ]


def test_between_them_a_log_gets_a_line_every_ten_seconds_at_most() -> None:
    out = Stream(terminal=False)
    now = 0.0
    lines = Lines(Console(file=out), clock=lambda: now)
    lines(StageStarted("c", "search", 5, 32))
    lines(WorkPlanned(1_000, 0))
    for second in range(35):
        now = float(second)
        lines(TileAdvanced(10))
    said = out.getvalue().splitlines()
    assert len(said) == 1 + 3
    assert "11 %, 1:20 left, 11 member-steps/s" in said[1]


def test_trouble_with_the_store_is_told_even_when_quiet(story: list[Event]) -> None:
    out = Stream(terminal=False)
    with watcher(Console(file=out), quiet=True) as observe:
        for event in [*story, StoreTrouble("run is damaged\x1b[2J; it is trained again")]:
            observe(event)
    assert out.getvalue() == "warning: run is damaged[2J; it is trained again\n"


def test_the_screen_shows_claim_stage_bar_and_figures(story: list[Event]) -> None:
    out = Stream(terminal=True)
    console = Console(file=out, width=80, force_terminal=True, color_system=None)
    live = Live(console)
    for event in story[:-2]:
        live(event)
    with console.capture() as shown:
        console.print(live._shown())
    text = shown.get()
    for said in ("condensation", "claim 1 of 2", "reference, 1 setting x 64 seeds", "60 %", "20 spikes", "10 % of all"):
        assert said in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_the_screen_is_left_clean_when_the_work_raises(story: list[Event]) -> None:
    out = Stream(terminal=True)

    def work() -> None:
        with Live(Console(file=out, force_terminal=True, width=80)) as observe:
            observe(story[0])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    text = out.getvalue()
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")  # the cursor is there again
    assert text.endswith("\x1b[2K")  # and the display's lines are erased


def test_hostile_names_are_no_markup_on_the_screen() -> None:
    out = Stream(terminal=True)
    console = Console(file=out, force_terminal=True, color_system=None, width=80)
    live = Live(console)
    live(ClaimStarted("[red]x[/nope]\x1b[2J", 1, 1))
    with console.capture() as shown:
        console.print(live._shown())
    assert "[red]x[/nope][2J" in shown.get()


def test_rate_and_time_left_are_those_of_the_stage() -> None:
    tally = Tally(clock(0.0, 10.0, 20.0, 20.0))
    tally.add(StageStarted("c", "search", 1, 1))
    tally.add(WorkPlanned(400, 0))
    assert tally.speed() == ""
    tally.add(TileAdvanced(100))
    assert tally.rate == 10.0
    assert tally.speed() == "25 %, 0:30 left, 10 member-steps/s"
    tally.add(StageStarted("c", "confirmation", 1, 1))
    assert (tally.planned, tally.made) == (0, 0)


def test_the_bar_over_all_claims_follows_the_settings_judged_and_estimates_the_rest(story: list[Event]) -> None:
    judged = next(event for event in story if isinstance(event, SettingJudged))
    tally = Tally(clock(0.0, 60.0))
    tally.add(ClaimStarted("a", 1, 2, before=0.0, share=0.75, settings=3))
    assert tally.overall() == "0 % of all"
    tally.add(judged)
    assert tally.progress == 0.25
    assert tally.overall() == "25 % of all, about 3:00 left"
    for _ in range(9):  # more than was expected
        tally.add(judged)
    assert tally.progress == 0.75
    tally.add(ClaimStarted("b", 2, 2, before=0.75, share=0.25, settings=4))
    assert tally.progress == 0.75
    tally.add(StageStarted("b", "search", 2, 32))
    tally.add(WorkPlanned(100, 0))
    tally.add(TileAdvanced(50))
    assert tally.progress == 0.75 + 0.25 * 1 / 4  # half of two settings
    tally.add(judged)
    tally.add(judged)
    assert tally.progress == 0.75 + 0.25 * 2 / 4
