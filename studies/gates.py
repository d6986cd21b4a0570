"""How often the gate is wrong: with planted regressions that it must name, and with optimizers that did not change.

    python studies/gates.py [--tries 3] [--out reports/gates.md]

All trainings are stored, so a second run is quick. The planted optimizers are in tests/gate/planted_optimizers.py.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from spikecheck.core.scorecard import Decision, OptimizerSpec, Row, Scores
from spikecheck.gate.comparison import ALPHA, decided, rows
from spikecheck.gate.metrics import TIME
from spikecheck.gate.run import COST, scores
from spikecheck.gate.suite import contestant, own_suite
from spikecheck.lab.execution.processes import Processes
from spikecheck.lab.laboratory import Laboratory
from spikecheck.lab.store import Store, default_folder

HERE = Path(__file__).resolve().parents[1]
SEEDS = 16
NO_CONDITIONS: Mapping[str, Any] = {}
MOST = 6
"""The most rows listed per fault; the wrong sign of a momentum fails forty."""
WORDS = {Decision.REGRESSED: "named", Decision.NOT_DECIDED: "undecided", Decision.PASSED: "passed"}
OTHER = 1_000
"""Added to a root seed, for seeds that none of these gates uses otherwise."""

ADAM = contestant("torch.optim:Adam", {"lr": 0.02})
GD = contestant("gd", {"lr": 0.1})


@dataclass(frozen=True)
class Pair:
    """Two contestants, and the conditions in which their settings differ from the default suite."""

    candidate: OptimizerSpec
    reference: OptimizerSpec
    conditions: Mapping[str, Any] = field(default_factory=dict)
    seeds: int = SEEDS


SLOW_SQUARES = contestant("torch.optim:Adam", {"lr": 0.02, "betas": (0.9, 0.9999)})


def small_gradients(**numbers: float) -> OptimizerSpec:
    """Adam with gradients a million times smaller, as from a loss divided by a million."""
    return contestant("planted_optimizers:small_gradients", {"lr": 0.02, **numbers})


def decaying(name: str, weight_decay: float) -> OptimizerSpec:
    """Gradient descent with weight decay."""
    return contestant(name, {"lr": 0.1, "weight_decay": weight_decay})


PLANTED: dict[str, Pair] = {
    "Adam, beta2 0.999 -> 0.9999, 10,000 steps, 32 seeds": Pair(SLOW_SQUARES, ADAM, {"steps": 10_000}, 32),
    "Adam, eps 1e-8 -> 1e-12, gradients of 1e-6": Pair(small_gradients(eps=1e-12), small_gradients()),
    "heavy ball, wrong sign of the momentum": Pair(
        contestant("planted_optimizers:WrongMomentum", {"lr": 0.02}), contestant("heavy-ball", {"lr": 0.02})
    ),
    "gradient descent 1.3 times too fast": Pair(contestant("planted_optimizers:TooFast", {"lr": 0.1}), GD),
    "weight decay of 0.05 applied twice": Pair(
        decaying("planted_optimizers:DecaysTwice", 0.05), decaying("torch.optim:SGD", 0.05)
    ),
    "Adam, bias correction left out": Pair(contestant("planted_optimizers:Uncorrected", {"lr": 0.02}), ADAM),
    "gradient descent, every fifth step twice as long": Pair(
        contestant("planted_optimizers:EveryFifth", {"lr": 0.1}), GD
    ),
    "gradient descent that keeps every gradient": Pair(contestant("planted_optimizers:Leaks", {"lr": 0.1}), GD),
    "gradient descent at a rate of 50": Pair(contestant("torch.optim:SGD", {"lr": 50}), GD),
    "gradient descent that loses its numbers in one step of 10,000": Pair(
        contestant("planted_optimizers:LosesNumbers", {"lr": 0.1}), GD
    ),
}
SMALL: dict[str, Pair] = {
    "Adam, beta2 0.999 -> 0.9999, 1,000 and 2,000 steps": Pair(SLOW_SQUARES, ADAM),
    "Adam, eps 1e-8 -> 1e-12, gradients of 1": Pair(contestant("torch.optim:Adam", {"lr": 0.02, "eps": 1e-12}), ADAM),
    "weight decay of 0.01 applied twice": Pair(
        decaying("planted_optimizers:DecaysTwice", 0.01), decaying("torch.optim:SGD", 0.01)
    ),
}
SGD = contestant("torch.optim:SGD", {"lr": 0.1})
KNOWN_ADAM = contestant("adam", {"lr": 0.02})
OWN = {"model": "planted_model:normed", "problem": "mnist1d", "steps": 200}
FEW = (4, 8, SEEDS)
"""Seeds per setting: the first ones of each try. In the last column, a pair may have its own number."""

ALIKE: dict[str, tuple[Pair, int]] = {
    "torch.optim.SGD against gd": (Pair(SGD, GD), 0),
    "torch.optim.SGD against gd, ReLU": (Pair(SGD, GD, {"activation": "relu"}), 0),
    "torch.optim.Adam against adam, ReLU": (Pair(ADAM, KNOWN_ADAM, {"activation": "relu"}), 0),
    "torch.optim.SGD against gd, float32": (Pair(SGD, GD, {"dtype": "float32"}), 0),
    "torch.optim.Adam against adam, float32": (Pair(ADAM, KNOWN_ADAM, {"dtype": "float32"}), 0),
    "torch.optim.SGD against gd, a model of one's own": (Pair(SGD, GD, OWN), 0),
    "torch.optim.Adam against adam, a model of one's own": (Pair(ADAM, KNOWN_ADAM, OWN), 0),
    "gd against itself, other seeds": (Pair(GD, GD), OTHER),
    "Adam against itself, other seeds": (Pair(ADAM, ADAM), OTHER),
}


HEAD = (
    "Made by `python studies/gates.py`: the default suite, each try on seeds of its own. A gate names a regression when at "
    f"least one row is worse; false alarms are promised in at most {100 * ALPHA:g} of 100 gates. It is undecided, and does "
    "not pass, where something looks worse, but may not be. A row is of all settings together or of one. Gates of 4 and of 8 "
    "seeds a setting take the first ones of the largest."
)
SMALL_ONES = (
    "Three of these faults where they hardly matter: what they change is less than the margins, but for the time of a step. "
    "Why they matter above and not here: docs/decisions.md, *The gate's statistics*."
)


class Bench:
    """Scores by contestant and root seed; each contestant is trained once."""

    def __init__(self, lab: Laboratory) -> None:
        self._lab = lab
        self._known: dict[tuple[str, int, int, str], Scores] = {}

    def __call__(
        self, who: OptimizerSpec, root: int, seeds: int = SEEDS, conditions: Mapping[str, Any] = NO_CONDITIONS
    ) -> Scores:
        """The contestant's scores on the seeds of this root seed."""
        key = who.canonical(), root, seeds, repr(conditions)
        if key not in self._known:
            self._known[key] = scores(who, own_suite(conditions, seeds, root), self._lab)
            print(f"  {who.optimizer} {dict(who.options)} root {root}", file=sys.stderr, flush=True)
        return self._known[key]

    def gate(self, pair: Pair, root: int, apart: int = 0, seeds: int = 0) -> tuple[Decision, list[str]]:
        """The gate's decision and the rows that fail. The reference's root seed is shifted by `apart`."""
        own, other = (
            first(self(who, at, pair.seeds, pair.conditions), seeds or pair.seeds)
            for who, at in ((pair.candidate, root), (pair.reference, root + apart))
        )
        return told(rows(own, other), seeds or pair.seeds)


