"""Trainings with several optimizers: in the order that was wanted, counted, kept, and ended by time or by Ctrl-C."""

import time
from pathlib import Path

import numpy as np
import pytest

from spikecheck.core.errors import BudgetSpent, Interrupted
from spikecheck.core.events import Event, TileAdvanced, TileStored, WorkPlanned
from spikecheck.core.scorecard import OptimizerSpec
from spikecheck.gate.workload_trainer import Trainer
from spikecheck.lab.store import Store
from spikecheck.watch.runs import train
from spikecheck.watch.workload import Workload

STEPS = 8
FAST, SLOW = (OptimizerSpec(optimizer="gd", lr=lr) for lr in (0.1, 0.001))
WANTED = [(FAST, 1), (SLOW, 0), (FAST, 0), (SLOW, 1)]


def trainer(store: Store | None, events: list[Event] | None = None, deadline: float | None = None) -> Trainer:
    seen = [] if events is None else events
    return Trainer(Workload.of("mlp"), STEPS, store, "cpu", 1, deadline, seen.append, pace=0.5)


def test_runs_come_in_the_order_that_was_wanted() -> None:
    runs = trainer(None).runs(WANTED)
    assert [run.order.seed for run in runs] == [1, 0, 0, 1]
    for (optimizer, _), run in zip(WANTED, runs, strict=True):
        assert run.order.optimizer is not None
        assert dict(run.order.optimizer.numbers)["lr"] == optimizer.lr
        assert np.array_equal(run.losses, train(run.order, None).losses)


def test_what_is_stored_is_not_trained_again_and_is_counted_apart(tmp_path: Path) -> None:
    events: list[Event] = []
    first = trainer(Store(tmp_path))
    first.runs(WANTED[:3])
    again = trainer(Store(tmp_path), events)
    again.runs(WANTED)
    assert (first.trained, first.reused) == (3, 0)
    assert (again.trained, again.reused) == (1, 3)
    assert events.count(TileStored(1)) == 1
    assert events.count(WorkPlanned(0, 1)) == 3
    steps = [event for event in events if isinstance(event, TileAdvanced)]
    assert sum(event.member_steps for event in steps) == STEPS * len(WANTED)
    assert sum(event.seconds for event in steps) == 0.5 * STEPS * len(WANTED)


def test_a_time_that_is_over_ends_it() -> None:
    with pytest.raises(BudgetSpent, match="^--budget: the time is used up"):
        trainer(None, deadline=time.monotonic() - 1).runs(WANTED)


@pytest.mark.parametrize("kept", [True, False])
def test_ctrl_c_says_what_becomes_of_the_runs(kept: bool, tmp_path: Path) -> None:
    def interrupt(event: Event) -> None:
        raise KeyboardInterrupt

    one = trainer(Store(tmp_path) if kept else None)
    one.observe = interrupt
    says = "everything trained so far is kept" if kept else "without a store nothing is kept"
    with pytest.raises(Interrupted, match=f"^interrupted; {says}"):
        one.runs(WANTED)
