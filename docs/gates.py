"""How often the gate is wrong: planted regressions that it must name, and optimizers that are what they were.

    python docs/gates.py [--tries 10] [--out reports/gates.md]

Everything trained is stored, so a second run is quick. Planted optimizers: tests/gate/planted_optimizers.py.
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

from spikecheck.core.scorecard import Change, Contestant, Row, Scores
from spikecheck.gate.gate import COST, scores
from spikecheck.gate.judge import ALPHA, rows
from spikecheck.gate.suite import Suite, contestant
from spikecheck.lab.execution import Processes
from spikecheck.lab.laboratory import Laboratory
from spikecheck.lab.store import Store, default_folder

HERE = Path(__file__).resolve().parents[1]
OTHER = 1_000
"""Added to a root: seeds that no gate of these has seen."""

PLANTED: dict[str, tuple[Contestant, Contestant]] = {
    "Adam, beta2 0.999 -> 0.9999": (
        contestant("torch.optim:Adam", {"lr": 0.02, "betas": (0.9, 0.9999)}),
        contestant("torch.optim:Adam", {"lr": 0.02}),
    ),
    "Adam, eps 1e-8 -> 1e-12": (
        contestant("torch.optim:Adam", {"lr": 0.02, "eps": 1e-12}),
        contestant("torch.optim:Adam", {"lr": 0.02}),
    ),
    "heavy ball, wrong sign of the momentum": (
        contestant("planted_optimizers:WrongMomentum", {"lr": 0.02}),
        contestant("heavy-ball", {"lr": 0.02}),
    ),
    "gradient descent 1.3 times too fast": (
        contestant("planted_optimizers:TooFast", {"lr": 0.1}),
        contestant("gd", {"lr": 0.1}),
    ),
    "weight decay applied twice": (
        contestant("planted_optimizers:DecaysTwice", {"lr": 0.1, "weight_decay": 0.01}),
        contestant("torch.optim:SGD", {"lr": 0.1, "weight_decay": 0.01}),
    ),
    "Adam, bias correction left out": (
        contestant("planted_optimizers:Uncorrected", {"lr": 0.02}),
        contestant("torch.optim:Adam", {"lr": 0.02}),
    ),
}
ALIKE: dict[str, tuple[Contestant, Contestant, int]] = {
    "torch.optim.SGD against gd": (contestant("torch.optim:SGD", {"lr": 0.1}), contestant("gd", {"lr": 0.1}), 0),
    "gd against itself, other seeds": (contestant("gd", {"lr": 0.1}), contestant("gd", {"lr": 0.1}), OTHER),
    "Adam against itself, other seeds": (
        contestant("torch.optim:Adam", {"lr": 0.02}),
        contestant("torch.optim:Adam", {"lr": 0.02}),
        OTHER,
    ),
}


HEAD = (
    "Made by `python docs/gates.py`: the default suite, 16 seeds a setting, each try on seeds of its own. A gate alarms when "
    f"it names at least one row as worse; false alarms are promised in at most {100 * ALPHA:g} of 100 gates."
)


class Bench:
    """Scores by contestant and root; each is trained once."""

    def __init__(self, lab: Laboratory) -> None:
        self._lab = lab
        self._known: dict[tuple[str, int], Scores] = {}

    def __call__(self, who: Contestant, root: int) -> Scores:
        """The contestant's scores on the seeds of this root."""
        key = who.canonical(), root
        if key not in self._known:
            self._known[key] = scores(who, Suite(root=root), self._lab)
            print(f"  {who.optimizer} {dict(who.options)} root {root}", file=sys.stderr, flush=True)
        return self._known[key]


def worse(found: tuple[Row, ...]) -> list[str]:
    """The rows for which a gate fails."""
    return [row.name for row in found if row.alarms and row.change is Change.WORSE]


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
                size = len(values) // len(pool) if place == COST else 16
                for side, part in zip(sides, (drawn[:size], drawn[size : 2 * size]), strict=True):
                    side.setdefault(row, {})[place] = tuple(values[number] for number in part)
        alarms += bool(worse(rows(Scores(values=sides[0]), Scores(values=sides[1]))))
    return alarms


def report(tries: int, bench: Bench) -> str:
    """The tables."""
    lines = [
        "# How often the gate is wrong",
        "",
        HEAD,
        "",
        "| planted regression | named in | by the rows (in so many tries) |",
        "|---|---:|---|",
    ]
    for name, (candidate, reference) in PLANTED.items():
        found = [worse(rows(bench(candidate, root), bench(reference, root))) for root in range(tries)]
        counted = Counter(row for one in found for row in one)
        said = ", ".join(f"{row} ({count})" for row, count in counted.most_common()) or "none"
        lines.append(f"| {name} | {sum(map(bool, found))} of {tries} | {said} |")
    lines += ["", "| no regression | alarms | in gates |", "|---|---:|---:|"]
    for name, (candidate, reference, apart) in ALIKE.items():
        found = [worse(rows(bench(candidate, root), bench(reference, root + apart))) for root in range(tries)]
        named = ", ".join(sorted({row for one in found for row in one}))
        lines.append(f"| {name} | {sum(map(bool, found))}{named and f' ({named})'} | {tries} |")
    for name, who in {
        "gd": ALIKE["gd against itself, other seeds"][0],
        "Adam": PLANTED["Adam, eps 1e-8 -> 1e-12"][1],
    }.items():
        pool = [bench(who, root) for root in range(tries)]
        lines.append(
            f"| {name}: both sides drawn from {16 * tries} trainings a setting | {simulated(pool, 100)} | 100 |"
        )
    return "\n".join([*lines, ""])


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
