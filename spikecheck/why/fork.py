"""One fork: a training put back to before its spike, changed in one thing, and run on."""

import torch

from spikecheck.core.errors import USERS_ERRORS, SpikecheckError, UsageError, first_line
from spikecheck.watch.training import Snapshot, Training
from spikecheck.why.arms import Arm
from spikecheck.why.scene import Context, NotApplicable, Scene

NUDGE = 1e-6
"""Relative change of the weights, one standard deviation: too small to matter, and enough for chaos to take another way."""


def run_fork(training: Training, state: Snapshot, arm: Arm, scene: Scene, number: int) -> list[float]:
    """The losses of fork `number` of an arm, of steps `scene.start` to `scene.end` - 1; the training is left at its end.

    Raises:
        NotApplicable: when the arm has nothing to change in this training.
    """
    training.restore(state)
    if arm.nudged:
        nudge(training, number)
    try:
        with arm.apply(training, Context(scene, number)):
            return training.run(scene.steps)
    except SpikecheckError:
        raise
    except USERS_ERRORS as error:
        said = f"raised {type(error).__name__}: {first_line(error)}"
        if arm.cause is None:
            raise UsageError(
                f"the training {said}, run again from step {scene.start:,}; run it by itself to see"
            ) from error
        raise NotApplicable(f"a fork with it {said}") from error


def nudge(training: Training, number: int) -> None:
    """Multiply every weight by 1 + 1e-6 z, z standard normal and seeded by the number."""
    generator = torch.Generator().manual_seed(number)
    with torch.no_grad():
        for weight in _weights(training):
            z = torch.randn(weight.shape, generator=generator)
            size = max(NUDGE, torch.finfo(weight.dtype).eps)
            weight.mul_((1.0 + size * z.double()).to(weight.device, weight.dtype))


def _weights(training: Training) -> list[torch.Tensor]:
    """Of all modules, each once, in the order of the state."""
    modules = [part for part in training.state.values() if isinstance(part, torch.nn.Module)]
    weights = {id(p): p for module in modules for p in module.parameters() if p.is_floating_point()}
    return list(weights.values())
