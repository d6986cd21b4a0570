"""Worker processes train the same bits as this process, and end when they are told to."""

import time
from pathlib import Path

import numpy as np
import pytest
import torch

from spikecheck.core.errors import BudgetSpent, UsageError
from spikecheck.core.events import Busy, Event, TileAdvanced, TileStored, WorkPlanned
from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.lab.execution.local import Local
from spikecheck.lab.execution.order import Answers, TrainingRequest
from spikecheck.lab.execution.processes import WORTH_SECONDS, Processes
from spikecheck.lab.execution.train_job import one_thread
from spikecheck.lab.laboratory import Laboratory
from spikecheck.lab.store import Store

RECIPES = [Recipe(setting=Setting(width=w, points=9, steps=150), seed=seed) for w in (6, 11) for seed in range(3)]


def test_workers_train_the_same_bits_and_tell_all_their_steps(workers: Processes) -> None:
    told: list[Event] = []
    there = Laboratory(executor=workers, observe=told.append).runs(RECIPES)
    here = Laboratory(executor=Local()).runs(RECIPES)
    for recipe in RECIPES:
        assert np.array_equal(there[recipe].loss, here[recipe].loss)
    planned = sum(event.member_steps for event in told if isinstance(event, WorkPlanned))
    assert sum(event.member_steps for event in told if isinstance(event, TileAdvanced)) == planned


def test_workers_tell_their_steps_while_they_train(workers: Processes) -> None:
    """Regression: a tile's steps were told when it was done, minutes of nothing for a long one."""
    told: list[Event] = []
    Laboratory(executor=workers, observe=told.append).runs([Recipe(setting=Setting(width=7, steps=240_000), seed=0)])
    stored = next(place for place, event in enumerate(told) if isinstance(event, TileStored))
    before = [event for event in told[:stored] if isinstance(event, TileAdvanced)]
    assert len(before) > 1  # a busy machine may let the parent look no more than twice
    assert sum(event.seconds for event in before) == pytest.approx(
        sum(sum(event.work.values()) for event in told if isinstance(event, WorkPlanned))
    )
    assert next(event.doing for event in told if isinstance(event, Busy)) == "starting 2 workers"


def test_a_deadline_ends_the_workers_in_the_middle_of_their_tiles(workers: Processes) -> None:
    long = [Recipe(setting=Setting(steps=10_000_000), seed=0)]
    lab = Laboratory(executor=workers, deadline=time.monotonic() + 4.0)
    began = time.monotonic()
    with pytest.raises(BudgetSpent):
        lab.runs(long)
    assert time.monotonic() - began < 60.0


def test_little_work_stays_in_this_process() -> None:
    pool = Processes(workers=2)
    Laboratory(executor=pool).runs(RECIPES[:1])
    assert pool._pool is None


@pytest.mark.parametrize(
    ("tiles", "seconds", "begin"), [(1, WORTH_SECONDS, True), (1, WORTH_SECONDS / 2, False), (0, WORTH_SECONDS, False)]
)
def test_little_work_begins_in_workers_where_much_is_expected(tiles: int, seconds: float, begin: bool) -> None:
    """Regression: the first tiles of a long verification were trained here, and workers began only after them."""
    told: list[TrainingRequest] = []

    class Told(Local):
        def results(self, order: TrainingRequest) -> Answers:
            told.append(order)
            return super().results(order)

    lab = Laboratory(executor=Told())
    lab.anticipate([], seconds)
    lab.runs(RECIPES[:tiles])
    assert [Processes(workers=2)._worth_workers(order) for order in told] == [begin] * len(told)
    assert len(told) == tiles


def test_closing_waits_for_what_is_trained_ahead_and_for_nothing_else(workers: Processes) -> None:
    lab = Laboratory(executor=workers)
    lab.anticipate([[Recipe(setting=Setting(width=6, steps=40_000), seed=0)]])
    lab.runs(RECIPES[:1])
    ahead = list(workers._ahead.values())
    assert ahead
    workers.close()
    assert not any(pending.failed for pending in ahead)
    assert workers._pool is None


def test_the_threads_are_as_they_were_afterwards() -> None:
    torch.set_num_threads(2)
    with one_thread("cpu"):
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2
    torch.set_num_threads(1)


def test_an_idle_worker_trains_ahead_what_is_asked_for_next(workers: Processes, tmp_path: Path) -> None:
    """One tile is asked for, two cores are there: the next one is stored by the time it is asked for, and counted once."""
    Laboratory(executor=workers).runs(RECIPES)  # the workers are there
    lab = Laboratory(Store(tmp_path), executor=workers)
    asked = [Recipe(setting=Setting(width=6, steps=400_000), seed=0)]  # seconds: the other one may be starting even so
    lab.anticipate([asked, RECIPES])
    lab.runs(asked)
    trained = [recipe for recipe in RECIPES if lab._cache.digest(recipe) in Store(tmp_path)]
    assert trained
    assert lab.runs_trained == 1
    ahead = lab.runs(RECIPES)
    assert (lab.runs_trained, lab.runs_reused) == (1 + len(RECIPES), 0)
    here = Laboratory(executor=Local()).runs(RECIPES)
    for recipe in RECIPES:
        assert np.array_equal(ahead[recipe].loss, here[recipe].loss)


def test_what_fails_ahead_fails_when_it_is_asked_for(workers: Processes) -> None:
    broken = [Recipe(setting=Setting(problem="no.such:module"), seed=0)]
    lab = Laboratory(executor=workers)
    lab.anticipate([broken])
    lab.runs(RECIPES)
    with pytest.raises(UsageError, match="no.such"):
        lab.runs(broken)


def test_nothing_is_trained_twice(workers: Processes, tmp_path: Path) -> None:
    """What is under way, asked for or ahead, is not begun again by a later round that has it too."""
    told: list[Event] = []
    lab = Laboratory(Store(tmp_path), executor=workers, observe=told.append)
    lab.anticipate([RECIPES, RECIPES[:3], RECIPES])
    lab.runs(RECIPES[:3])
    lab.runs(RECIPES)
    assert sum(event.runs for event in told if isinstance(event, TileStored)) == len(RECIPES)
