"""How often the gate on workloads is right: gates whose truth is known, on gpt and resnet, and redrawn ones on mlp.

    python studies/workload_gate.py [--nulls 20,10] [--tries 5,3] [--only resnet] [--no-mlp] [--out reports/workload-gates.md]

The first table has gates as `spikecheck gate --workload` holds them, with 8 seeds, at roots that no other study uses: without
a fault (torch's AdamW against AdamW written out, which rounds otherwise, and against itself on other seeds) the gate must
stay silent, and each planted fault should be named. The second redraws gates from 200 trainings of mlp. All trainings are
stored: a run that is stopped goes on where it was. With --only the lines of other workloads stay as they are on the page.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from spikecheck.core.scorecard import Change, Decision, OptimizerSpec, Row, Scores
from spikecheck.gate.comparison import ALPHA, decided, rows
from spikecheck.gate.curves import band_of
from spikecheck.gate.suite import contestant
from spikecheck.gate.workload_figures import figures, final_loss
from spikecheck.gate.workload_first_steps import STEPS, FirstStepsOrder, way
from spikecheck.gate.workload_suite import FINAL, WORKLOAD_MEASURES, WorkloadSuite, choice_of, workload_suite
from spikecheck.lab.store import Store, default_folder
from spikecheck.watch.processes import train_all
from spikecheck.watch.runs import Order, WorkloadRun

HERE = Path(__file__).resolve().parents[1]
SEEDS, FIRST_ROOT = 8, 4_100
LOOKED_AT = tuple(measure.name for measure in WORKLOAD_MEASURES)
"""The rows that trainings tell: time depends on what else the machine does, and memory is one exact number."""

WORKLOADS: Mapping[str, Mapping[str, Any]] = {
    "gpt": {"workload": "gpt", "steps": 300},
    "resnet": {"workload": "resnet", "steps": 200, "batch": 8},
}
RATE = 3e-3
ADAMW = {"lr": RATE, "betas": (0.9, 0.999), "weight_decay": 0.1}
TORCHS = contestant("torch.optim:AdamW", ADAMW)


def written(**fault: Any) -> OptimizerSpec:
    """AdamW written out, with a fault."""
    return contestant("planted_adamw:WrittenAdamW", {**ADAMW, **fault})


PLANTED: Mapping[str, OptimizerSpec] = {
    "bias correction left out": written(corrected=False),
    "β₂ .999 → .9999": written(betas=(0.9, 0.9999)),
    "β₂ .999 → .9999 and bias correction left out": written(betas=(0.9, 0.9999), corrected=False),
    "ε 1e-8 → 1e-3": written(eps=1e-3),
    "weight decay coupled": written(decoupled=False),
    "warm-up lost": written(without_warmup=100),
    "the rate a quarter lower": written(lr=0.75 * RATE),
}

WORDS = {Decision.REGRESSED: "named", Decision.NOT_DECIDED: "undecided", Decision.PASSED: "passed"}
TRAININGS, MLP_STEPS, REDRAWN = 200, 100, 300
MLP = {"workload": "mlp", "steps": MLP_STEPS}


@dataclass(frozen=True)
class Side:
    """One side of a gate."""

    who: OptimizerSpec
    name: str
    root: int
    seeds: int = SEEDS

    @cached_property
    def suite(self) -> WorkloadSuite:
        """What it is trained on."""
        known = MLP if self.name == "mlp" else WORKLOADS[self.name]
        return workload_suite(known, self.seeds, self.root, LOOKED_AT)

    def orders(self) -> list[Order]:
        """Its trainings."""
        suite, chosen = self.suite, choice_of(self.who)
        looks = suite.looks if self.name in WORKLOADS else 0
        return [Order(suite.workload, seed, suite.steps, chosen, looks=looks) for seed in suite.own_seeds()]

    def beginnings(self) -> list[Order]:
        """The first steps of its trainings, which are measured; the schedule is that of the whole training."""
        suite, chosen = self.suite, choice_of(self.who)
        return [FirstStepsOrder(suite.workload, seed, STEPS, chosen) for seed in suite.own_seeds()]


class Bench:
    """Trains what is not stored, all at once, and keeps the runs at hand."""

    def __init__(self, store: Store, workers: int | None) -> None:
        self._store, self._workers = store, workers
        self._runs: dict[Order, WorkloadRun] = {}

    def train(self, what: str, sides: Sequence[Side]) -> None:
        """Train the sides' trainings, with a line of progress now and then."""
        self._make(what, [order for side in sides for order in side.orders()])

    def begin(self, what: str, sides: Sequence[Side]) -> None:
        """Likewise, the first steps alone."""
        self._make(what, [order for side in sides for order in side.beginnings()])

    def _make(self, what: str, orders: Sequence[Order]) -> None:
        wanted = [order for order in dict.fromkeys(orders) if order not in self._runs]
        began = told = time.monotonic()
        for number, (place, run) in enumerate(train_all(wanted, self._store, self._workers), 1):
            self._runs[wanted[place]] = run
            if time.monotonic() - told > 10 or number == len(wanted):
                told = time.monotonic()
                left = (told - began) / number * (len(wanted) - number)
                print(f"{what}: {number} of {len(wanted)} trainings, {left:.0f} s left", file=sys.stderr, flush=True)

    def runs(self, side: Side) -> list[WorkloadRun]:
        """Those of a side, in the order of its seeds."""
        return [self._runs[order] for order in side.orders()]

    def ways(self, side: Side) -> tuple[float | None, ...]:
        """log2 of the way of its first steps, seed by seed."""
        return tuple(way(self._runs[order]) for order in side.beginnings())

    def seconds(self, sides: Sequence[Side]) -> float:
        """That the sides' trainings take on one core."""
        runs = [run for side in sides for run in self.runs(side)]
        return sum(run.seconds_a_step * len(run.losses) for run in runs)

    def gate(self, candidate: Side, reference: Side) -> tuple[Decision, tuple[Row, ...]]:
        """The gate's decision, and its rows."""
        other = scored(reference.name, self.runs(reference), None)
        found = rows(scored(candidate.name, self.runs(candidate), other), other, ALPHA, reference.suite.measures, ())
        return decided(found, SEEDS)[0], found


