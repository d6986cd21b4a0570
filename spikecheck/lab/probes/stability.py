"""Stability: the linearised update at the landmarks of the first spike."""

from collections.abc import Sequence

import numpy as np

from spikecheck.core.probe import Stability
from spikecheck.core.run import Array, Run
from spikecheck.core.spike import Spike
from spikecheck.curvature.linearised_update import Multipliers, multipliers
from spikecheck.lab.batch import Batch
from spikecheck.lab.host import on_host
from spikecheck.lab.probes.measurement import Measurement, recorded_runs
from spikecheck.lab.trained import Trained
from spikecheck.measures.spikes import spikes
from spikecheck.training.loop import Tick


class StabilityMeasurement(Measurement[Stability]):
    """Measures by which factor an update multiplies deviations across the valley, at up to three states of every run."""

    def of_runs(self, batch: Batch, parents: Sequence[Trained], tick: Tick) -> list[Run]:
        """Measure each landmark. A member whose spike lacks the landmark is computed at its onset, but not recorded."""
        first_spikes = [spikes(parent.run.loss, self.probe.definition)[0] for parent in parents]
        records: list[dict[str, Array]] = [{} for _ in range(batch.wanted)]
        for landmark in ("onset", "peak", "recovery"):
            there = batch.resumed(parents, [_step(spike, landmark) for spike in first_spikes], tick)
            measured = on_host(multipliers(batch.objective, batch.rule, there))
            for member, record in enumerate(records):
                if getattr(first_spikes[member], landmark) is not None:
                    record.update(_record(measured, member, landmark))
        return recorded_runs(parents, [{"stability": record} for record in records])


def _step(spike: Spike, landmark: str) -> int:
    step: int | None = getattr(spike, landmark)
    return spike.onset if step is None else step


def _record(measured: Multipliers, member: int, landmark: str) -> dict[str, Array]:
    """One member's numbers, under the name of the landmark; empty where they are not finite."""
    parts = (measured.oscillating, measured.radius, measured.residual)
    values = np.array([float(part[member]) for part in parts])
    return {landmark: values} if np.isfinite(values).all() else {}
