"""No probe: every step of the training counts, and nothing else."""

import pytest

from spikecheck.lab.probes import measurement
from spikecheck.lab.probes.training import TrainingMeasurement


@pytest.mark.parametrize("steps", [1, 100, 30_000])
def test_the_trainings_own_steps_are_its_cost_and_its_progress(steps: int) -> None:
    kind = measurement(None)
    assert isinstance(kind, TrainingMeasurement)
    assert (
        kind.member_steps(steps) == kind.plain_steps(steps, fork=False) == kind.plain_steps(steps, fork=True) == steps
    )


def test_it_updates_weights_and_measures_nothing() -> None:
    kind = measurement(None)
    assert kind.updates and not kind.reads_ends and not kind.searches_krylov_space