def scored(place: str, runs: Sequence[WorkloadRun], reference: Scores | None) -> Scores:
    """The gate's numbers of these runs."""
    targets = tuple(map(final_loss, runs)) if reference is None else reference.values[FINAL][place]
    found = [figures(run, target) for run, target in zip(runs, targets, strict=True)]
    values = {row: {place: tuple(one[row] for one in found)} for row in LOOKED_AT}
    return Scores(values=values, curves={place: band_of([run.losses for run in runs], runs[0].order.steps)})


def table(bench: Bench, name: str, nulls: int, tries: int) -> Iterator[str]:
    """The first table's lines of one workload."""
    roots = range(FIRST_ROOT, FIRST_ROOT + nulls)
    torchs = {root: Side(TORCHS, name, root) for root in (*roots, FIRST_ROOT + nulls)}
    alike = [(Side(written(), name, root), torchs[root]) for root in roots]
    others = [(torchs[root + 1], torchs[root]) for root in roots]
    bench.train(f"{name}, AdamW", list(torchs.values()))
    yield line(bench, name, "none: AdamW on other seeds", others)
    bench.train(f"{name}, AdamW written out", [side for side, _ in alike])
    yield line(bench, name, "none: AdamW written out", alike)
    for fault, who in PLANTED.items() if tries else ():
        sides = [(Side(who, name, root), torchs[root]) for root in roots[:tries]]
        bench.train(f"{name}, {fault}", [side for side, _ in sides])
        yield line(bench, name, fault, sides)
    seconds = np.median([bench.seconds(sides) for sides in alike])
    print(f"{name}: the {2 * SEEDS} trainings of a gate take {seconds:.0f} s of one core", file=sys.stderr, flush=True)


def line(bench: Bench, name: str, fault: str, gates: Sequence[tuple[Side, Side]]) -> str:
    """How gates with one fault were decided, and by which rows."""
    held = [bench.gate(*sides) for sides in gates]
    decisions = Counter(decision for decision, _ in held)
    words = ", ".join(f"{decisions[each]} {word}" for each, word in WORDS.items() if decisions[each])
    named = Counter(row.name for _, found in held for row in found if row.fails)
    better = Counter(row.name for _, found in held for row in found if row.change is Change.BETTER)
    cells = [", ".join(f"{row} ({count})" for row, count in each.most_common()) or "none" for each in (named, better)]
    print(f"{name}, {fault}: {words}; worse: {cells[0]}", file=sys.stderr, flush=True)
    return f"| {name} | {fault} | {words} | {cells[0]} | {cells[1]} |"


