"""A workload as a claim's laboratory: which training a setting stands for, what is measured, and what is trained once."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.errors import Interrupted
from spikecheck.core.events import Event, RunsRead, TileStored, WorkPlanned, ignore
from spikecheck.core.probe import BatchSharpness, SharpnessTrace
from spikecheck.core.recipe import Recipe
from spikecheck.core.work import TRAINING
from spikecheck.core.workload_setting import workload_setting
from spikecheck.harness.simulated_lab import planted_claim
from spikecheck.lab.store import Store
from spikecheck.session.workload_lab import WorkloadLab, records, wanted_for
from spikecheck.watch.measured import Wanted
from spikecheck.watch.runs import train

BASE = workload_setting("mlp", {"batch": 16}, optimizer="gd", lr=0.1, steps=6)


def lab(store: Store | None = None, events: list[Event] | None = None, **changes: Any) -> WorkloadLab:
    observe = ignore if events is None else events.append
    whole = WorkloadLab(BASE, True, Wanted(), True, (0.5, 3.0), store, "cpu", 1, None, observe)
    return replace(whole, **changes)


def test_the_workloads_own_optimizer_is_kept_at_a_multiple_of_its_rates() -> None:
    order = lab().order(BASE.but(lr=0.025, steps=9), 4)
    assert (order.optimizer, order.rate, order.seed, order.steps) == (None, 0.25, 4, 9)
    assert dict(order.workload.options) == {"batch": 16}


@pytest.mark.parametrize(("own", "changes"), [(False, {}), (True, {"optimizer": "heavy-ball", "momentum": 0.5})])
def test_another_optimizer_replaces_the_workloads(own: bool, changes: dict[str, Any]) -> None:
    order = lab(own_optimizer=own).order(BASE.but(**changes), 0)
    assert order.optimizer is not None and order.rate == 1.0
    assert order.optimizer.path == changes.get("optimizer", "gd")
    numbers = dict(order.optimizer.numbers)
    assert numbers["lr"] == 0.1
    assert numbers.get("momentum") == changes.get("momentum")


@given(st.integers(1, 500), st.integers(1, 80), st.booleans())
def test_the_expected_time_is_that_of_the_steps_and_of_the_looks_that_are_made(
    steps: int, looks: int, curvature: bool
) -> None:
    """There is at most one look a step, and none where nothing is measured."""
    one = lab(wanted=Wanted(curvature=curvature, looks=looks))
    assert one.seconds(steps) == 0.5 * steps + 3.0 * min(looks, steps) * curvature


def test_a_run_is_the_workloads_training_and_is_made_once(tmp_path: Path) -> None:
    events: list[Event] = []
    one = lab(Store(tmp_path), events)
    recipe = Recipe(setting=BASE, seed=1)
    probed = Recipe(setting=BASE, seed=1, probe=SharpnessTrace())
    runs = one.runs([recipe, probed, recipe])
    run = runs[recipe]
    assert np.array_equal(run.loss, train(one.order(BASE, 1), None).losses)
    assert (run.seed, run.ended.reason, run.ended.step, run.noisy) == (1, "completed", 6, True)
    assert runs[probed] is run  # every probe's records come from the same training
    assert (one.runs_trained, one.runs_reused) == (1, 0)
    assert WorkPlanned(6, 0, {TRAINING: 3.0}) in events and events.count(TileStored(1, 0)) == 1
    assert one.expected(BASE) == 0.0 < one.expected(BASE.but(lr=0.2))
    events.clear()
    again = lab(Store(tmp_path), events)
    assert np.array_equal(again.runs([recipe])[recipe].loss, run.loss)
    assert WorkPlanned(0, 1) in events and RunsRead(0) in events  # regression: a display counted no run as reused
    assert (again.runs_trained, again.runs_reused) == (0, 1)


def test_ctrl_c_stops_the_laboratory_and_says_what_is_kept() -> None:
    def interrupt(event: Event) -> None:
        if isinstance(event, TileStored):
            raise KeyboardInterrupt

    one = lab(observe=interrupt)
    with pytest.raises(Interrupted, match="without a store nothing is kept"):
        one.runs([Recipe(setting=BASE, seed=1)])
    assert isinstance(one.stopped, Interrupted)


def test_enough_is_measured_for_every_claim() -> None:
    claim = planted_claim()
    batches = [replace(claim, probe=BatchSharpness(batches=count)) for count in (4, 9)]
    assert wanted_for([claim]) == Wanted(curvature=False, batches=0)
    assert wanted_for([claim, replace(claim, probe=SharpnessTrace())]) == Wanted(curvature=True, batches=0)
    assert wanted_for([*batches, claim]) == Wanted(curvature=True, batches=9)


@pytest.mark.parametrize(
    ("without", "kinds"),
    [
        ([], {"sharpness", "trail", "batch-sharpness"}),
        (["batch_sharpness"], {"sharpness", "trail"}),
        (["gradient_curvature"], {"sharpness", "batch-sharpness"}),
        (["sharpness"], set()),
    ],
)
def test_a_probes_record_is_there_where_all_its_arrays_were_measured(without: list[str], kinds: set[str]) -> None:
    names = ("steps", "sharpness", "residual", "gradient_curvature", "batch_sharpness", "random_curvature")
    arrays = {name: np.arange(3.0) + number for number, name in enumerate(names)}
    for name in without:
        del arrays[name]
    kept = records(arrays)
    assert set(kept) == kinds
    if "trail" in kept:  # one eigenvalue a look: [T, 1], as claims read several
        assert kept["trail"]["sharpness"].shape == kept["trail"]["residual"].shape == (3, 1)
        assert kept["trail"]["gradient_curvature"].tolist() == [3.0, 4.0, 5.0]
