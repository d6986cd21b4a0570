"""SharpnessTrace: the sharpness at every checkpoint of a run, or at every step."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from spikecheck.core.probe import SharpnessTrace
from spikecheck.core.run import Array, Run
from spikecheck.lab.batch import Batch, required
from spikecheck.lab.host import on_host
from spikecheck.lab.probes.measurement import Measurement, recorded_runs
from spikecheck.lab.run_records import Records, numbers
from spikecheck.lab.trained import Trained
from spikecheck.training.dissection import trace
from spikecheck.training.loop import Tick
from spikecheck.training.with_sharpness import SharpnessTrajectory, follow


class SharpnessTraceMeasurement(Measurement[SharpnessTrace]):
    """Measures one eigenpair at every checkpoint, or at every step of a repeated training."""

    def of_runs(self, batch: Batch, parents: Sequence[Trained], tick: Tick) -> list[Run]:
        """Measure every step or every checkpoint, as the probe's `every_step` says."""
        return recorded_runs(parents, (_every_step if self.probe.every_step else _checkpoints)(batch, parents, tick))


def _checkpoints(batch: Batch, parents: Sequence[Trained], tick: Tick) -> list[Records]:
    kept = [required(parent.checkpoints) for parent in parents]
    steps = kept[0].steps
    states = tuple(batch.state(kept, [index] * len(kept)) for index in range(len(steps)))
    values, residuals = on_host(trace(batch.objective, batch.rule, states))
    return [_sharpness(steps, values[:, m], residuals[:, m]) for m in range(batch.wanted)]


def _every_step(batch: Batch, parents: Sequence[Trained], tick: Tick) -> list[Records]:
    """Train again from the start, to the same bits, and record the sharpness at every step."""
    kept = [required(parent.checkpoints) for parent in parents]
    until = torch.tensor([parent.run.ended.step for parent in parents], device=batch.device)
    gradients = None if batch.setting.exact else batch.gradients
    start = batch.state(kept, [0] * len(kept))
    seen = on_host(follow(batch.objective, batch.rule, start, until, tick, gradients))
    return [_followed(seen, m, parent.run.ended.step) for m, parent in enumerate(parents[: batch.wanted])]


def _sharpness(steps: Array, values: Tensor, residuals: Tensor) -> Records:
    """One member's record at its checkpoints."""
    arrays = {"sharpness": numbers(values)[:, None], "residual": numbers(residuals)[:, None]}
    return {"sharpness": {"steps": steps.astype(np.float64), **arrays}}


def _followed(seen: SharpnessTrajectory, member: int, steps: int) -> Records:
    """One member's record at every step; steps whose numbers are not finite are left out."""
    values, residuals = (numbers(part[: steps + 1, member]) for part in (seen.sharpness, seen.residual))
    sound = np.isfinite(values) & np.isfinite(residuals)
    return {
        "sharpness": {
            "steps": np.arange(steps + 1, dtype=np.float64)[sound],
            "sharpness": values[sound, None],
            "residual": residuals[sound, None],
            "products": numbers(seen.products[member : member + 1]),
        }
    }
