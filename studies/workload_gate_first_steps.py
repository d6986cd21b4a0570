"""Whether *first steps* tell a changed update rule, on gpt and resnet: 20 gates without a fault, 5 with each planted fault.

    python studies/workload_gate_first_steps.py [--nulls 20] [--tries 5] [--only resnet] [--store FOLDER]

The gates are those of workload_gate.py: the same seeds, optimizers and faults. Only the first ten steps are made, under the
schedule of the whole training. Each is stored, so that a run that is stopped goes on where it was. With --only the other
workload's lines stay as they are on the page.
"""

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from spikecheck.core.scorecard import FIRST_STEPS, Change, Row, Scores
from spikecheck.gate.comparison import ALPHA, rows
from spikecheck.gate.metrics import Measure
from spikecheck.gate.workload_suite import SAME_RULE, WORKLOAD_COST, WORKLOAD_MEASURES
from spikecheck.lab.store import Store, default_folder
from spikecheck.report import atomic_write
from spikecheck.stats.averages import mean_interval
from studies.workload_gate import FIRST_ROOT, PLANTED, SEEDS, TORCHS, WORKLOADS, Bench, Side, of_others, written

HERE = Path(__file__).resolve().parents[1]
NULL = "none: AdamW written out"
(NAMED,) = SAME_RULE
DESCRIBED = replace(NAMED, alarms=False)
TESTED = sum(each.alarms and each.law == "mean" for each in (*WORKLOAD_MEASURES, NAMED, *WORKLOAD_COST))
"""Rows that would share the error if this one raised an alarm by default: the first of them is tested at a share of it."""
WORDS = {Change.WORSE: "differs", Change.SAME: "same", Change.UNDECIDED: "undecided"}

HEAD = """# First steps of the planted faults

Made by `python studies/workload_gate_first_steps.py`: {seeds} seeds a gate, the gates of workload-gates.md. *First steps* is
the mean over all seeds of how far candidate and torch's AdamW lie apart, in log2 of the way of ten steps, with a 95 %
interval; the margin is {margin}. *By default* is the word of the row as the gate shows it; *alarm among all rows* counts the
gates in which the row would be named if it shared its error with the {others} other means, its strictest level.

Expected, written before anything was trained, by fault on gpt and on resnet: AdamW written out below 0.01, "same" in all; bias
correction left out 2.5 and 2.6 (the factor (1 - β₁ᵗ) / √(1 - β₂ᵗ) on the steps, averaged under the warm-up); β₂ = .9999 with
its correction 0.00, "same"; both 4.0 and 4.3, since β₂'s factor is √10 times as large; the lost warm-up 3.9 and 1.7 to 1.9
(resnet's warm-up is 20 steps and not 100); a rate a quarter lower 0.41 on both. These four differ in all gates, also at the
strictest level. ε = 1e-3 0.5 and, since resnet's gradients are not clipped, 0.1 to 0.4; a coupled decay 0.3 on gpt. Both of
gpt's figures are those of other seeds (workload-gate-differences.md). Of the coupled decay on resnet nothing is expected.

| workload | fault | first steps | gates by default | alarm among all rows |
|---|---|---:|---|---:|
"""


def judged(own: Sequence[float | None], other: Sequence[float | None], measure: Measure, alpha: float) -> Row:
    """The row of a gate whose only row it is."""
    candidate, reference = (Scores(values={FIRST_STEPS: {"here": tuple(values)}}) for values in (own, other))
    (row,) = rows(candidate, reference, alpha, (measure,), ())
    return row


def line(bench: Bench, workload: str, fault: str, gates: Sequence[tuple[Side, Side]]) -> str:
    """How far the sides of some gates lie apart, and how often the row says so."""
    bench.begin(f"{workload}, {fault}", [side for sides in gates for side in sides])
    ways = [(bench.ways(own), bench.ways(other)) for own, other in gates]
    apart = np.abs([a - b for pair in ways for a, b in zip(*pair, strict=True) if a is not None and b is not None])
    mean = mean_interval(apart, 0.025)
    words = Counter(judged(*pair, DESCRIBED, ALPHA).change for pair in ways)
    said = ", ".join(f"{words[change]} {word}" for change, word in WORDS.items() if words[change])
    named = sum(judged(*pair, NAMED, ALPHA / TESTED).fails for pair in ways)
    told = f"{mean.estimate:.3f} ({mean.low:.3f} to {mean.high:.3f})"
    return f"| {workload} | {fault} | {told} | {said} | {named} of {len(gates)} |"


def lines(bench: Bench, nulls: int, tries: int, kept: Mapping[str, str]) -> Iterator[str]:
    """The page, line by line; the lines of some workloads are `kept`."""
    yield HEAD.format(seeds=SEEDS, margin=NAMED.margin, others=TESTED - 1)
    for workload in WORKLOADS:
        if workload in kept:
            yield kept[workload]
            continue
        for fault, who in {NULL: written(), **PLANTED}.items():
            roots = range(FIRST_ROOT, FIRST_ROOT + (nulls if fault == NULL else tries))
            gates = [(Side(who, workload, root), Side(TORCHS, workload, root)) for root in roots]
            yield f"{line(bench, workload, fault, gates)}\n"


def main() -> None:
    """Make the steps that are not stored yet, and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--nulls", type=int, default=20, help="gates without a fault, on each workload")
    parser.add_argument("--tries", type=int, default=5, help="gates with each fault")
    parser.add_argument("--only", choices=tuple(WORKLOADS), help="this workload; the page's other lines are kept")
    parser.add_argument("--workers", type=int, default=None)
    parser.add_argument("--store", type=Path, default=None)
    parser.add_argument("--out", type=Path, default=HERE / "reports" / "workload-gate-first-steps.md")
    asked = parser.parse_args()
    bench, text = Bench(Store(asked.store or default_folder()), asked.workers), ""
    for each in lines(bench, asked.nulls, asked.tries, of_others(asked.out, asked.only)):
        text += each
        print(each, end="", flush=True)
        atomic_write.write(text.encode(), asked.out, "--out")  # what is done stays, whenever it is stopped


if __name__ == "__main__":
    main()
