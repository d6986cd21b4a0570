"""What Adam's second moment does before a slingshot, and when forks spike: the fifth amendment of decision 4 was made on it.

    python studies/slingshot.py 1000 1001

Trains `modular` as `studies/spontaneous.py` does, of seeds that no table counts, and prints figures; nothing is judged.
"""

import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from spikecheck.watch.runs import ignore_progress, train
from spikecheck.watch.training import Training
from spikecheck.why.arms import EMPTIED, FASTER_SECOND, HALF_RATE, LARGER_EPS, PLACEBO, SECOND_HELD
from spikecheck.why.fork import run_fork
from spikecheck.why.keeper import Keeper
from spikecheck.why.scene import scene_of
from spikecheck.why.spikes import Run, first_costly
from spikecheck.why.states import States, reach
from studies.spontaneous import KINDS

_KIND = "modular, slingshot"
_HIGH = 0.01
"""Nats: a loss that is 10,000 times what it was, or more."""
_EVERY = 16


def moments(training: Training) -> tuple[float, float]:
    """Median of the root of the second moment, and root mean square of m/√v: the step in units of the rate."""
    optimizer = training.optimizer
    roots, steps = [], []
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            state = optimizer.state[parameter]
            first, second = (1.0 - beta ** float(state["step"]) for beta in group["betas"])
            root = (state["exp_avg_sq"] / second).sqrt().flatten()
            roots.append(root)
            steps.append(state["exp_avg"].flatten() / first / (root + group["eps"]))
    return float(torch.cat(roots).median()), float(torch.cat(steps).square().mean().sqrt())


def show(seed: int, folder: Path) -> None:
    """Print what one training does."""
    order = KINDS[_KIND].order(seed)
    training = order.begin()
    start = training.snapshot()
    states = States(folder, order.digest(training.about))
    run = Run(0, [*map(float, train(order, None, seen=Keeper(states)).losses)])
    spike = first_costly(run, run.spikes)
    if spike is None:
        print(f"seed {seed}: no spike")
        return
    scene = scene_of(spike, len(run.losses))
    training.restore(start)
    reach(training, scene.start, states, ignore_progress)
    state = training.snapshot()
    print(f"seed {seed}: onset {spike.onset}, forks from {scene.start} to {scene.end - 1}")
    for step in range(scene.start + _EVERY, spike.onset + 1, _EVERY):
        training.run(step - training.steps)
        root, size = moments(training)
        print(f"  after step {step - 1}: loss {run.losses[step - 1]:.2g}, median √v {root:.3g}, m/√v {size:.3g}")
    for arm in (PLACEBO, HALF_RATE, FASTER_SECOND, EMPTIED, LARGER_EPS, SECOND_HELD):
        firsts = []
        for number in range(3):
            losses = run_fork(training, state, arm, scene, number)
            first = next((scene.start + place for place, loss in enumerate(losses) if not loss < _HIGH), None)
            firsts.append("never" if first is None else str(first))
        print(f"  {arm.name}: loss above {_HIGH} at step {', '.join(firsts)}", flush=True)


def main() -> None:
    """Every seed that is named on the command line."""
    torch.set_num_threads(1)
    for seed in map(int, sys.argv[1:]):
        with TemporaryDirectory() as folder, suppress(BrokenPipeError):
            show(seed, Path(folder))


if __name__ == "__main__":
    main()
