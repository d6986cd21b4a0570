"""One spike from near: what `spikecheck show` draws."""

from dataclasses import dataclass

from spikecheck.core.run import Array
from spikecheck.core.setting import Setting
from spikecheck.core.spike import Spike


@dataclass(frozen=True, eq=False)
class Twin:
    """A run that left the first one just before the spike."""

    name: str
    steps: Array
    """[T]"""
    loss: Array
    """[T]"""
    alignment: float | None
    """Mean |cos| between input weights at its end; None where it diverged or has no layer of neurons."""
    diverged: bool = False


@dataclass(frozen=True, eq=False)
class Fit:
    """The function that a network of one input and one output is, along the window. Axes: W steps, M points."""

    x: Array
    """[M]"""
    target: Array
    """[M]"""
    outputs: Array
    """[W, M]"""


@dataclass(frozen=True, eq=False)
class Portrait:
    """Axes: W steps of the window, K eigenpairs, H neurons."""

    setting: Setting
    seed: int
    spike: Spike
    before: int
    """Step before the spike at which its twins part from it."""
    after: int
    """First step at which the spike counts as over: the loss has stayed low from the recovery on, as long as it must."""
    threshold: float | None
    """Of the sharpness; None where no formula is known."""
    steps: Array
    """[W]"""
    loss: Array
    """[W]"""
    sharpness: Array
    """[W, K] eigenvalues, the largest first; of the preconditioned Hessian where there is a preconditioner."""
    growth: Array
    """[W] factor by which the motion along the first eigendirection grows in a step."""
    swing: Array
    """[K] at the peak: the gradient's swing along every eigendirection, over the largest."""
    cosines: tuple[Array, Array]
    """[H, H] |cos| between input weights at `before` and at `after`: neurons that end alike stand together in both."""
    alignment: tuple[float, float]
    """Mean |cos| at `before` and at `after`; 0 where the model has no layer of neurons."""
    twins: tuple[Twin, ...]
    fit: Fit | None
    """None where the network has more than one input or output."""

    @property
    def moments(self) -> dict[str, int]:
        """Steps at which the fitted function is shown: before the spike, at its peak, and when it is over."""
        return {"before": self.before, "peak": self.spike.peak, "after": self.after}

    def at(self, step: int) -> int:
        """A step's place in the window, the nearest where it lies outside."""
        return int(min(max(step - self.steps[0], 0), len(self.steps) - 1))
