"""Whether a spike is the loss back at its earlier level, after a stretch in which it was lower."""

from dataclasses import dataclass
from statistics import median

import numpy as np
from scipy.stats import mannwhitneyu

from spikecheck.core.why import Answer
from spikecheck.watch.thresholds import memory

_LEVEL = 0.01
"""Of the tests of both conditions."""
_FEWEST = 32
"""Losses of each stretch that the tests need."""


@dataclass(frozen=True)
class Return:
    """Three stretches of losses: usual, then lower, then back."""

    fell: int
    """The first step of the lower stretch, as far as it is known: where forks begin."""
    earlier: float
    """Median of the losses before it; the next two likewise."""
    between: float
    now: float


def returned(answer: Answer) -> Return | None:
    """The stretches, if the losses before the onset are lower than those before forks begin, and those after not higher.

    Both by the test of Mann, Whitney and Wilcoxon, on losses as far apart as their memory is long.
    """
    if answer.spike is None or answer.start is None:
        return None
    onset, start = answer.spike.onset, answer.start
    known = [(step, loss) for step, loss in answer.losses if loss is not None]
    earlier = np.array([loss for step, loss in known if step < start])
    between = np.array([loss for step, loss in known if start <= step < onset])
    now = np.array([loss for step, loss in known if step >= onset])
    if min(map(len, (earlier, between, now))) < _FEWEST:
        return None
    stride = memory(earlier)
    if not _higher(earlier, between, stride) or _higher(now, earlier, stride):
        return None
    return Return(start, *(float(median(stretch)) for stretch in (earlier, between, now)))


def _higher(losses: np.ndarray, others: np.ndarray, stride: int) -> bool:
    test = mannwhitneyu(losses[::stride], others[::stride], alternative="greater")
    return bool(test.pvalue <= _LEVEL)
