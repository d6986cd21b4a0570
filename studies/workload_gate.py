"""How often the gate on a workload is right: of gates whose truth is known, how many call the candidate worse.

200 trainings of the workload mlp with Adam at rate 0.003, and 200 at 0.0025. A gate compares some of the first with others of
the first, drawn anew each time (both sides are the same optimizer, so that each row called worse is a false alarm), or some of
the second with the first of the same seeds (the slower rate reaches a higher loss in the same steps).

    python studies/workload_gate.py
"""

from collections.abc import Sequence

import numpy as np
import torch

from spikecheck.core.scorecard import Change, Scores
from spikecheck.gate.comparison import rows
from spikecheck.gate.metrics import DIVERGED
from spikecheck.gate.workload_run import best_loss, final_loss, reached
from spikecheck.gate.workload_suite import BEST, FINAL, REACHES, WORKLOAD_MEASURES
from spikecheck.watch.runs import Order, WorkloadRun, train
from spikecheck.watch.workload import OptimizerChoice, Workload

TRAININGS, STEPS, GATES = 200, 100, 300
RATE, LOWER = 0.003, 0.0025


def trained(rate: float) -> list[WorkloadRun]:
    """One training a seed."""
    adam = OptimizerChoice.of("adam", {"lr": rate})
    return [train(Order(Workload.of("mlp"), seed, STEPS, adam), None) for seed in range(TRAININGS)]


def scored(runs: Sequence[WorkloadRun], targets: Sequence[float | None]) -> Scores:
    """What the gate would see of them."""
    pairs = list(zip(runs, targets, strict=True))
    return Scores(
        values={
            DIVERGED: {"mlp": tuple(float(run.diverged) for run in runs)},
            FINAL: {"mlp": tuple(map(final_loss, runs))},
            BEST: {"mlp": tuple(map(best_loss, runs))},
            REACHES: {"mlp": tuple(reached(run, target) for run, target in pairs)},
        }
    )


def called_worse(candidates: Sequence[WorkloadRun], references: Sequence[WorkloadRun]) -> bool:
    """Whether the gate fails."""
    targets = list(map(final_loss, references))
    compared = rows(scored(candidates, targets), scored(references, targets), measures=WORKLOAD_MEASURES, cost=())
    return any(row.change is Change.WORSE for row in compared)


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    usual, slower = trained(RATE), trained(LOWER)
    generator = np.random.default_rng(0)
    print(f"called worse in {GATES} gates of {STEPS} steps")
    for seeds in (8, 16):
        same = lower = 0
        for _ in range(GATES):
            drawn = generator.permutation(TRAININGS)
            mine, others = drawn[:seeds], drawn[seeds : 2 * seeds]
            same += called_worse([usual[place] for place in others], [usual[place] for place in mine])
            lower += called_worse([slower[place] for place in mine], [usual[place] for place in mine])
        print(f"{seeds:3d} seeds: the same optimizer {same}, rate {LOWER} for {RATE} {lower}", flush=True)


if __name__ == "__main__":
    main()
