"""Trail: sharpness, input weights and outputs at every checkpoint."""

from collections.abc import Sequence

import numpy as np

from spikecheck.core.probe import Trail
from spikecheck.core.run import Run
from spikecheck.lab.batch import Batch, required
from spikecheck.lab.forks import ForkedBatch
from spikecheck.lab.host import on_host
from spikecheck.lab.probes.measurement import Measurement, recorded_runs
from spikecheck.lab.run_records import Records, numbers
from spikecheck.lab.trained import Trained
from spikecheck.objective.objective import Objective
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.training.dissection import Waypoints, trail
from spikecheck.training.loop import Tick, Trajectory


class TrailMeasurement(Measurement[Trail]):
    """Measures the checkpoints one after another."""

    def of_runs(self, batch: Batch, parents: Sequence[Trained], tick: Tick) -> list[Run]:
        """Measure the runs' checkpoints."""
        kept = [required(parent.checkpoints) for parent in parents]
        states = tuple(batch.state(kept, [index] * len(kept)) for index in range(len(kept[0].steps)))
        return recorded_runs(parents, _records(batch, states))

    def of_forks(self, forks: ForkedBatch, tick: Tick) -> tuple[Trajectory, list[Records]]:
        """Measure the forks' checkpoints, those of the annealing included."""
        trajectory = forks.trained(tick)
        return trajectory, _records(forks.batch, trajectory.checkpoints)


def _records(batch: Batch, states: Sequence[Ensemble]) -> list[Records]:
    seen = on_host(trail(batch.objective, batch.rule, tuple(states)))
    states = on_host(tuple(states))
    return [_record(batch.objective, states, seen, member) for member in range(batch.wanted)]


def _record(objective: Objective, states: Sequence[Ensemble], seen: Waypoints, member: int) -> Records:
    """One member's record at its checkpoints."""
    return {
        "trail": {
            "steps": np.array([float(state.done[member]) for state in states]),
            "sharpness": numbers(seen.sharpness[:, member])[:, None],
            "residual": numbers(seen.residual[:, member])[:, None],
            "gradient_curvature": numbers(seen.gradient_curvature[:, member]),
            "outputs": numbers(seen.outputs[:, member]),
            "input_weights": np.stack([objective.weights(state.params[member])[0] for state in states]),
        }
    }
