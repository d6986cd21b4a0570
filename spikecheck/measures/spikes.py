"""Where the loss spikes."""

import numpy as np

from spikecheck.core.run import Array
from spikecheck.core.spike import Spike, SpikeDefinition


def spikes(loss: Array, definition: SpikeDefinition, start: int = 0) -> tuple[Spike, ...]:
    """The spikes of a loss [T] recorded from step `start` on, in order; `definition` says what counts.

    >>> loss = np.array([4.0, 2.0, 1.0, 2.0, 9.0, 5.0, 1.0, 0.5, 0.4])
    >>> spikes(loss, SpikeDefinition(factor=3, settle=2))
    (Spike(trough=2, onset=4, peak=4, recovery=6, height=9.0),)
    """
    if len(loss) < 2:
        return ()
    lowest = np.minimum.accumulate(loss)
    high = np.concatenate([[False], loss[1:] > definition.factor * lowest[:-1]])
    found = []
    onset = _next(high, 0)
    while onset is not None:
        spike = _spike(loss, lowest, onset, definition)
        found.append(spike)
        onset = None if spike.recovery is None else _next(high, spike.recovery)
    return tuple(_shifted(spike, start) for spike in found)


def _next(high: np.ndarray, first: int) -> int | None:
    """The first step from `first` on whose loss is high."""
    where = np.flatnonzero(high[first:])
    return int(where[0]) + first if len(where) else None


def _spike(loss: Array, lowest: Array, onset: int, definition: SpikeDefinition) -> Spike:
    floor = lowest[onset - 1]
    trough = int(np.argmax(loss[:onset] == floor))
    recovery = _settled(loss[onset:] <= definition.factor * floor, definition.settle)
    over = len(loss) if recovery is None else onset + recovery
    peak = onset + int(np.argmax(loss[onset:over]))
    height = float(loss[peak] / floor) if floor > 0 else float("inf")
    return Spike(trough, onset, peak, None if recovery is None else over, height)


def _settled(low: np.ndarray, settle: int) -> int | None:
    """Where the first `settle` consecutive low steps begin."""
    counted = np.concatenate([[0], np.cumsum(low)])
    whole = np.flatnonzero(counted[settle:] - counted[:-settle] == settle)
    return int(whole[0]) if len(whole) else None


def _shifted(spike: Spike, start: int) -> Spike:
    recovery = None if spike.recovery is None else spike.recovery + start
    return Spike(spike.trough + start, spike.onset + start, spike.peak + start, recovery, spike.height)
