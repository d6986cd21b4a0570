"""Balance: the oscillation across the valley, compared with the size at which it stops the sharpening."""

from collections.abc import Sequence

import numpy as np
import torch

from spikecheck.core.probe import Balance
from spikecheck.core.run import Run
from spikecheck.lab.batch import Batch
from spikecheck.lab.forks import ForkedBatch
from spikecheck.lab.host import on_host
from spikecheck.lab.probes.measurement import Measurement, recorded_runs
from spikecheck.lab.run_records import Records, numbers
from spikecheck.lab.trained import Trained
from spikecheck.training.balance import BalanceObserver, Stabilisation
from spikecheck.training.loop import Tick, Trajectory, train


class BalanceMeasurement(Measurement[Balance]):
    """Measures every few updates, at the states that the training passes through."""

    def of_runs(self, batch: Batch, parents: Sequence[Trained], tick: Tick) -> list[Run]:
        """Train again from the first measured step, to the same bits, and measure on the way."""
        start = batch.resumed(parents, [self.probe.since] * len(parents), tick)
        until = torch.tensor([parent.run.ended.step for parent in parents], device=batch.device)
        watch = BalanceObserver(batch.objective, self.probe.every)
        train(batch.objective, batch.rule, start, until, tick, gradients=watch.over(batch.gradients))
        return recorded_runs(parents, _records(watch, batch.wanted))

    def of_forks(self, forks: ForkedBatch, tick: Tick) -> tuple[Trajectory, list[Records]]:
        """Measure the forks as they are trained, annealing included."""
        watch = BalanceObserver(forks.batch.objective, self.probe.every, self.probe.since)
        trajectory = forks.trained(tick, watch)
        return trajectory, _records(watch, forks.batch.wanted)


def _records(watch: BalanceObserver, wanted: int) -> list[Records]:
    seen = on_host(watch.seen())
    return [_record(seen, member) for member in range(wanted)]


def _record(seen: Stabilisation, member: int) -> Records:
    """One member's measurements; those that are not finite are left out."""
    parts = (seen.steps, seen.sharpness, seen.residual, seen.displacement, seen.sharpening, seen.steepness)
    looks = np.stack([numbers(part[:, member]) for part in parts])
    steps, sharpness, residual, displacement, sharpening, steepness = looks[:, np.isfinite(looks).all(0)]
    return {
        "balance": {
            "steps": steps,
            "sharpness": sharpness,
            "residual": residual[:, None],
            "displacement": displacement,
            "sharpening": sharpening,
            "steepness": steepness,
        }
    }
