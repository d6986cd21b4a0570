"""The data of one spike that `spikecheck show` draws."""

from dataclasses import dataclass

from spikecheck.core.run import Array
from spikecheck.core.setting import Setting
from spikecheck.core.spike import Spike


@dataclass(frozen=True, eq=False)
class Twin:
    """A run forked from the first one just before the spike. Axis: T steps."""

    name: str
    steps: Array
    """[T] training steps."""
    loss: Array
    """[T]"""
    alignment: float | None
    """Mean |cos| between input weights at its end; None where it diverged or has no layer of neurons."""
    diverged: bool = False


@dataclass(frozen=True, eq=False)
class Fit:
    """The function of a network with one input and one output, step by step. Axes: W steps of the window, M points."""

    x: Array
    """[M] inputs."""
    target: Array
    """[M] target values at the inputs."""
    outputs: Array
    """[W, M] the network's outputs at the inputs."""


@dataclass(frozen=True, eq=False)
class Portrait:
    """A spike, the eigenpairs around it and its twins. Axes: W steps of the window, K eigenpairs, H neurons."""

    setting: Setting
    seed: int
    spike: Spike
    before: int
    """Step before the spike at which its twins part from it."""
    after: int
    """First step at which the spike counts as over: the loss has stayed low from the recovery on, as long as it must."""
    threshold: float | None
    """Stability threshold of the sharpness; None where no formula is known."""
    steps: Array
    """[W] training steps."""
    loss: Array
    """[W] training loss."""
    sharpness: Array
    """[W, K] eigenvalues, largest first; of the preconditioned Hessian where there is a preconditioner."""
    growth: Array
    """[W] factor by which the motion along the first eigendirection grows in one step."""
    swing: Array
    """[K] change of the gradient along each eigendirection at the peak, divided by the largest of them."""
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
        """The index of a training step in the window; the nearest index where the step lies outside."""
        return int(min(max(step - self.steps[0], 0), len(self.steps) - 1))
