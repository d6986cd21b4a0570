"""The metrics of the gate: each is one number for each training, smaller is better, with a margin for equivalence.

The margins were chosen before any gate was run. They are differences that an optimizer's user would not care about, and
were not chosen by what is easy to show.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from spikecheck.core.run import Array, Run
from spikecheck.measures import alignment

_LOST = 6.0
"""log10 of the loss that replaces an infinite or NaN loss; finite losses are clipped to it."""
_LEAST = -12.0
_TALLEST = 12.0
"""log10 of the spike height that replaces a divergence; finite heights are clipped to it."""
_LATE = 0.05
_FAR = 10.0
_TINY = 2.0**-12
"""Smallest ratio of sharpness to threshold; smaller ratios are clipped to it."""


@dataclass(frozen=True)
class Measure:
    """One row of the scorecard."""

    name: str
    unit: str
    margin: float
    of: Callable[[Run], float | None]
    """The metric of a run; None if the run has no such number."""
    alarms: bool = True
    """Whether the gate fails if this row is worse."""
    law: Literal["mean", "count", "exact"] = "mean"
    """Each training has a number ("mean"), has 0 or 1 ("count"), or all have the same number ("exact")."""
    may_lack: bool = False
    """Whether some trainings may have no such number."""
    either_way: bool = False
    """Whether a smaller number is as bad as a larger one: pairs are then compared by how far they lie apart."""


def spike_rate(run: Run) -> float:
    """Spikes per 1,000 completed steps."""
    return 1_000 * len(run.spikes) / max(1, run.ended.step)


def worst_height(run: Run) -> float:
    """log10 of the largest ratio of a peak to the trough before it, in [0, 12]; 0 without a spike, 12 after divergence."""
    if run.diverged:
        return _TALLEST
    return max([min(float(np.log10(spike.height)), _TALLEST) for spike in run.spikes], default=0.0)


def share_lost(run: Run) -> float:
    """Share of the setting's steps that lie within spikes or after a divergence, in [0, 1]."""
    wanted = run.setting.steps
    within = sum((run.ended.step if s.recovery is None else s.recovery) - s.onset for s in run.spikes)
    return min(1.0, (within + wanted - run.ended.step) / wanted)


def diverged(run: Run) -> float:
    """1 if the loss became infinite or NaN, else 0."""
    return float(run.diverged)


def spiking(run: Run) -> float:
    """1 if there was a spike or the loss became infinite or NaN, else 0."""
    return float(run.diverged or bool(run.spikes))


def final_loss(run: Run) -> float:
    """log10 of the median loss of the last twentieth of the steps, in [-12, 6]; 6 if the training diverged."""
    late = run.loss[-max(1, round(_LATE * len(run.loss))) :]
    return _LOST if run.diverged else _log(float(np.median(late)))


def best_loss(run: Run) -> float:
    """log10 of the smallest loss, in [-12, 6]."""
    return _log(float(run.loss.min(initial=np.inf)))


def test_loss(run: Run) -> float | None:
    """log10 of the final loss on held-out points, in [-12, 6]; 6 if the training diverged; None without such points."""
    if run.diverged:
        return _LOST
    losses = run.records.get("finish", {}).get("test_loss")
    return None if losses is None else _log(float(losses[0]))


def early_edge(run: Run) -> float | None:
    """log2 of the ratio of sharpness to stability threshold after 20 updates, when two trainings have hardly diverged.

    The largest value of eight consecutive updates, since a fault may occur only every few updates. For gradient descent the
    ratio is exact. For other rules it comes from the multipliers of the linearised update: 1 at the threshold, 0 without
    curvature.
    """
    edge = _edge(run, "early", np.max)
    return None if edge is None else float(np.log2(max(_TINY, (1.0 + edge) / 2)))


def late_edge(run: Run) -> float | None:
    """Median reversal of deviations by late updates: -1 without curvature, 1 at the stability threshold, at most 10."""
    return _edge(run, "late", np.median)


def spread(run: Run) -> float | None:
    """1 - mean |cos| between input weights at the end, in [0, 1]; None without a layer of two neurons or more."""
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
    # 0.14 is log2 of 1.1: a change of 10 % in the learning rate is a matter of taste.
    Measure("early edge", "log2, sharpness / threshold", 0.14, early_edge, may_lack=True),
    Measure("late edge", "reversal, unstable > 1", 0.05, late_edge, may_lack=True),
    # Spikes align weights, so a calmer optimizer would be worse here: this row describes and raises no alarm.
    Measure("spread", "of weights: 1 - mean |cos|", 0.05, spread, alarms=False, may_lack=True),
)
EDGES = ("early edge", "late edge")
"""The rows that need products with the Hessian."""
TIME = ("time a step", "log2 over plain SGD's")
MEMORY = ("memory", "numbers a parameter")
MARGINS: Mapping[str, float] = {TIME[0]: 0.58, MEMORY[0]: 0.05}
"""0.58 is log2 of 1.5, a step that takes 50 % longer; 0.05 is a twentieth of a number for each parameter."""


def _no_run(run: Run) -> None:
    """Not computed from a run: measured separately."""


COST_MEASURES = (
    Measure(*TIME, margin=MARGINS[TIME[0]], of=_no_run),
    Measure(*MEMORY, margin=MARGINS[MEMORY[0]], of=_no_run, law="exact"),
)


def _edge(run: Run, when: str, of: Callable[[Array], Any]) -> float | None:
    multipliers = run.records.get("finish", {}).get(when, np.zeros(0))
    return min(float(of(multipliers)), _FAR) if len(multipliers) else None


def _log(loss: float) -> float:
    return float(np.clip(np.log10(loss), _LEAST, _LOST)) if loss > 0 else _LEAST
