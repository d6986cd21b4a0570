"""How often the gate is wrong: planted regressions that it must name, and optimizers that are what they were.

    python docs/gates.py [--tries 10] [--out reports/gates.md]

Everything trained is stored, so a second run is quick. Planted optimizers: tests/gate/planted_optimizers.py.
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

from spikecheck.core.scorecard import Contestant, Row, Scores
from spikecheck.gate.gate import COST, scores
from spikecheck.gate.judge import ALPHA, rows
from spikecheck.gate.suite import contestant, own_suite
from spikecheck.lab.execution import Processes
from spikecheck.lab.laboratory import Laboratory
from spikecheck.lab.store import Store, default_folder

HERE = Path(__file__).resolve().parents[1]
SEEDS = 16
NO_CONDITIONS: Mapping[str, Any] = {}
OTHER = 1_000
"""Added to a root: seeds that no gate of these has seen."""

ADAM = contestant("torch.optim:Adam", {"lr": 0.02})
GD = contestant("gd", {"lr": 0.1})


@dataclass(frozen=True)
class Pair:
    """Two contestants, and what their settings have otherwise than the default suite."""

    candidate: Contestant
    reference: Contestant
    conditions: Mapping[str, Any] = field(default_factory=dict)
    seeds: int = SEEDS


SLOW_SQUARES = contestant("torch.optim:Adam", {"lr": 0.02, "betas": (0.9, 0.9999)})


def small_gradients(**numbers: float) -> Contestant:
    """Adam where the loss is averaged over a million."""
    return contestant("planted_optimizers:small_gradients", {"lr": 0.02, **numbers})


def decaying(name: str, weight_decay: float) -> Contestant:
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
}
SMALL: dict[str, Pair] = {
    "Adam, beta2 0.999 -> 0.9999, 1,000 and 2,000 steps": Pair(SLOW_SQUARES, ADAM),
    "Adam, eps 1e-8 -> 1e-12, gradients of 1": Pair(contestant("torch.optim:Adam", {"lr": 0.02, "eps": 1e-12}), ADAM),
    "weight decay of 0.01 applied twice": Pair(
        decaying("planted_optimizers:DecaysTwice", 0.01), decaying("torch.optim:SGD", 0.01)
    ),
}
ALIKE: dict[str, tuple[Pair, int]] = {
    "torch.optim.SGD against gd": (Pair(contestant("torch.optim:SGD", {"lr": 0.1}), GD), 0),
    "gd against itself, other seeds": (Pair(GD, GD), OTHER),
    "Adam against itself, other seeds": (Pair(ADAM, ADAM), OTHER),
}


HEAD = (
    f"Made by `python docs/gates.py`: the default suite, {SEEDS} seeds a setting, each try on seeds of its own. A gate alarms "
    f"when it names at least one row as worse; false alarms are promised in at most {100 * ALPHA:g} of 100 gates. A row is of "
    "all settings together or of one."
)
SMALL_ONES = (
    "Three of these faults where they hardly matter: what they change is less than the margins, but for the time of a step. "
    "Why they matter above and not here: docs/decisions.md, *The gate's statistics*."
)


class Bench:
    """Scores by contestant and root; each is trained once."""

    def __init__(self, lab: Laboratory) -> None:
        self._lab = lab
        self._known: dict[tuple[str, int, int, str], Scores] = {}

    def __call__(
        self, who: Contestant, root: int, seeds: int = SEEDS, conditions: Mapping[str, Any] = NO_CONDITIONS
    ) -> Scores:
        """The contestant's scores on the seeds of this root."""
        key = who.canonical(), root, seeds, repr(conditions)
        if key not in self._known:
            self._known[key] = scores(who, own_suite(conditions, seeds, root), self._lab)
            print(f"  {who.optimizer} {dict(who.options)} root {root}", file=sys.stderr, flush=True)
        return self._known[key]

    def gate(self, pair: Pair, root: int, apart: int = 0) -> list[str]:
        """The rows that fail, the reference trained on seeds of its own where it is `apart`."""
        own = self(pair.candidate, root, pair.seeds, pair.conditions)
        return worse(rows(own, self(pair.reference, root + apart, pair.seeds, pair.conditions)))


def worse(found: tuple[Row, ...]) -> list[str]:
    """The rows for which a gate fails."""
    return [row.title for row in found if row.fails]


def simulated(pool: list[Scores], gates: int) -> int:
    """False alarms among gates whose two sides are drawn from one pool of trainings of one optimizer, without replacement."""
    generator = np.random.default_rng(0)
    alarms = 0
    for _ in range(gates):
        sides: tuple[dict[str, dict[str, tuple[float | None, ...]]], ...] = ({}, {})
        for row, blocks in pool[0].values.items():
            for place in blocks:
                values = [v for one in pool for v in one.values[row][place]]
                drawn = generator.permutation(len(values))
                size = len(values) // len(pool) if place == COST else SEEDS
                for side, part in zip(sides, (drawn[:size], drawn[size : 2 * size]), strict=True):
                    side.setdefault(row, {})[place] = tuple(values[number] for number in part)
        alarms += bool(worse(rows(Scores(values=sides[0]), Scores(values=sides[1]))))
    return alarms


def report(tries: int, bench: Bench) -> str:
    """The tables."""
    lines = ["# How often the gate is wrong", "", HEAD, "", *planted("planted regression", PLANTED, tries, bench)]
    lines += ["", SMALL_ONES, "", *planted("smaller than the margins", SMALL, tries, bench)]
    lines += ["", "| no regression | alarms | in gates |", "|---|---:|---:|"]
    for name, (pair, apart) in ALIKE.items():
        found = [bench.gate(pair, root, apart) for root in range(tries)]
        named = ", ".join(sorted({row for one in found for row in one}))
        lines.append(f"| {name} | {sum(map(bool, found))}{named and f' ({named})'} | {tries} |")
    for name, who in {"gd": GD, "Adam": ADAM}.items():
        pool = [bench(who, root) for root in range(tries)]
        drawn = f"both sides drawn from {SEEDS * tries} trainings a setting"
        lines.append(f"| {name}: {drawn} | {simulated(pool, 100)} | 100 |")
    return "\n".join([*lines, ""])


def planted(title: str, pairs: Mapping[str, Pair], tries: int, bench: Bench) -> list[str]:
    """A table of faults: in how many tries each was named, and by which rows."""
    lines = [f"| {title} | named in | by the rows (in so many tries) |", "|---|---:|---|"]
    for name, pair in pairs.items():
        found = [bench.gate(pair, root) for root in range(tries)]
        counted = Counter(row for one in found for row in one)
        said = ", ".join(f"{row} ({count})" for row, count in counted.most_common()) or "none"
        lines.append(f"| {name} | {sum(map(bool, found))} of {tries} | {said} |")
    return lines


def main() -> None:
    """Train what is not stored, and write the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tries", type=int, default=10)
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
