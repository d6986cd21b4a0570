"""Events are frozen values; the type that observers receive names all of them."""

import inspect
from dataclasses import FrozenInstanceError, fields, is_dataclass
from io import StringIO
from typing import get_args

import pytest
from rich.console import Console

from spikecheck.core import events
from spikecheck.core.events import Busy, ClaimStarted, Event, StoreTrouble, TileAdvanced, WorkPlanned, ignore
from spikecheck.report.live import Silent


def test_the_type_of_events_names_every_event_of_the_module() -> None:
    """An event that is missing there would be checked by no type where it is emitted or received."""
    here = [kind for _, kind in inspect.getmembers(events, inspect.isclass) if kind.__module__ == events.__name__]
    assert set(get_args(Event)) == set(here)
    assert all(is_dataclass(kind) for kind in here)


@pytest.mark.parametrize("event", [Busy("compiling"), TileAdvanced(3), WorkPlanned(10, 2), ClaimStarted("slas", 1, 2)])
def test_an_event_cannot_be_changed_by_an_observer(event: Event) -> None:
    """One event goes to several observers."""
    name = fields(event)[0].name
    with pytest.raises(FrozenInstanceError):
        setattr(event, name, getattr(event, name))
    assert not hasattr(event, "__dict__")


def test_what_an_engine_does_not_know_counts_as_no_work() -> None:
    assert (WorkPlanned(10, 2).work, TileAdvanced(3).seconds, TileAdvanced(3).early) == ({}, 0.0, False)
    started = ClaimStarted("slas", 1, 2)
    assert (started.expected, started.after) == ((), ())


def test_trouble_with_the_store_is_printed_even_when_quiet_and_nothing_else_is() -> None:
    out = StringIO()
    observers = (ignore, Silent(Console(file=out, width=80)))
    for event in (Busy("compiling"), StoreTrouble("--store /x: no space left"), TileAdvanced(3)):
        for observe in observers:
            observe(event)
    assert out.getvalue() == "warning: --store /x: no space left\n"
