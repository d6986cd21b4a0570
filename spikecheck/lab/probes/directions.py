"""Directions: how the outputs change along the top eigendirections of one state."""

from collections.abc import Sequence

import numpy as np

from spikecheck.core.probe import Directions
from spikecheck.core.run import Run
from spikecheck.lab.batch import Batch, Trained, required
from spikecheck.lab.host import on_host
from spikecheck.lab.probes.measurement import Measurement, recorded_runs
from spikecheck.lab.run_records import Records, numbers
from spikecheck.measures.spikes import spikes
from spikecheck.training.dissection import EigendirectionResponse, directions, random_directions
from spikecheck.training.loop import Tick

_SEARCH = 400
"""The cost of searching for the eigenpairs of one state, in plain steps."""


class DirectionsMeasurement(Measurement[Directions]):
    """Measures one state of every run."""

    def has_subject(self, run: Run) -> bool:
        """Whether the run reaches the probe's state: its end, or a landmark of its first spike."""
        return self._step(run) is not None

    def of_runs(self, batch: Batch, parents: Sequence[Trained], tick: Tick) -> list[Run]:
        """Measure the final parameters, or those at the landmark, up to which the training is resumed."""
        if self.probe.reads_ends:
            params = batch.ends(parents)
        else:
            params = batch.resumed(parents, [required(self._step(parent.run)) for parent in parents], tick).params
        random = random_directions(batch.seeds, self.probe.random, params) if self.probe.random else None
        seen = on_host(directions(batch.objective, params, self.probe.pairs, random))
        return recorded_runs(parents, [_record(seen, member) for member in range(batch.wanted)])

    def plain_steps(self, steps: int, *, fork: bool) -> float:
        """One search."""
        return _SEARCH

    @property
    def pairs(self) -> int:
        """The probe's own `pairs`."""
        return self.probe.pairs

    @property
    def random_directions(self) -> int:
        """The probe's own `random`."""
        return self.probe.random

    @property
    def sees_held_out(self) -> bool:
        """True: outputs are evaluated along every direction."""
        return True

    def recorded(self, steps: int, outputs: int) -> int:
        """Outputs along random directions; those along eigendirections are few in comparison."""
        return steps + self.probe.random * outputs

    def _step(self, run: Run) -> int | None:
        """The step of the probe's state; None where the run never reaches it."""
        if run.diverged:
            return None
        if self.probe.at == "end":
            return run.ended.step
        run_spikes = spikes(run.loss, self.probe.definition)
        return getattr(run_spikes[0], self.probe.at) if run_spikes else None


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
