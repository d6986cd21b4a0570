"""What planning knows of probes: their costs, and which runs they can measure."""

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
from spikecheck.core.spike import SpikeDefinition
from spikecheck.lab.probe_traits import WINDOW, ProbeTraits, measured_step, probe_traits
from spikecheck.lab.probes import measurement
from spikecheck.measures.spikes import spikes
from tests.lab.probed import SPIKING as SETTING
from tests.lab.probed import runs

PROBES: list[Probe | None] = [
    None, Anatomy(), Balance(), Directions(at="end", pairs=2), Finish(), SharpnessTrace(), Stability(), Trail(),
]  # fmt: skip
RUN = Run(Setting(steps=1), 0, 0, np.array([1.0, 0.5]), Ended("completed", 1))
SPIKED = np.concatenate([np.geomspace(1.0, 1e-3, 400), np.geomspace(1e-3, 1.0, 20), np.geomspace(1.0, 1e-4, 200)])
SPIKING = replace(RUN, loss=SPIKED, ended=Ended("completed", len(SPIKED) - 1))


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: "none" if probe is None else probe.kind)
def test_costs_are_positive_and_grow_with_the_steps(probe: Probe | None) -> None:
    kind = probe_traits(probe)
    assert kind.probe == probe
    for fork in (False, True):
        few, many = kind.plain_steps(100, fork=fork), kind.plain_steps(10_000, fork=fork)
        assert 0.0 <= few <= many
    assert kind.member_steps(100) > 0
    assert 0 <= kind.recorded(10, 3) <= kind.recorded(1_000, 3)
    assert kind.pairs >= 1 and kind.random_directions >= 0


def test_a_probe_of_workloads_is_refused() -> None:
    with pytest.raises(SettingError, match="measures workloads only; use spikecheck verify --workload"):
        probe_traits(BatchSharpness())


def test_by_default_a_run_is_measured_unless_it_diverged() -> None:
    kind: ProbeTraits[None] = ProbeTraits(None)
    assert kind.has_subject(RUN)
    assert not kind.has_subject(replace(RUN, ended=Ended("diverged", 1)))
    assert kind.member_steps(5) == kind.member_steps(50_000) == WINDOW
    assert (kind.alone, kind.only_looks, kind.sees_held_out, kind.random_directions) == (False,) * 3 + (0,)


def test_the_base_class_leaves_the_cost_to_each_probe() -> None:
    kind: ProbeTraits[None] = ProbeTraits(None)
    with pytest.raises(NotImplementedError):
        kind.plain_steps(1, fork=False)


@pytest.mark.parametrize("steps", [1, 100, 30_000])
def test_without_a_probe_the_trainings_own_steps_are_its_cost_and_its_progress(steps: int) -> None:
    kind = probe_traits(None)
    assert kind.updates and not kind.searches_krylov_space
    assert (
        kind.member_steps(steps) == kind.plain_steps(steps, fork=False) == kind.plain_steps(steps, fork=True) == steps
    )


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: "none" if probe is None else probe.kind)
def test_every_kind_is_carried_out_as_well(probe: Probe | None) -> None:
    assert measurement(probe).probe == probe_traits(probe).probe == probe


@pytest.mark.parametrize(
    "probe", [Anatomy(), Stability(), Directions(at="peak", pairs=1)], ids=lambda probe: probe.kind
)
def test_what_looks_at_a_spike_needs_one(probe: Probe) -> None:
    assert probe_traits(probe).has_subject(SPIKING)
    assert not probe_traits(probe).has_subject(RUN)


@pytest.mark.parametrize("at", ["onset", "peak", "end"])
def test_the_step_of_a_state(at: str) -> None:
    probe = Directions.model_validate({"at": at, "pairs": 1})
    (spike,) = spikes(SPIKED, SpikeDefinition())
    expected = len(SPIKED) - 1 if at == "end" else getattr(spike, at)
    assert measured_step(probe, SPIKING) == expected
    assert measured_step(probe, replace(SPIKING, ended=Ended("diverged", len(SPIKED)))) is None


def test_what_makes_updates_and_what_searches_a_krylov_space() -> None:
    """The one decides what a slow optimizer costs, the other how many vectors memory has to hold."""
    kinds = {"none" if probe is None else probe.kind: probe_traits(probe) for probe in PROBES}
    assert {name for name, kind in kinds.items() if kind.updates} == {"none", "anatomy", "balance"}
    assert {name for name, kind in kinds.items() if kind.searches_krylov_space} == {"finish", "stability"}


@pytest.mark.parametrize(
    "probe",
    [
        Anatomy(pairs=2, outputs=True),
        Balance(),
        Directions(at="end", pairs=2, random=40),
        SharpnessTrace(every_step=True),
        Trail(),
    ],
    ids=lambda probe: probe.kind,
)
def test_no_more_is_recorded_than_memory_is_reckoned_with(probe: Probe) -> None:
    """Outputs on the 256 held-out points of a sum of sines are counted twice."""
    found = runs(SETTING, range(6), probe=probe)
    assert found
    for run in found.values():
        recorded = sum(array.size for arrays in run.records.values() for array in arrays.values())
        reckoned = probe_traits(probe).recorded(SETTING.steps, 2 * 256)
        assert 0 < recorded <= 1.01 * reckoned  # a state more than steps, and a count of products
