"""What the looks of a gate cost: `python studies/late_looks_cost.py [--steps 500] [--pairs 5] [--workloads gpt]`.

Workloads trained in turns with and without 20 looks in the last tenth of the steps. Printed: the ratio of their processor
times, the median over pairs with its range.
"""

import argparse
import time

import numpy as np
import torch

from spikecheck.gate.workload_suite import LOOKS
from spikecheck.watch.late_looks import LateLooks
from spikecheck.watch.workload import Workload


def seconds(name: str, steps: int, looks: int) -> float:
    """Of the processor, for one training."""
    training = Workload.of(name).make(None, 0, "cpu")
    watched = LateLooks(training, steps, looks)
    began = time.process_time()
    watched.run(steps)
    watched.close()
    return time.process_time() - began


def main() -> None:
    """Print a line a workload."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--workloads", nargs="+", default=("gpt", "resnet", "mlp"))
    asked = parser.parse_args()
    torch.set_num_threads(1)
    for name in asked.workloads:
        ratios = [seconds(name, asked.steps, LOOKS) / seconds(name, asked.steps, 0) for _ in range(asked.pairs)]
        print(f"{name}: {np.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})", flush=True)


if __name__ == "__main__":
    main()
