"""Train a workload with a candidate and with its reference on the same seeds, and say what has become worse."""

import time
from dataclasses import dataclass
from functools import partial

from spikecheck.core.errors import BudgetSpent
from spikecheck.core.events import (
    ClaimStarted,
    Observer,
    StageStarted,
    TileAdvanced,
    TileStored,
    WorkDone,
    WorkPlanned,
    ignore,
)
from spikecheck.core.scorecard import Baseline, OptimizerSpec, Scorecard, Scores
from spikecheck.gate.comparison import ALPHA
from spikecheck.gate.curves import band_of
from spikecheck.gate.metrics import MEMORY, TIME
from spikecheck.gate.run import COST, scorecard
from spikecheck.gate.workload_cost import A_BLOCK, BLOCKS, memory, step_ratios, timed
from spikecheck.gate.workload_figures import figures, final_loss
from spikecheck.gate.workload_suite import FINAL, WorkloadSuite, choice_of
from spikecheck.lab.execution.local import one_thread
from spikecheck.lab.store import Store
from spikecheck.tensors.random_state import random_state_kept
from spikecheck.watch.processes import train_all
from spikecheck.watch.runs import Order, WorkloadRun
from spikecheck.watch.training import Training
from spikecheck.watch.workload import OptimizerChoice


@dataclass
class WorkloadGate:
    """One gate on a workload: who is judged, on what, and where it is trained."""

    candidate: OptimizerSpec
    suite: WorkloadSuite
    store: Store | None
    device: str
    workers: int | None
    """Processes at once; None for one a core."""
    deadline: float | None
    command: str
    environment: dict[str, str | int | float]
    observe: Observer = ignore
    alpha: float = ALPHA
    trained: int = 0
    reused: int = 0

    def against(self, reference: OptimizerSpec) -> Scorecard:
        """The candidate against another optimizer, both trained now.

        Raises:
            SettingError: when one of them, or the workload, cannot be used.
            BudgetSpent: when the deadline has passed; what was trained is kept.
        """
        began = time.monotonic()
        self._announce(2)
        other = self.scores(reference, "reference")
        return self._card(reference, "trained beside it", other, began)

    def against_baseline(self, baseline: Baseline, name: str) -> Scorecard:
        """The candidate against scores that were written before; `name` is their file's. Raises as `against`."""
        began = time.monotonic()
        self._announce(1)
        return self._card(baseline.contestant, name, baseline.scores, began)

    def baseline_scores(self) -> Scores:
        """The candidate's own, for later candidates to be compared with; raises as `against`."""
        self._announce(1)
        return self.scores(self.candidate, "candidate")

    def scores(self, contestant: OptimizerSpec, stage: str, reference: Scores | None = None) -> Scores:
        """A contestant's numbers, seed by seed. Without a `reference`, its own final losses are what is to be reached."""
        place, chosen = self.suite.workload.path, choice_of(contestant)
        self.observe(StageStarted("gate", stage, 1, self.suite.seeds))
        runs = self._runs(chosen)
        targets = tuple(map(final_loss, runs)) if reference is None else reference.values[FINAL][place]
        found = [figures(run, target) for run, target in zip(runs, targets, strict=True)]
        values = {row: {place: tuple(one[row] for one in found)} for row in found[0]}
        values |= self._costs(chosen, stage)
        # The final loss is always kept: a later candidate is measured by it.
        kept = {name: blocks for name, blocks in values.items() if name in self.suite.rows or name == FINAL}
        return Scores(values=kept, curves={place: band_of([run.losses for run in runs], self.suite.steps)})

    def _card(self, reference: OptimizerSpec, name: str, other: Scores, began: float) -> Scorecard:
        own = self.scores(self.candidate, "candidate", other)
        return scorecard(
            *(self.candidate, reference, name, self.suite, own, other, self.alpha),
            command=self.command,
            environment=self.environment,
            runs=(self.trained, self.reused),
            seconds=time.monotonic() - began,
        )

    def _runs(self, chosen: OptimizerChoice) -> list[WorkloadRun]:
        """One a seed, in the order of the seeds."""
        suite = self.suite
        orders = [
            Order(suite.workload, seed, suite.steps, chosen, self.device, suite.looks) for seed in suite.own_seeds()
        ]
        made = [0] * len(orders)

        def progress(place: int, steps: int) -> None:
            if self.deadline is not None and time.monotonic() > self.deadline:
                raise BudgetSpent("--budget: the time is over; what was trained is kept, and the same again goes on")
            more, made[place] = steps - made[place], max(steps, made[place])
            if more > 0:
                self.observe(TileAdvanced(more, more * self._pace))

        runs: dict[int, WorkloadRun] = {}
        for place, run in train_all(orders, self.store, self.workers, progress):
            runs[place] = run
            self.reused += run.reused
            self.trained += not run.reused
            self.observe(WorkPlanned(0, 1) if run.reused else TileStored(1, 0))
            progress(place, suite.steps)
        return [runs[place] for place in range(len(orders))]

    def _announce(self, contestants: int) -> None:
        """Tell a display what will be done, after some steps of the candidate have been timed."""
        with one_thread(self.device), random_state_kept():
            training = self._made(choice_of(self.candidate))
            training.run(2)
            self._pace = timed(training, 3) / 3
        trainings = contestants * self.suite.seeds * self.suite.steps * self._pace
        timings = contestants * (2 * BLOCKS + 2) * max(A_BLOCK, self._pace)
        self.observe(ClaimStarted("gate", 1, 1, (("gate", trainings + timings),), seeks_spikes=False))

    def _costs(self, chosen: OptimizerChoice, stage: str) -> dict[str, dict[str, tuple[float | None, ...]]]:
        """What is measured beside the trainings, of the rows that are looked at."""
        rows = self.suite.rows
        costs: dict[str, dict[str, tuple[float | None, ...]]] = {}
        make = partial(self.suite.workload.make, seed=self.suite.own_seeds()[0], device=self.device)
        with one_thread(self.device), random_state_kept():
            if TIME[0] in rows:
                self.observe(StageStarted("gate", f"{stage}: a step is timed", 1, 0))
                ratios = step_ratios(make, chosen.make(), self._pace, lambda seconds: self.observe(WorkDone(seconds)))
                costs[TIME[0]] = {COST: tuple(ratios)}
            if MEMORY[0] in rows:
                costs[MEMORY[0]] = {COST: (memory(make, chosen.make()),)}
        return costs

    def _made(self, chosen: OptimizerChoice) -> Training:
        return self.suite.workload.make(chosen.make(), self.suite.own_seeds()[0], self.device)