def redrawn(bench: Bench) -> Iterator[str]:
    """The second table's lines: Adam at 0.003 against itself and against 0.0025, gates drawn from the same trainings."""
    usual, lower = (Side(contestant("adam", {"lr": lr}), "mlp", FIRST_ROOT, TRAININGS) for lr in (0.003, 0.0025))
    bench.train("mlp", [usual, lower])
    runs = {side: bench.runs(side) for side in (usual, lower)}
    generator = np.random.default_rng(0)
    for seeds in (8, 16):
        same = slower = 0
        for _ in range(REDRAWN):
            drawn = generator.permutation(TRAININGS)
            mine, others = drawn[:seeds], drawn[seeds : 2 * seeds]
            reference = scored("mlp", [runs[usual][place] for place in mine], None)
            same += alarms(usual.suite, [runs[usual][place] for place in others], reference)
            slower += alarms(usual.suite, [runs[lower][place] for place in mine], reference)
        yield f"| {seeds} | {same} | {slower} |"


def alarms(suite: WorkloadSuite, candidates: Sequence[WorkloadRun], reference: Scores) -> bool:
    """Whether a gate of these runs calls a row worse."""
    found = rows(scored("mlp", candidates, reference), reference, ALPHA, suite.measures, ())
    return any(row.fails for row in found)


HEAD = """# How often the gate on workloads is right

Made by `python studies/workload_gate.py`: {seeds} seeds a gate, roots from {root}, {settings}.
The reference is torch's AdamW with {adamw}. *Named* are gates in which a row is worse. Time and memory are not looked at
here. Gates on other seeds use each training twice. *First steps*, which the gate shows without an alarm, are in a
table of their own, workload-gate-first-steps.md.

Expected, written before anything was trained: all gates without a fault are silent; what is left out or coupled, the lost
warm-up and the lower rate are named; β₂ alone is not, since its memory of 1,000 steps is longer than these trainings; of ε
nothing was expected.

Expected of resnet, written after gpt's table and before a fault was trained on it: all gates without a fault are silent, and
none of the seven faults is named by these rows. A batch has 8 images: the final losses of two trainings on one seed will
differ by about a quarter (0.1 in log10), so that eight seeds find a mean difference of 0.3, and the largest on gpt, of the
coupled decay, was 0.1.

| workload | fault | gates | worse, in how many | better, in how many |
|---|---|---|---|---|
"""
REDRAWN_HEAD = f"""
Of {REDRAWN} gates that are drawn from {TRAININGS} trainings of mlp with Adam at rate 0.003, so many call a row worse, without
a fault and with a rate of 0.0025:

| seeds | the same optimizer | a lower rate |
|---:|---:|---:|
"""


def lines(
    bench: Bench, nulls: Sequence[int], tries: Sequence[int], kept: Mapping[str, str], *, mlp: bool
) -> Iterator[str]:
    """The page, line by line; `nulls` and `tries` are gates without a fault and with each fault, by workload.

    The lines of some workloads are `kept`, and nothing of them is trained.
    """
    yield HEAD.format(
        seeds=SEEDS,
        root=FIRST_ROOT,
        settings="; ".join(", ".join(f"{key} {value}" for key, value in known.items()) for known in WORKLOADS.values()),
        adamw=", ".join(f"{key} {value}" for key, value in ADAMW.items()),
    )
    for name, *gates in zip(WORKLOADS, nulls, tries, strict=True):
        yield from [kept[name]] if name in kept else (f"{each}\n" for each in table(bench, name, *gates))
    if mlp:
        yield REDRAWN_HEAD
        yield from (f"{each}\n" for each in redrawn(bench))


def of_others(page: Path, only: str | None) -> dict[str, str]:
    """The lines that a page has of all workloads but one; none where no one is chosen."""
    if only is None:
        return {}
    there = page.read_text(encoding="utf-8").splitlines(keepends=True)
    return {
        name: "".join(each for each in there if each.startswith(f"| {name} |")) for name in WORKLOADS if name != only
    }


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(","))


def main() -> None:
    """Train what is not stored yet, and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--nulls", type=_numbers, default=(20, 10), help="gates without a fault, on gpt and on resnet")
    parser.add_argument("--tries", type=_numbers, default=(5, 3), help="gates with each fault, on gpt and on resnet")
    parser.add_argument("--only", choices=tuple(WORKLOADS), help="train this workload, and keep the page's other lines")
    parser.add_argument("--workers", type=int, default=None)
    parser.add_argument("--store", type=Path, default=None)
    parser.add_argument("--out", type=Path, default=HERE / "reports" / "workload-gates.md")
    parser.add_argument("--no-mlp", action="store_true", help="leave out the second table")
    asked = parser.parse_args()
    bench, text = Bench(Store(asked.store or default_folder()), asked.workers), ""
    kept = of_others(asked.out, asked.only)
    for each in lines(bench, asked.nulls, asked.tries, kept, mlp=not asked.no_mlp):
        text += each
        asked.out.write_text(text, encoding="utf-8")  # what is done stays, whenever it is stopped
    print(text)


if __name__ == "__main__":
    main()
