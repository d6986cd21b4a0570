"""The progress display while claims are verified."""

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from spikecheck.core.events import (
    Busy,
    ClaimFinished,
    ClaimStarted,
    Event,
    RunsRead,
    SettingJudged,
    StageStarted,
    StoreTrouble,
    TileAdvanced,
    TileStored,
    WorkPlanned,
)
from spikecheck.core.judgement import Outcome
from spikecheck.core.setting import Setting
from spikecheck.core.work import TRAINING, Expected
from spikecheck.report.live import Lines, Live, Silent, watcher
from spikecheck.report.progress import Tally

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


def training(seconds: float) -> Expected:
    return Expected({TRAINING: seconds})


EXPECTED = (("reference", training(10.0)), ("search", training(30.0)))


@pytest.fixture
def story(verdict: Make, judgement: Make) -> list[Event]:
    return [
        ClaimStarted(
            "condensation",
            1,
            2,
            expected=(("reference", training(10.0)), ("search", training(30.0))),
            after=(training(60.0),),
        ),
        StageStarted("condensation", "reference", 1, 64),
        WorkPlanned(1_000, 10, {TRAINING: 10.0}),
        TileAdvanced(600, seconds=6.0),
        TileStored(16, 20),
        RunsRead(5),
        SettingJudged("condensation", "reference", Setting(), judgement(Outcome.HOLDS)),
        StageStarted("condensation", "descent", 0, 32),
        ClaimFinished(verdict(generalises=Outcome.FAILS)),
    ]


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
    figures = "1 setting judged, 25 spikes found, 16 runs trained, 10 reused; 9 %"
    assert out.getvalue().splitlines() == [
        "[ 0:00] condensation: reference, 1 setting x 64 seeds; 0 %",
        "[ 0:00] condensation: replicates ✓ HOLDS, generalises ✗ FAILS; " + figures,
    ]


def test_between_them_a_log_gets_a_line_every_ten_seconds_at_most() -> None:
    out = Stream(terminal=False)
    now = 0.0
    lines = Lines(Console(file=out), clock=lambda: now)
    lines(ClaimStarted("c", 1, 1, expected=(("search", training(98.5)),)))
    lines(StageStarted("c", "search", 5, 32))
    lines(WorkPlanned(1_000, 0, {TRAINING: 98.5}))
    for second in range(35):
        now = float(second)
        lines(TileAdvanced(10, seconds=1.0))
    said = out.getvalue().splitlines()
    assert len(said) == 1 + 3
    assert re.search(r"11 %, about 1:(2|3)\d left", said[1])


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
    for said in ("condensation", "claim 1 of 2", "reference, 1 setting x 64 seeds", "25 spikes", "6 %"):
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


def test_a_pause_has_its_name_and_a_command_that_foretells_nothing_no_percentage(story: list[Event]) -> None:
    tally = Tally()
    assert tally.progress() == "starting …"
    tally.add(StageStarted("doctor", "compared", 1, 0))
    assert (tally.stage, tally.progress()) == ("compared", "")
    for event in story[:4]:
        tally.add(event)
    tally.add(Busy("compiling"))
    assert tally.progress() == "6 %, compiling …"
    tally.add(Busy(""))
    assert tally.progress() == "6 %"
