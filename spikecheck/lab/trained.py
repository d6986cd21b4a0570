"""What a training leaves: its run, and the states from which it can be resumed."""

import math
from dataclasses import dataclass

from spikecheck.core.run import Run
from spikecheck.lab.run_codec import Checkpoints

CHECKPOINTED = 2**16
"""The most numbers that all checkpoints of one training hold together: 512 KiB in float64."""
STRIDE = 50
"""Updates between two checkpoints of a small net; larger nets use a multiple of it."""


@dataclass(frozen=True)
class Trained:
    """A run, and the exact states from which its training can be resumed."""

    run: Run
    checkpoints: Checkpoints | None = None


def checkpoint_stride(steps: int, numbers: int) -> int:
    """Updates between two checkpoints of `numbers` numbers each: the smallest multiple of 50 that fits `CHECKPOINTED`.

    >>> checkpoint_stride(3_000, 60), checkpoint_stride(30_000, 180), checkpoint_stride(3_000, 3_090)
    (50, 100, 150)
    """
    return STRIDE * max(1, math.ceil(steps * numbers / STRIDE / CHECKPOINTED))