def first(measured: Scores, seeds: int) -> Scores:
    """The scores of the first `seeds` seeds; the cost of a step is kept whole."""
    return Scores(
        values={
            row: {place: values if place == COST else values[:seeds] for place, values in blocks.items()}
            for row, blocks in measured.values.items()
        }
    )


def told(table: tuple[Row, ...], seeds: int) -> tuple[Decision, list[str]]:
    """A gate's decision, and the titles of the rows that fail."""
    return decided(table, seeds)[0], [row.title for row in table if row.fails]


def simulated(pool: list[Scores], gates: int) -> Counter[Decision]:
    """Decisions of gates whose two sides are drawn without replacement from one pool of trainings of one optimizer."""
    generator = np.random.default_rng(0)
    decisions: Counter[Decision] = Counter()
    for _ in range(gates):
        sides: tuple[dict[str, dict[str, tuple[float | None, ...]]], ...] = ({}, {})
        for place in pool[0].values["spikes"] | pool[0].values[TIME[0]]:
            held = {row: [v for one in pool for v in one.values[row][place]] for row in rows_of(pool[0], place)}
            drawn = generator.permutation(len(next(iter(held.values()))))
            size = len(drawn) // len(pool) if place == COST else SEEDS
            for row, values in held.items():
                for side, part in zip(sides, (drawn[:size], drawn[size : 2 * size]), strict=True):
                    side.setdefault(row, {})[place] = tuple(values[number % len(values)] for number in part)
        decisions[told(rows(Scores(values=sides[0]), Scores(values=sides[1])), SEEDS)[0]] += 1
    return decisions


