"""How large the planted faults' effects on gpt are, row by row, and how many seeds would name them.

    python studies/workload_gate_differences.py [--tries 1] [--store FOLDER]

The faults are those of workload_gate.py, at roots of seeds that no other study uses. Seeds of all tries are taken together:
each row's mean difference from torch's AdamW with a 95 % interval, beside the row's margin. Where the whole interval lies
above the margin, the number of seeds is given at which a gate would name the row with 80 % probability.
"""

import argparse
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikecheck.core.scorecard import FIRST_STEPS
from spikecheck.gate.comparison import level
from spikecheck.gate.metrics import Measure
from spikecheck.gate.workload_suite import (
    BEST,
    FINAL,
    OVERSHOOT,
    REACHES,
    SAME_RULE,
    WORKLOAD_MEASURES,
)
from spikecheck.lab.store import Store, default_folder
from spikecheck.stats.averages import mean_interval
from spikecheck.stats.paired import detectable_in_spreads
from studies.workload_gate import PLANTED, TORCHS, Bench, Side, scored, written

HERE = Path(__file__).resolve().parents[1]
ROOT, WORKLOAD = 5_100, "gpt"
ROWS = (FINAL, BEST, REACHES, OVERSHOOT, FIRST_STEPS)
_SEEDS = (4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)

HEAD = """# How large the planted faults are

Made by `python studies/workload_gate_differences.py`: {seeds} seeds of gpt at 300 steps, roots from {root}. Each cell is the
mean difference from torch's AdamW on the same seed, with a 95 % interval; *first steps* is the mean of its size. Where the
interval lies above the margin, *n* is the number of seeds with which a gate names the row in 80 % of cases; *within* says that
it lies below the margin, so that no number of seeds would name it and none should.

Expected of *first steps*, written before anything was trained: bias correction left out 2.6 (Adam's first ten steps are then
three to six times as long); β₂ = .9999 nothing, with its correction; both together 4.2; ε = 1e-3 at least 0.15, since clipped
gradients of 10⁴ parameters are about 0.01; a coupled weight decay nothing, since the preconditioner makes steps of one length;
the lost warm-up 4 (ten steps of the whole rate in place of 55 hundredths of one); a rate a quarter lower 0.42.

| fault | {rows} |
|---|{dashes}|
| *margin* | {margins} |
"""


def measures() -> dict[str, Measure]:
    """The rows that are shown."""
    known = {measure.name: measure for measure in (*WORKLOAD_MEASURES, *SAME_RULE)}
    return {name: known[name] for name in ROWS}


def differences(bench: Bench, candidate: Side, reference: Side) -> dict[str, NDArray[np.float64]]:
    """Of each row, candidate minus reference on each seed for which both have a number."""
    other = scored(WORKLOAD, bench.runs(reference), None)
    own = scored(WORKLOAD, bench.runs(candidate), other)
    pairs = {name: (own.values[name][WORKLOAD], other.values[name][WORKLOAD]) for name in ROWS if name != FIRST_STEPS}
    bench.begin("first steps", [candidate, reference])
    pairs[FIRST_STEPS] = (bench.ways(candidate), bench.ways(reference))
    return {name: _apart(measures()[name], *sides) for name, sides in pairs.items()}


def _apart(measure: Measure, own: Sequence[float | None], other: Sequence[float | None]) -> NDArray[np.float64]:
    apart = np.array([a - b for a, b in zip(own, other, strict=True) if a is not None and b is not None])
    return np.abs(apart) if measure.either_way else apart


def cell(measure: Measure, apart: NDArray[np.float64]) -> str:
    """The mean difference, its interval, and what it takes to name it."""
    bounds = mean_interval(apart, 0.025)
    told = f"{bounds.estimate:.3f} ({bounds.low:.3f} to {bounds.high:.3f})"
    if bounds.high < measure.margin:
        return f"{told}, within"
    return told if bounds.low <= measure.margin else f"{told}, n = {seeds_to_name(measure, apart)}"


def seeds_to_name(measure: Measure, apart: NDArray[np.float64]) -> str:
    """The fewest seeds, of a list, with which the difference is found with 80 % probability at the gate's first level."""
    spread, beyond = float(apart.std(ddof=1)), float(apart.mean()) - measure.margin
    enough = (seeds for seeds in _SEEDS if spread * _spreads(seeds) <= beyond)
    return str(next(enough, f"over {_SEEDS[-1]}"))


@cache
def _spreads(seeds: int) -> float:
    return detectable_in_spreads(seeds, 1, level(1, "mean"))


def lines(bench: Bench, tries: int) -> Iterator[str]:
    """The page, line by line."""
    shown = measures()
    yield HEAD.format(
        seeds=tries * Side(TORCHS, WORKLOAD, ROOT).seeds,
        root=ROOT,
        rows=" | ".join(f"{name}, {measure.unit}" for name, measure in shown.items()),
        dashes="---:|" * len(shown),
        margins=" | ".join(f"{measure.margin:g}" for measure in shown.values()),
    ).replace("|\n| *margin*", "\n| *margin*")
    roots = range(ROOT, ROOT + tries)
    references = [Side(TORCHS, WORKLOAD, root) for root in roots]
    bench.train("AdamW", references)
    for fault, who in {"none: AdamW written out": written(), **PLANTED}.items():
        sides = [Side(who, WORKLOAD, root) for root in roots]
        bench.train(fault, sides)
        each = [differences(bench, *pair) for pair in zip(sides, references, strict=True)]
        joined = {name: np.concatenate([one[name] for one in each]) for name in ROWS}
        yield f"| {fault} | {' | '.join(cell(shown[name], apart) for name, apart in joined.items())} |\n"


def main() -> None:
    """Train what is not stored yet, and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tries", type=int, default=1, help="gates of 8 seeds")
    parser.add_argument("--workers", type=int, default=None)
    parser.add_argument("--store", type=Path, default=None)
    parser.add_argument("--out", type=Path, default=HERE / "reports" / "workload-gate-differences.md")
    asked = parser.parse_args()
    bench, text = Bench(Store(asked.store or default_folder()), asked.workers), ""
    for each in lines(bench, asked.tries):
        text += each
        asked.out.write_text(text, encoding="utf-8")
        print(each, end="", flush=True)


if __name__ == "__main__":
    main()
