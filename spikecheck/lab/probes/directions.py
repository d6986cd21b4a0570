"""Directions: how the outputs change along the top eigendirections of one state."""

from collections.abc import Sequence

import numpy as np

from spikecheck.core.probe import Directions
from spikecheck.core.run import Run
from spikecheck.lab.batch import Batch, required
from spikecheck.lab.host import on_host
from spikecheck.lab.probe_traits import measured_step
from spikecheck.lab.probes.measurement import Measurement, recorded_runs
from spikecheck.lab.run_records import Records, numbers
from spikecheck.lab.trained import Trained
from spikecheck.training.dissection import EigendirectionResponse, directions, random_directions
from spikecheck.training.loop import Tick


class DirectionsMeasurement(Measurement[Directions]):
    """Measures one state of every run."""

    def of_runs(self, batch: Batch, parents: Sequence[Trained], tick: Tick) -> list[Run]:
        """Measure the final parameters, or those at the landmark, up to which the training is resumed."""
        if self.probe.reads_ends:
            params = batch.ends(parents)
        else:
            params = batch.resumed(
                parents, [required(measured_step(self.probe, parent.run)) for parent in parents], tick
            ).params
        random = random_directions(batch.seeds, self.probe.random, params) if self.probe.random else None
        seen = on_host(directions(batch.objective, params, self.probe.pairs, random))
        return recorded_runs(parents, [_record(seen, member) for member in range(batch.wanted)])


def _record(seen: EigendirectionResponse, member: int) -> Records:
    """One member's record; empty where its Hessian is not finite."""
    parts = {
        "values": seen.values,
        "residual": seen.residuals,
        "deviation": seen.deviation,
        "outputs": seen.outputs,
        "train_outputs": seen.train_outputs,
        "own": seen.own,
    }
    if seen.random is not None:
        parts["random_deviation"] = seen.random
    arrays = {name: numbers(part[member]) for name, part in parts.items()}
    return {"directions": arrays} if all(np.isfinite(array).all() for array in arrays.values()) else {}
