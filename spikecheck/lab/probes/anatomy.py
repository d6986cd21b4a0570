"""Anatomy: the first spike step by step, or a fork step by step."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from spikecheck.core.probe import Anatomy
from spikecheck.core.run import Run
from spikecheck.core.spike import Spike
from spikecheck.lab.batch import Batch
from spikecheck.lab.forks import ForkedBatch
from spikecheck.lab.host import on_host
from spikecheck.lab.probes.measurement import Measurement
from spikecheck.lab.run_records import Records, numbers, snapshot
from spikecheck.lab.trained import Trained
from spikecheck.measures.spikes import spikes
from spikecheck.objective.objective import Objective
from spikecheck.training.dissection import Dissection, dissect
from spikecheck.training.loop import Tick, Trajectory


class AnatomyMeasurement(Measurement[Anatomy]):
    """Measures eigenpairs, and the motion along them, at every step."""

    def of_runs(self, batch: Batch, parents: Sequence[Trained], tick: Tick) -> list[Run]:
        """Dissect the window around each run's first spike."""
        first_spikes = [spikes(parent.run.loss, self.probe.definition)[0] for parent in parents]
        windows = [self._window(spike, parent.run) for spike, parent in zip(first_spikes, parents, strict=True)]
        seen = on_host(
            dissect(
                batch.objective,
                batch.rule,
                batch.resumed(parents, [first for first, _ in windows], tick),
                torch.tensor([last for _, last in windows], device=batch.device),
                self.probe.pairs,
                tick,
                _landmarks(first_spikes, batch.device),
                gradients=batch.gradients,
                outputs=self.probe.outputs,
            )
        )
        return [
            self._autopsy(batch.objective, parents[member].run, seen, member, first_spikes[member], windows[member])
            for member in range(batch.wanted)
        ]

    def of_forks(self, forks: ForkedBatch, tick: Tick) -> tuple[Trajectory, list[Records]]:
        """Dissect each fork from its first step to its last."""
        batch, start = forks.batch, forks.ensemble
        seen = dissect(
            batch.objective,
            batch.rule,
            start,
            start.done + forks.steps,
            self.probe.pairs,
            tick,
            along=forks.along,
            gradients=batch.gradients,
            outputs=self.probe.outputs,
        )
        there = on_host(seen)
        records = [_record(there, member, forks.starts[member], forks.steps) for member in range(batch.wanted)]
        return Trajectory(seen.loss, (start,), seen.end), records

    def _window(self, spike: Spike, run: Run) -> tuple[int, int]:
        """The window's first step and last update: around the spike, inside the run, and at most `longest` updates."""
        first = max(0, spike.onset - self.probe.before)
        last = (spike.recovery if spike.recovery is not None else spike.peak) + self.probe.after
        return first, min(last, first + self.probe.longest, run.ended.step)

    def _autopsy(
        self, objective: Objective, run: Run, seen: Dissection, member: int, spike: Spike, window: tuple[int, int]
    ) -> Run:
        """The run with the records of its window, and with its weights at the landmarks inside the window."""
        first, last = window
        landmarks = {"onset": spike.onset, "peak": spike.peak, "recovery": spike.recovery}
        captured = {
            name: snapshot(objective, step, seen.captured[name][member])
            for name, step in landmarks.items()
            if step is not None and first <= step <= last
        }
        return replace(
            run,
            spikes=spikes(run.loss, self.probe.definition),
            snapshots={**run.snapshots, **captured},
            records=_record(seen, member, first, last - first),
        )


def _landmarks(first_spikes: Sequence[Spike], device: str) -> Mapping[str, Tensor]:
    """Steps at which the parameters are kept; -1 where a spike has no such step."""
    return {
        "onset": torch.tensor([spike.onset for spike in first_spikes], device=device),
        "peak": torch.tensor([spike.peak for spike in first_spikes], device=device),
        "recovery": torch.tensor([-1 if s.recovery is None else s.recovery for s in first_spikes], device=device),
    }


def _record(seen: Dissection, member: int, first: int, length: int) -> Records:
    """One member's window, cut at its first number that is not finite.

    The last step has no next gradient, so it is left out.
    """
    parts = {
        "loss": seen.loss,
        "sharpness": seen.sharpness,
        "residual": seen.residual,
        "swing": seen.swing,
        "next_swing": seen.next_swing,
        "gradient_curvature": seen.gradient_curvature,
    }
    if seen.outputs is not None:
        parts["outputs"] = seen.outputs
    arrays = {name: numbers(part[:length, member]) for name, part in parts.items()}
    finite = np.logical_and.reduce([np.isfinite(a).reshape(len(a), -1).all(1) for a in arrays.values()])
    length = int(finite.argmin()) if not finite.all() else length
    steps = first + np.arange(length, dtype=np.float64)
    return {"anatomy": {"steps": steps, **{name: array[:length] for name, array in arrays.items()}}}