def rows_of(scores_: Scores, place: str) -> list[str]:
    """The rows with values in a setting, those with most values first."""
    held = [row for row, blocks in scores_.values.items() if place in blocks]
    return sorted(held, key=lambda row: -len(scores_.values[row][place]))


def report(tries: int, bench: Bench) -> str:
    """The tables."""
    lines = ["# How often the gate is wrong", "", HEAD, "", *planted("planted regression", PLANTED, tries, bench)]
    lines += ["", SMALL_ONES, "", *planted("smaller than the margins", SMALL, tries, bench)]
    lines += ["", "| no regression | seeds | alarms | undecided | in gates |", "|---|---:|---:|---:|---:|"]
    for name, (pair, apart) in ALIKE.items():
        for seeds in FEW:
            gates = [bench.gate(pair, root, apart, seeds) for root in range(tries)]
            named = ", ".join(sorted({row for _, one in gates for row in one}))
            lines.append(alarms(f"{name}{named and f' ({named})'}", seeds, Counter(decision for decision, _ in gates)))
    for name, who in {"gd": GD, "Adam": ADAM}.items():
        pool = [bench(who, root) for root in range(tries)]
        drawn = f"{name}: both sides drawn from {SEEDS * tries} trainings a setting"
        lines.append(alarms(drawn, SEEDS, simulated(pool, 100)))
    return "\n".join([*lines, ""])


def alarms(name: str, seeds: int, decisions: Counter[Decision]) -> str:
    """A row of the table of gates that should pass."""
    return f"| {name} | {seeds} | {decisions[Decision.REGRESSED]} | {decisions[Decision.NOT_DECIDED]} | {decisions.total()} |"


def planted(title: str, pairs: Mapping[str, Pair], tries: int, bench: Bench) -> list[str]:
    """A table of faults: the decisions of gates with different numbers of seeds, and the rows that name each fault."""
    columns = " | ".join(f"{seeds} seeds" for seeds in FEW)
    lines = [
        f"| {title} | {columns} | by the rows (in so many of {tries} tries with the most seeds) |",
        "|---|---|---|---|---|",
    ]
    for name, pair in pairs.items():
        cells = []
        for seeds in (*FEW[:-1], pair.seeds):
            gates = [bench.gate(pair, root, seeds=seeds) for root in range(tries)]
            decisions = Counter(decision for decision, _ in gates)
            cells.append(", ".join(f"{count} {WORDS[decision]}" for decision, count in decisions.most_common()))
        counted = Counter(row for _, one in gates for row in one)
        said = ", ".join(f"{row} ({count})" for row, count in counted.most_common(MOST)) or "none"
        more = len(counted) - MOST
        lines.append(f"| {name} | {' | '.join(cells)} | {said}{f' and {more} more' if more > 0 else ''} |")
    return lines


def main() -> None:
    """Train what is not stored yet, and write the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tries", type=int, default=3)
    parser.add_argument("--store", type=Path, default=None)
    parser.add_argument("--out", type=Path, default=HERE / "reports" / "gates.md")
    asked = parser.parse_args()
    sys.path.append(str(HERE / "tests" / "gate"))
    began = time.monotonic()
    lab = Laboratory(Store(asked.store or default_folder()), executor=Processes())
    text = report(asked.tries, Bench(lab))
    asked.out.write_text(text, encoding="utf-8")
    lab.close()
    print(text)
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
