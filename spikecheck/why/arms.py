"""Arms: each changes one thing in a fork, and names a cause where that removes the spike."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from spikecheck.core.why import Cause
from spikecheck.watch.training import Training
from spikecheck.why import batch_arms, optimizer_arms, precision_arm
from spikecheck.why.scene import Context

Apply = Callable[[Training, Context], AbstractContextManager[object]]
"""Called once the training stands at the fork; inside the context the fork's steps are made. What it changed is undone at
the end. Raises `NotApplicable` where there is nothing to change."""


@dataclass(frozen=True)
class Arm:
    """One change, and what it means where the change removes the spike.

    >>> from contextlib import contextmanager
    >>> @contextmanager
    ... def without_decay(training, context):
    ...     before = [group["weight_decay"] for group in training.optimizer.param_groups]
    ...     for group in training.optimizer.param_groups:
    ...         group["weight_decay"] = 0.0
    ...     yield
    ...     for group, decay in zip(training.optimizer.param_groups, before, strict=True):
    ...         group["weight_decay"] = decay
    >>> arm = Arm("no decay", "without weight decay?", "weight decay", without_decay, remedy="leave weight decay out")
    """

    name: str
    question: str
    cause: str | None
    """One of `Cause`, or a user's own."""
    apply: Apply
    """A function at the top of a module, so that worker processes find it."""
    remedy: str = ""
    """What a user would change, in the imperative; empty where there is nothing to recommend."""
    nudged: bool = True
    """Whether every fork starts from slightly other weights, so that forks differ."""


def _nothing(training: Training, context: Context) -> AbstractContextManager[object]:
    return nullcontext()


PLACEBO = Arm("placebo", "the same, from weights nudged by 1e-6: does it spike again?", None, _nothing)
AGAIN = Arm("again", "the very same: does every loss come again?", None, _nothing, nudged=False)

LEFT_OUT = Arm(
    "batches left out",
    "without the batches of the spike?",
    Cause.DATA,
    batch_arms.left_out,
    remedy="leave these batches out",
)
OTHER_BATCHES = Arm("other batches", "with later batches of the same loader?", Cause.DATA, batch_arms.others)
RATE_HELD = Arm(
    "rate held",
    "with the rate held at its median of the steps before?",
    Cause.SCHEDULE,
    optimizer_arms.rate_held,
    remedy="smooth the schedule",
)
HALF_RATE = Arm(
    "half the rate", "at half the rate?", Cause.CURVATURE, optimizer_arms.half_rate, remedy="halve the learning rate"
)
CLIPPED = Arm(
    "clip at median",
    "with gradients clipped at their median norm?",
    Cause.CURVATURE,
    optimizer_arms.clipped,
    remedy="clip gradients at their median norm",
)
FASTER_SECOND = Arm(
    "beta2 = 0.9",
    "with a second moment that forgets in 10 steps?",
    Cause.LAG,
    optimizer_arms.faster_second_moment,
    remedy="lower beta2",
)
LARGER_EPS = Arm("eps = 1e-3", "with eps = 1e-3?", Cause.LAG, optimizer_arms.larger_eps, remedy="raise eps")
EMPTIED = Arm(
    "momentum emptied",
    "with momentum kept empty in the steps just before?",
    Cause.MOMENTUM,
    optimizer_arms.momentum_emptied,
    remedy="lower momentum",
)
SECOND_HELD = Arm(
    "second moment held",
    "with a second moment that falls no further?",
    Cause.DECAYED,
    optimizer_arms.second_moment_held,
)
"""Forked only where `ranking.asks_whether_held` says so: what it tells is of no use elsewhere."""
FULL_PRECISION = Arm(
    "float32",
    "without lower precision?",
    Cause.ROUNDING,
    precision_arm.full_precision,
    remedy="compute this part in float32",
)

ARMS = (
    LEFT_OUT,
    OTHER_BATCHES,
    RATE_HELD,
    HALF_RATE,
    CLIPPED,
    FASTER_SECOND,
    LARGER_EPS,
    EMPTIED,
    FULL_PRECISION,
)
"""What is tried where nobody says otherwise."""
