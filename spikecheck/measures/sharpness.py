"""When the sharpness crosses its stability threshold."""

import numpy as np

from spikecheck.core.run import Array


def crossing(sharpness: Array, threshold: float, until: int) -> int | None:
    """The index of the last step up to `until` at which the sharpness [W] rises above the threshold; None where there is none.

    Two neighbouring steps are averaged first: when the weights visibly oscillate, the sharpness alternates too, and each
    swing would count as a crossing.

    >>> crossing(np.array([1.0, 1.0, 3.0, 3.0, 1.0, 3.2, 3.0]), 2.5, until=6)
    5
    >>> crossing(np.array([1.0, 2.0, 3.0, 4.0, 2.4, 4.0]), 2.5, until=5)
    2
    """
    seen = sharpness[: until + 1]
    pairs = (seen[:-1] + seen[1:]) / 2.0
    above = pairs > threshold
    rises = np.flatnonzero(above[1:] & ~above[:-1]) + 1
    return int(rises[-1]) if len(rises) else None


def steps_to_flat(loss: Array, sharpness: Array, threshold: float) -> float:
    """Steps from the peak of the loss [W] to the first step whose sharpness [W] is below the threshold.

    0 where the sharpness is below the threshold at the peak already. W where it never falls below: W exceeds any observable
    delay, so a record that ends too early is never mistaken for a short delay.

    >>> steps_to_flat(np.array([1.0, 9.0, 4.0, 1.0]), np.array([5.0, 3.0, 1.0, 1.0]), 2.0)
    1.0
    >>> steps_to_flat(np.array([1.0, 3.0, 9.0]), np.array([5.0, 5.0, 5.0]), 2.0)
    3.0
    """
    peak = int(np.argmax(loss))
    flat = np.flatnonzero(sharpness[peak:] < threshold)
    return float(flat[0]) if len(flat) else float(len(sharpness))


def fall(sharpness: Array, threshold: float) -> int | None:
    """The index at which a sharpness [W] that begins above the threshold first falls below it.

    None where it never falls below, or begins below. Two neighbouring steps are averaged first, as in `crossing`.

    >>> fall(np.array([5.0, 5.0, 4.0, 1.0, 1.0]), 2.0), fall(np.array([1.0, 1.0, 5.0, 1.0]), 2.0)
    (4, None)
    """
    above = (sharpness[:-1] + sharpness[1:]) / 2.0 > threshold
    if not above.any() or not above[0] or above.all():
        return None
    return int(np.argmin(above)) + 1
