"""Spikes that nobody planted: what the trace of the training says beside what `diagnose` names; writes docs/spontaneous.md.

    python studies/spontaneous.py [--seeds 3] [--kind "mlp, quiet"] [--retrace] [--controls] [--fresh]
        [--page-only | --survey]

The rules by which a trace is read are in docs/spontaneous.md. Every answer is kept in the store as soon as it is there.
`--survey` trains two seeds of each kind, from 1000 on, and says where they spike; nothing is diagnosed.
`--retrace` reads the traces of kept answers again. `--controls` measures, on the fixed set of points, the stretches that show
how far it can be relied on, and `--fresh` spikes of seeds that nothing else looks at.
"""

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import torch

from spikecheck.core.why import Spike
from spikecheck.lab.store import Store, default_folder
from spikecheck.report import atomic_write
from spikecheck.watch.detector import NoisySpike
from spikecheck.watch.runs import Order, ignore_progress, train
from spikecheck.watch.training import Training
from spikecheck.watch.workload import OptimizerChoice, Workload
from spikecheck.why.explain import explain_order
from spikecheck.why.keeper import Keeper
from spikecheck.why.question import Question
from spikecheck.why.scene import BEFORE
from spikecheck.why.signs import _watched
from spikecheck.why.spikes import Run, first_costly
from spikecheck.why.states import States, reach
from studies.calm_before import calm_table
from studies.fixed_fresh import fresh, fresh_table
from studies.fixed_page import fixed_tables
from studies.spontaneous_fixed import CONTROLLED, controls_of, kept, measure, spikes_of
from studies.spontaneous_page import Cell, page
from studies.spontaneous_trace import Trace, read_trace

PAGE = Path(__file__).resolve().parents[1] / "docs" / "spontaneous.md"


@dataclass(frozen=True)
class Kind:
    """Trainings that were chosen because they spike by themselves."""

    workload: str
    steps: int
    optimizer: Mapping[str, Any] | None = None
    """Of Adam, or AdamW where it has a weight decay; None for the workload's own."""
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def beta2(self) -> float:
        """Of its optimizer, or of the workload's own Adam."""
        return float((self.optimizer or {}).get("beta2", 0.999))

    def order(self, seed: int) -> Order:
        """One of them."""
        workload = Workload.of(self.workload).at(dict(self.options), self.steps)
        numbers = self.optimizer
        name = "adamw" if numbers is not None and "weight_decay" in numbers else "adam"
        return Order(workload, seed, self.steps, None if numbers is None else OptimizerChoice.of(name, dict(numbers)))


KINDS: Mapping[str, Kind] = {
    "mlp, quiet": Kind("mlp", 4_000, {"lr": 3e-2, "beta2": 0.999}, {"dropout": 0.0}),
    "modular, slingshot": Kind("modular", 1_500, {"lr": 1e-2, "beta2": 0.98}),
    "mlp, mnist1d": Kind("mlp", 4_000, {"lr": 1e-2, "beta2": 0.999}, {"dropout": 0.0, "data": "mnist1d", "batch": 128}),
    "gpt, high rate": Kind("gpt", 600, {"lr": 1e-1, "beta2": 0.95, "weight_decay": 0.1}, {"batch": 8}),
    "gpt, rate of 1": Kind("gpt", 800, {"lr": 1.0, "beta2": 0.95}),
}
"""Chosen by plain trainings of seeds from 1000 on, of which nothing was diagnosed."""


def judged(kind: str, seed: int, store: Store) -> Cell:
    """Train, read the trace, and only then ask for the cause."""
    torch.set_num_threads(1)
    order = KINDS[kind].order(seed)
    training = order.begin()
    states = States(store.folder / "checkpoints", order.digest(training.about))
    run = Run(0, [*map(float, train(order, store, seen=Keeper(states)).losses)])
    spike = first_costly(run, run.spikes)
    if spike is None:
        return Cell(kind=kind, seed=seed, steps=order.steps, onset=None)
    trace = _trace(training, states, kind, spike)
    answer = explain_order(order, store, Question(), workers=1)
    return Cell(kind=kind, seed=seed, steps=order.steps, onset=spike.onset, trace=trace, answer=answer)


def _trace(training: Training, states: States, kind: str, spike: NoisySpike | Spike) -> Trace:
    start = max(0, spike.onset - BEFORE)
    reach(training, start, states, ignore_progress)
    steps = _watched(training, max(spike.peak, spike.onset) - start, start)
    return read_trace(steps, spike.onset, spike.peak, KINDS[kind].beta2)


