"""Finish: how close to the stability threshold a training was, early and late, and its final held-out loss."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from spikecheck.core.probe import Finish
from spikecheck.core.run import Array, Run
from spikecheck.curvature.linearised_update import Multipliers, linearisable, multipliers
from spikecheck.lab.batch import Batch, required
from spikecheck.lab.host import on_host
from spikecheck.lab.probe_traits import WINDOW
from spikecheck.lab.probes.measurement import Measurement, recorded_runs
from spikecheck.lab.run_records import Records, numbers
from spikecheck.lab.trained import Trained
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.training.loop import Tick, train

_SETTLED = 1e-3
"""Change of a reversal below which it counts as converged; the smallest margin of a gate for it is 50 times as large."""


class FinishMeasurement(Measurement[Finish]):
    """Measures the distance to the stability threshold ("edge") early and late, and the held-out loss at the end."""

    def of_runs(self, batch: Batch, parents: Sequence[Trained], tick: Tick) -> list[Run]:
        """Measure late edges at checkpoints of the last quarter, and early ones at updates that are made again."""
        kept = [required(parent.checkpoints) for parent in parents]
        late, early, looks = self._late(len(kept[0].steps)), [], []
        if self.probe.edges and linearisable(batch.rule):
            early = self._early_edges(batch, parents, tick)
            looks = [self._edge(batch, batch.state(kept, [index] * len(kept)), tick) for index in late]
        else:
            late = []
        held_out = on_host(batch.objective.test_metrics(batch.ends(parents)))
        early, looks = on_host(early), on_host(looks)
        steps = kept[0].steps[late]
        return recorded_runs(parents, [_record(early, steps, looks, held_out, m) for m in range(batch.wanted)])

    def _late(self, checkpoints: int) -> list[int]:
        """Indices of checkpoints in the last quarter. Index 0 is left out: an optimizer that has not stepped has no state."""
        first = max(1, 3 * checkpoints // 4)
        spread = np.linspace(first, checkpoints - 1, self.probe.looks)
        return sorted({round(at) for at in spread}) if checkpoints > 1 else []

    def _early_edges(self, batch: Batch, parents: Sequence[Trained], tick: Tick) -> list[Multipliers]:
        """Edges after each update of one period of the rule; empty where the training is too short for a period."""
        if batch.setting.steps < self.probe.early + self.probe.period:
            return []
        there = batch.resumed(parents, [self.probe.early] * len(parents), tick)
        edges = []
        for done in range(1, self.probe.period + 1):
            edges.append(self._edge(batch, there, tick))
            until = torch.full((len(parents),), self.probe.early + done, device=batch.device)
            there = train(batch.objective, batch.rule, there, until, tick, gradients=batch.gradients).end
        return edges

    def _edge(self, batch: Batch, there: Ensemble, tick: Tick) -> Multipliers:
        """One edge, by central differences for every rule."""
        edge = multipliers(batch.objective, batch.rule, there, differences=True, settled=_SETTLED, tick=lambda: tick(0))
        tick(len(batch.recipes) * WINDOW // (self.probe.period + self.probe.looks))
        return edge


def _record(
    early: Sequence[Multipliers],
    steps: Array,
    looks: Sequence[Multipliers],
    held_out: Mapping[str, Tensor],
    member: int,
) -> Records:
    """One member's record; edges that are not finite are left out."""
    edges = np.array([[float(look.reversal[member]), float(look.residual[member])] for look in looks]).reshape(-1, 2)
    sound = np.isfinite(edges).all(1)
    record = {
        "steps": steps.astype(np.float64)[sound],
        "late": edges[sound, 0],
        "residual": edges[sound, 1],
    }
    first = np.array([float(look.reversal[member]) for look in early])
    if len(first) and np.isfinite(first).all():
        record["early"] = first
    if "test_loss" in held_out and bool(held_out["test_loss"][member].isfinite()):
        record["test_loss"] = numbers(held_out["test_loss"][member : member + 1])
    return {"finish": record}
