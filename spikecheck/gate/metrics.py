"""What the gate looks at: one number a training, the smaller the better, with the difference that counts as none.

The margins were written before any gate was run. They are what an optimizer's user would not care about, not what is easily
shown.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from spikecheck.core.run import Array, Run
from spikecheck.measures import alignment

_LOST = 6.0
"""log10 of the loss that stands for one that is no number; finite losses count as no larger."""
_LEAST = -12.0
_TALLEST = 12.0
"""log10 of the height that stands for a divergence."""
_LATE = 0.05
_FAR = 10.0
_TINY = 2.0**-12
"""Sharpness over threshold that stands for all below."""


@dataclass(frozen=True)
class Measure:
    """One row of the scorecard."""

    name: str
    unit: str
    margin: float
    of: Callable[[Run], float | None]
    """None where a training has no such number."""
    alarms: bool = True
    law: Literal["mean", "count", "exact"] = "mean"
    """A number of every training; 0 or 1 of every training; or a number that does not vary from training to training."""
    may_lack: bool = False
    """Whether there are trainings without such a number."""


def spike_rate(run: Run) -> float:
    """Spikes per 1,000 steps made."""
    return 1_000 * len(run.spikes) / max(1, run.ended.step)


def worst_height(run: Run) -> float:
    """log10 of the largest peak over the trough before it; 0 without a spike, 12 where the training diverged."""
    if run.diverged:
        return _TALLEST
    return max([min(float(np.log10(spike.height)), _TALLEST) for spike in run.spikes], default=0.0)


def share_lost(run: Run) -> float:
    """Share of the steps asked for that lie within spikes or behind a divergence, in [0, 1]."""
    wanted = run.setting.steps
    within = sum((run.ended.step if s.recovery is None else s.recovery) - s.onset for s in run.spikes)
    return min(1.0, (within + wanted - run.ended.step) / wanted)


def diverged(run: Run) -> float:
    """1 where the loss left the numbers."""
    return float(run.diverged)


def spiking(run: Run) -> float:
    """1 where there was a spike, or the loss left the numbers."""
    return float(run.diverged or bool(run.spikes))


def final_loss(run: Run) -> float:
    """log10 of the median loss of the last twentieth; 6 where the training diverged."""
    late = run.loss[-max(1, round(_LATE * len(run.loss))) :]
    return _LOST if run.diverged else _log(float(np.median(late)))


def best_loss(run: Run) -> float:
    """log10 of the smallest loss."""
    return _log(float(run.loss.min(initial=np.inf)))


def test_loss(run: Run) -> float | None:
    """log10 of the loss on held-out points at the end; 6 where the training diverged."""
    if run.diverged:
        return _LOST
    found = run.records.get("finish", {}).get("test_loss")
    return None if found is None else _log(float(found[0]))


def early_edge(run: Run) -> float | None:
    """log2 of the sharpness over the stability threshold after 20 updates, where two trainings have hardly parted.

    The worst of eight updates in a row, since a fault may come only every few.
    Exactly that for gradient descent; for other rules 1 at the threshold and 0 where nothing bends, as the multipliers tell.
    """
    found = _edge(run, "early", np.max)
    return None if found is None else float(np.log2(max(_TINY, (1.0 + found) / 2)))


def late_edge(run: Run) -> float | None:
    """How far late updates turn deviations round: -1 not at all, 1 at the stability threshold, 10 stands for all above."""
    return _edge(run, "late", np.median)


def spread(run: Run) -> float | None:
    """1 - mean |cos| between input weights at the end."""
    end = run.snapshots.get("end")
    return None if end is None or len(end.input_weights) < 2 else 1.0 - alignment(end.input_weights)


DIVERGED, SPIKING = "diverged", "spiking"
MEASURES: tuple[Measure, ...] = (
    Measure("spikes", "per 1,000 steps", 0.5, spike_rate),
    Measure("worst spike", "log10 of its height", 0.3, worst_height),
    Measure("steps lost", "share within spikes", 0.02, share_lost),
    Measure(DIVERGED, "share of trainings", 0.02, diverged, law="count"),
    Measure(SPIKING, "share of trainings", 0.02, spiking, law="count"),
    Measure("final loss", "log10", 0.1, final_loss),
    Measure("best loss", "log10", 0.1, best_loss),
    Measure("test loss", "log10", 0.1, test_loss, may_lack=True),
    # A tenth more or less of a rate is a matter of taste.
    Measure("early edge", "log2, sharpness / threshold", 0.14, early_edge, may_lack=True),
    Measure("late edge", "reversal, unstable > 1", 0.05, late_edge, may_lack=True),
    # Spikes align weights, so a calmer optimizer would be worse here: a description, no alarm.
    Measure("spread", "of weights: 1 - mean |cos|", 0.05, spread, alarms=False, may_lack=True),
)
EDGES = ("early edge", "late edge")
"""The rows that cost products with the Hessian."""
TIME = ("time a step", "log2 over plain SGD's")
MEMORY = ("memory", "numbers a parameter")
MARGINS: Mapping[str, float] = {TIME[0]: 0.58, MEMORY[0]: 0.05}
"""Half as long again; a twentieth of a number."""


def _no_run(run: Run) -> None:
    """Nothing that a training tells: measured beside it."""


COST_MEASURES = (
    Measure(*TIME, margin=MARGINS[TIME[0]], of=_no_run),
    Measure(*MEMORY, margin=MARGINS[MEMORY[0]], of=_no_run, law="exact"),
)


def _edge(run: Run, when: str, of: Callable[[Array], Any]) -> float | None:
    found = run.records.get("finish", {}).get(when, np.zeros(0))
    return min(float(of(found)), _FAR) if len(found) else None


def _log(loss: float) -> float:
    return float(np.clip(np.log10(loss), _LEAST, _LOST)) if loss > 0 else _LEAST
