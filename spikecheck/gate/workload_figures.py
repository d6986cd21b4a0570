"""What the gate reads off one training of a workload: a number for each row, smaller is better."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from spikecheck.gate.metrics import DIVERGED
from spikecheck.gate.workload_suite import BEST, COUNTED, FINAL, LOST, OVERSHOOT, REACHES, SPIKES, a_step, reaches_in
from spikecheck.watch.detector import NoisySpike, detect
from spikecheck.watch.runs import WorkloadRun

LOST_LOSS = 6.0
"""log10 of the loss that stands for a divergence; finite losses count as no larger."""
_LEAST = -12.0
_LATE = 0.05

Losses = NDArray[np.float64]


def figures(run: WorkloadRun, target: float | None) -> Mapping[str, float | None]:
    """Every row that a training tells; `target` is the final loss that is to be reached, None if there is none."""
    spikes = detect(range(len(run.losses)), run.losses)
    steps = reached(run, target)
    return {
        SPIKES: spike_rate(run, spikes),
        LOST: share_lost(run, spikes),
        DIVERGED: float(run.diverged),
        FINAL: final_loss(run),
        BEST: best_loss(run),
        REACHES: steps,
        OVERSHOOT: late_overshoot(run),
        **{reaches_in(what): counted(run, steps, what) for what in COUNTED},
    }


def spike_rate(run: WorkloadRun, spikes: Sequence[NoisySpike]) -> float:
    """Spikes by the detector for noisy losses, per 1,000 completed steps."""
    return 1_000 * len(spikes) / max(1, len(run.losses))


def share_lost(run: WorkloadRun, spikes: Sequence[NoisySpike]) -> float:
    """Share of the steps within a spike, from its onset until the loss is back, or after a divergence, in [0, 1].

    A loss that never comes back is lost to the end.
    """
    lost = np.ones(run.order.steps, dtype=bool)
    lost[: len(run.losses)] = False
    for spike in spikes:
        lost[spike.onset : spike.over] = True
    return float(lost.mean())


def late_overshoot(run: WorkloadRun) -> float | None:
    """Median overshoot of the last tenth of the steps; 1 is the stability threshold. None where no look could be resolved."""
    return float(np.median(run.overshoots)) if len(run.overshoots) else None


def counted(run: WorkloadRun, steps: float | None, what: str) -> float | None:
    """log2 of the tokens or samples in 2**steps steps; None where the workload does not say how many a step has."""
    each = run.about.get(a_step(what))
    if steps is None or not isinstance(each, int | float) or not each > 0:
        return None
    return steps + float(np.log2(each))


def final_loss(run: WorkloadRun) -> float:
    """log10 of the median loss of the last twentieth; 6 where the training diverged."""
    return LOST_LOSS if run.diverged else _log(float(np.median(_without_nan(run.losses[-_window(run) :]))))


def first_loss(run: WorkloadRun) -> float:
    """log10 of the loss of the first batch, before any update."""
    return _log(float(run.losses[0])) if len(run.losses) else LOST_LOSS


def best_loss(run: WorkloadRun) -> float:
    """log10 of the smallest median over a twentieth of the steps; 6 where there are not so many."""
    medians = _medians(run.losses, _window(run))
    return _log(float(medians.min())) if len(medians) else LOST_LOSS


def reached(run: WorkloadRun, target: float | None) -> float | None:
    """log2 of the steps after which the running median is as low as 10**target: that of twice the steps where it never is.

    None where there is no target, since the reference diverged.
    """
    if target is None or target >= LOST_LOSS:
        return None
    window = _window(run)
    there = np.flatnonzero(_medians(run.losses, window) <= 10**target * (1 + 1e-9))
    return float(np.log2(there[0] + window if len(there) else 2 * run.order.steps))


def _window(run: WorkloadRun) -> int:
    return max(1, round(_LATE * run.order.steps))


def _medians(losses: Losses, window: int) -> Losses:
    """Running medians over so many steps; none where there are fewer."""
    if len(losses) < window:
        return np.zeros(0)
    medians: Losses = np.median(np.lib.stride_tricks.sliding_window_view(_without_nan(losses), window), axis=1)
    return medians


def _without_nan(losses: Losses) -> Losses:
    """A step whose loss was no number, as scaled gradients have now and then, counts as infinitely bad."""
    return np.where(np.isnan(losses), np.inf, losses)


def _log(loss: float) -> float:
    return float(np.clip(np.log10(loss), _LEAST, LOST_LOSS)) if loss > 0 else _LEAST