def retraced(cell: Cell, store: Store) -> Cell:
    """The same answer beside a trace that is read again."""
    if cell.answer is None or cell.answer.spike is None:
        return cell
    torch.set_num_threads(1)
    _check_same(cell, store)
    order = KINDS[cell.kind].order(cell.seed)
    training = order.begin()
    states = States(store.folder / "checkpoints", order.digest(training.about))
    return cell.model_copy(update={"trace": _trace(training, states, cell.kind, cell.answer.spike)})


def _check_same(cell: Cell, store: Store) -> None:
    """Another processor may train otherwise, and what is measured would be of another training than the answer."""
    run = Run(0, [*map(float, train(KINDS[cell.kind].order(cell.seed), store).losses)])
    spike = first_costly(run, run.spikes)
    if cell.onset != (None if spike is None else spike.onset):
        raise SystemExit(
            f"{cell.kind} {cell.seed}: does not train here as it did when it was answered; remove the answer"
        )


def _survey(kinds: Iterable[str], store: Store) -> None:
    """Where trainings spike that are no part of the examination."""
    for seed, kind in product((1000, 1001), kinds):
        run = Run(0, [*map(float, train(KINDS[kind].order(seed), store).losses)])
        said = [f"{one.onset} ({one.height:.3g}{', benign' if run.is_benign(one) else ''})" for one in run.spikes]
        print(f"{kind} {seed}: {len(run.losses)} steps, last loss {run.losses[-1]:.3g}; {', '.join(said)}", flush=True)


def _kept(folder: Path) -> Sequence[Cell]:
    return [Cell.model_validate_json(file.read_bytes()) for file in sorted(folder.glob("*.json"))]


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each kind, seeds from 0 on")
    parser.add_argument("--kind", action="append", choices=KINDS, help="this kind; may be repeated")
    parser.add_argument(
        "--store", type=Path, default=default_folder() / "spontaneous", help="the folder of all answers"
    )
    parser.add_argument("--retrace", action="store_true", help="read the traces of kept answers again")
    parser.add_argument("--controls", action="store_true", help="measure the stretches that judge the fixed set")
    parser.add_argument("--fresh", action="store_true", help="measure the spikes of fresh seeds")
    parser.add_argument("--page-only", action="store_true", help="write the page from the answers that are there")
    parser.add_argument("--survey", action="store_true", help="diagnose nothing; say where seeds from 1000 on spike")
    return parser.parse_args()


def main() -> None:
    """Ask for what is not kept yet, and write the page after every answer."""
    asked = _asked()
    folder, store = asked.store / "answers", Store(asked.store)
    folder.mkdir(parents=True, exist_ok=True)
    if asked.survey:
        _survey(asked.kind or KINDS, store)
        return
    for seed, kind in product(range(0 if asked.page_only else asked.seeds), asked.kind or KINDS):
        file = folder / f"{kind.replace(', ', '-').replace(' ', '-')}-{seed}.json"
        if asked.retrace and file.exists():
            _keep(retraced(Cell.model_validate_json(file.read_bytes()), store), file)
        elif not file.exists():
            _keep(judged(kind, seed, store), file)
    cells, fixed = _kept(folder), asked.store / "fixed"
    if not asked.page_only:
        torch.set_num_threads(1)
        chosen = [cell for cell in cells if cell.kind in (asked.kind or KINDS) and cell.seed < asked.seeds]
        for cell in chosen:
            _check_same(cell, store)
        measure(spikes_of(chosen), fixed, _order)
    if asked.controls:
        measure(controls_of(cells, lambda seed: _run(store, seed).spikes), fixed, _order)
    if asked.fresh:
        torch.set_num_threads(1)
        measure(fresh(CONTROLLED, partial(_run, store)), fixed, _order)
    before = PAGE.read_text(encoding="utf-8").split("<!-- tables -->")[0].rstrip()
    measured = kept(fixed)
    tables = [
        page(cells, list(KINDS)),
        fixed_tables(cells, measured, list(KINDS)),
        fresh_table(measured),
        "\n".join(calm_table(cells)) + "\n",
    ]
    text = "\n".join(tables)
    atomic_write.write(f"{before}\n\n<!-- tables -->\n{text}".encode(), PAGE, "docs/spontaneous.md")


def _keep(cell: Cell, file: Path) -> None:
    atomic_write.write(cell.model_dump_json(by_alias=True).encode(), file, "the store")
    print(cell.line, flush=True)


def _order(kind: str, seed: int) -> Order:
    return KINDS[kind].order(seed)


def _run(store: Store, seed: int) -> Run:
    """A training of the kind that controls are of."""
    return Run(0, [*map(float, train(KINDS[CONTROLLED].order(seed), store).losses)])


if __name__ == "__main__":
    main()
