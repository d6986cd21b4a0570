"""Detection of loss spikes."""

import numpy as np
from numpy.typing import NDArray

from spikecheck.core.run import Array
from spikecheck.core.spike import Spike, SpikeDefinition


def spikes(loss: Array, definition: SpikeDefinition, start: int = 0) -> tuple[Spike, ...]:
    """Find the spikes of a training loss [T], by `definition`.

    The loss is at least 0 and never NaN; its first value is that of step `start`. The spikes are in order and do not overlap:
    the next one begins at the recovery of the last or later.

    >>> loss = np.array([4.0, 2.0, 1.0, 2.0, 9.0, 5.0, 1.0, 0.5, 0.4])
    >>> spikes(loss, SpikeDefinition(factor=3, settle=2))
    (Spike(trough=2, onset=4, peak=4, recovery=6, height=9.0),)
    """
    lowest, high = _high(loss, definition)
    spikes_here = []
    while len(high):
        spike = _spike(loss, lowest, int(high[0]), definition)
        spikes_here.append(_shifted(spike, start))
        if spike.recovery is None:
            break
        high = high[np.searchsorted(high, spike.recovery) :]
    return tuple(spikes_here)


def first_onset(loss: Array, definition: SpikeDefinition) -> int | None:
    """The onset of the first of `spikes`, counted from the loss's first value; None where there is none.

    >>> first_onset(np.array([4.0, 2.0, 1.0, 2.0, 9.0, 5.0]), SpikeDefinition(factor=3))
    4
    """
    _, high = _high(loss, definition)
    return int(high[0]) if len(high) else None


def _high(loss: Array, definition: SpikeDefinition) -> tuple[Array, NDArray[np.intp]]:
    """The loss's running minimum, and the steps at which the loss is too high over the minimum before them."""
    lowest = np.minimum.accumulate(loss)
    return lowest, np.flatnonzero(loss[1:] > definition.factor * lowest[:-1]) + 1


def _spike(loss: Array, lowest: Array, onset: int, definition: SpikeDefinition) -> Spike:
    floor = float(lowest[onset - 1])
    trough = int(np.argmax(loss[:onset] == floor))
    recovery = _settled(loss[onset:] <= definition.factor * floor, definition.settle)
    over = len(loss) if recovery is None else onset + recovery
    peak = onset + int(np.argmax(loss[onset:over]))
    height = float(loss[peak]) / floor if floor > 0 else float("inf")
    return Spike(trough, onset, peak, None if recovery is None else over, height)


def _settled(low: np.ndarray, settle: int) -> int | None:
    """The index at which the first `settle` consecutive low steps begin; None where there are none."""
    counted = np.concatenate([[0], np.cumsum(low)])
    whole = np.flatnonzero(counted[settle:] - counted[:-settle] == settle)
    return int(whole[0]) if len(whole) else None


def _shifted(spike: Spike, start: int) -> Spike:
    recovery = None if spike.recovery is None else spike.recovery + start
    return Spike(spike.trough + start, spike.onset + start, spike.peak + start, recovery, spike.height)
