"""What a gate would train, and find, in the terminal."""

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from spikecheck.core.gate_outlook import Finds, GateOutlook, TuningOutlook
from spikecheck.core.scorecard import SuiteSetting
from spikecheck.core.setting import Setting
from spikecheck.report.gate_plan import render_gate_plan

ANYWHERE = Finds(where="all settings", trainings=16, spreads=1.234, spiking=5)


def shown(width: int = 100, **changes: Any) -> str:
    places = (
        SuiteSetting(name="sines", setting=Setting(steps=3_000)),
        SuiteSetting(name="batches", setting=Setting(steps=500, batch=32)),
    )
    outlook = GateOutlook(**{"places": places, "seeds": 8, "finds": (ANYWHERE,)} | changes)
    out = StringIO()
    render_gate_plan(outlook, Console(file=out, width=width, color_system=None))
    return out.getvalue()


def test_every_setting_has_its_trainings_steps_and_batch() -> None:
    rows = [line.split() for line in shown().splitlines()]
    assert ["sines", "8", "3,000", "all"] in rows
    assert ["batches", "8", "500", "32"] in rows


def test_what_is_found_is_said_in_spreads_and_in_trainings_that_spike() -> None:
    text = " ".join(shown().split())
    assert "all settings: a mean is found to be worse from 1.2 standard deviations" in text
    assert "5 of 16 trainings that spike where none of the reference's does are named." in text
    few = " ".join(shown(finds=(ANYWHERE.model_copy(update={"spiking": None}),)).split())
    assert "no count of spiking trainings is large enough." in few


def test_a_warning_comes_first() -> None:
    assert shown(warning="too few seeds").startswith("warning: too few seeds\n")
    assert "warning" not in shown()


@pytest.mark.parametrize(("seeds", "said"), [(3, "11 rates on 3 seeds"), (1, "11 rates on 1 seed of")])
def test_tuning_adds_up(seeds: int, said: str) -> None:
    tuning = TuningOutlook(range="lr=1e-4..1e-1", rates=11, seeds=seeds, around=72)
    text = " ".join(shown(tuning=tuning).split())
    searched, compared = 11 * seeds, 8 * 2
    assert f"up to {searched + compared + 72} trainings a side: {searched} to find its best rate" in text
    assert said in text and f"{compared} there, and up to 72 at rates around it." in text


def test_hostile_names_are_no_markup() -> None:
    hostile = SuiteSetting(name="[red]x[/red]\x1b[31m", setting=Setting(steps=1))
    text = shown(places=(hostile,))
    assert "[red]x[/red]" in text and "\x1b" not in text
