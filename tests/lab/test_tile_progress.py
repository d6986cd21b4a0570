"""Progress is never more than was planned, and all of it by the end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.events import Event, TileAdvanced, TileStored, WorkPlanned
from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.core.work import TRAINING
from spikecheck.lab.tile_progress import TileProgress

TILE = tuple(Recipe(setting=Setting(width=4, points=6, steps=50), seed=seed) for seed in range(3))


@given(st.lists(st.integers(0, 10_000), max_size=8))
def test_a_finished_tile_has_told_what_was_planned(made: list[int]) -> None:
    told: list[Event] = []
    progress = TileProgress(told.append, memory=0)
    progress.plan([TILE], reused=2)
    for steps in made:
        progress.advance(TILE, steps, ahead=False)
    progress.finish(TILE, spikes=1, ahead=False)
    (planned,) = [event for event in told if isinstance(event, WorkPlanned)]
    advanced = [event for event in told if isinstance(event, TileAdvanced)]
    assert sum(event.member_steps for event in advanced) == planned.member_steps > 0
    assert {event.kind for event in advanced} == {TRAINING}
    assert sum(event.seconds for event in advanced) == pytest.approx(planned.work[TRAINING])
    assert told[-1] == TileStored(3, 1)


def test_a_tile_that_is_trained_again_begins_anew() -> None:
    told: list[Event] = []
    progress = TileProgress(told.append, memory=0)
    for _ in range(2):
        progress.finish(TILE, spikes=0, ahead=True)
    first, _, second, _ = told
    assert first == second
    assert isinstance(first, TileAdvanced)
    assert first.early
