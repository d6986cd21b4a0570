"""`adam-spikes-need-lag` a second time: torch.optim.Adam in an ordinary loop, with weights drawn by torch.

    python studies/adam_lag_torch.py --seeds 64

Only the definition of a spike is spikecheck's. A training is forked 80 steps before the onset of its first spike, and each
fork makes 300 steps: unchanged, with beta2 = 0.9, or with its momentum emptied. It prints the share of forks that do not
spike, with Clopper and Pearson's 95 % interval, among the trainings whose unchanged fork does.
"""

import argparse
from collections.abc import Callable

import numpy as np
import torch
from rich.progress import track
from scipy.stats import binomtest
from torch import Tensor

from spikecheck.core.spike import SpikeDefinition
from spikecheck.measures.spikes import first_onset
from studies.adam_alarms import BETAS, EPS, RATE, STEPS, WIDTH, loss_of

LEAD, HORIZON, FAST = 80, 300, 0.9
DEFINITION = SpikeDefinition()
State = dict[str, Tensor]
Change = Callable[[State, tuple[float, float]], tuple[float, float]]
"""Changes an optimizer's state in place and gives the betas from there on."""


def unchanged(state: State, betas: tuple[float, float]) -> tuple[float, float]:
    """The placebo."""
    return betas


def faster(state: State, betas: tuple[float, float]) -> tuple[float, float]:
    """beta2 = 0.9, with the second moment that torch's bias correction gave before."""
    step = float(state["step"])
    state["exp_avg_sq"] *= (1 - FAST**step) / (1 - betas[1] ** step)
    return betas[0], FAST


def emptied(state: State, betas: tuple[float, float]) -> tuple[float, float]:
    """The running mean of gradients at 0."""
    state["exp_avg"].zero_()
    return betas


ARMS: dict[str, Change] = {"unchanged": unchanged, "beta2 = 0.9": faster, "momentum emptied": emptied}


class Training:
    """Setting A under torch.optim.Adam, one step at a time."""

    def __init__(self, seed: int) -> None:
        """Draw the weights that studies/adam_alarms.py draws."""
        generator = torch.Generator().manual_seed(seed)
        weights = torch.randn(3 * WIDTH, generator=generator, dtype=torch.float64)
        self.theta = (WIDTH**-0.5 * weights).requires_grad_()
        self.adam = torch.optim.Adam([self.theta], lr=RATE, betas=BETAS, eps=EPS)

    def steps(self, count: int) -> list[float]:
        """The losses before each of so many steps."""
        losses = []
        for _ in range(count):
            loss = loss_of(self.theta)
            (self.theta.grad,) = torch.autograd.grad(loss, self.theta)
            self.adam.step()
            losses.append(float(loss.detach()))
        return losses


def fork_spikes(seed: int, start: int, change: Change) -> bool:
    """Whether a fork at step `start` spikes; the training before it is made again, to the same bits."""
    training = Training(seed)
    training.steps(start)
    (group,) = training.adam.param_groups
    group["betas"] = change(training.adam.state[training.theta], group["betas"])
    return first_onset(np.array(training.steps(HORIZON)), DEFINITION) is not None


def forks(seed: int) -> dict[str, bool] | None:
    """Whether each arm spikes; None where the training has no spike that late."""
    onset = first_onset(np.array(Training(seed).steps(STEPS)), DEFINITION)
    if onset is None or onset < LEAD:
        return None
    return {name: fork_spikes(seed, onset - LEAD, change) for name, change in ARMS.items()}


def main() -> None:
    """Print the share of forks without a spike, arm by arm."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=64)
    options = parser.parse_args()
    torch.set_num_threads(1)
    outcomes = [forks(seed) for seed in track(range(options.seeds), "trainings")]
    spiking = [arms for arms in outcomes if arms is not None and arms["unchanged"]]
    print(f"{len(spiking)} of {options.seeds} trainings spike")
    for name in ARMS:
        absent = sum(not arms[name] for arms in spiking)
        interval = binomtest(absent, len(spiking)).proportion_ci(method="exact")
        print(f"{name}: no spike in {absent} of {len(spiking)} ({interval.low:.1%} to {interval.high:.1%})")


if __name__ == "__main__":
    main()
