"""Costs and defaults that all probes share; what a single probe overrides is tested in the file of that probe."""

from dataclasses import replace

import numpy as np
import pytest

from spikecheck.core.errors import SettingError
from spikecheck.core.probe import (
    Anatomy,
    Balance,
    BatchSharpness,
    Directions,
    Finish,
    Probe,
    SharpnessTrace,
    Stability,
    Trail,
)
from spikecheck.core.run import Ended, Run
from spikecheck.core.setting import Setting
from spikecheck.lab.probes import measurement
from spikecheck.lab.probes.measurement import WINDOW, Measurement, recorded_runs
from spikecheck.lab.trained import Trained

PROBES: list[Probe | None] = [
    None, Anatomy(), Balance(), Directions(at="end", pairs=2), Finish(), SharpnessTrace(), Stability(), Trail(),
]  # fmt: skip
RUN = Run(Setting(steps=1), 0, 0, np.array([1.0, 0.5]), Ended("completed", 1))


def parent(run: Run) -> Trained:
    return Trained(run)


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: "none" if probe is None else probe.kind)
def test_costs_are_positive_and_grow_with_the_steps(probe: Probe | None) -> None:
    kind = measurement(probe)
    assert kind.probe == probe
    for fork in (False, True):
        few, many = kind.plain_steps(100, fork=fork), kind.plain_steps(10_000, fork=fork)
        assert 0.0 <= few <= many
    assert kind.member_steps(100) > 0
    assert 0 <= kind.recorded(10, 3) <= kind.recorded(1_000, 3)
    assert kind.pairs >= 1 and kind.random_directions >= 0


def test_a_probe_of_workloads_is_refused() -> None:
    with pytest.raises(SettingError, match="measures workloads only; use spikecheck verify --workload"):
        measurement(BatchSharpness())


def test_by_default_a_run_is_measured_unless_it_diverged() -> None:
    kind: Measurement[None] = Measurement(None)
    assert kind.has_subject(RUN)
    assert not kind.has_subject(replace(RUN, ended=Ended("diverged", 1)))
    assert kind.member_steps(5) == kind.member_steps(50_000) == WINDOW
    assert (kind.alone, kind.only_looks, kind.sees_held_out, kind.random_directions) == (False,) * 3 + (0,)


def test_the_base_class_leaves_the_cost_to_each_probe() -> None:
    kind: Measurement[None] = Measurement(None)
    with pytest.raises(NotImplementedError):
        kind.plain_steps(1, fork=False)


def test_records_go_to_their_parents_and_padding_members_are_dropped() -> None:
    parents = [parent(replace(RUN, seed=seed)) for seed in range(3)]
    records = [{"kind": {"values": np.full(1, float(seed))}} for seed in range(2)]
    runs = recorded_runs(parents, records)
    assert [(run.seed, run.records) for run in runs] == list(enumerate(records))
    assert RUN.records == {}
