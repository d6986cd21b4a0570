"""The gate on a workload: trains it with candidate and reference on the same seeds, and compares the results."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from spikecheck.core.events import ClaimStarted, Observer, StageStarted, WorkDone, ignore
from spikecheck.core.scorecard import FIRST_STEPS, Baseline, OptimizerSpec, Scorecard, Scores, TunedRate
from spikecheck.core.work import MEASURING, STARTING, TIMING, TRAINING, Expected, Work, times
from spikecheck.gate.comparison import ALPHA
from spikecheck.gate.curves import band_of
from spikecheck.gate.metrics import MEMORY, TIME
from spikecheck.gate.run import COST, scorecard
from spikecheck.gate.workload_cost import A_BLOCK, BLOCKS, Make, memory, step_ratios, timed
from spikecheck.gate.workload_figures import figures, final_loss
from spikecheck.gate.workload_first_steps import FirstStepsOrder, way
from spikecheck.gate.workload_moves import check_moves
from spikecheck.gate.workload_suite import FINAL, TUNING_SEEDS, WorkloadSuite, choice_of
from spikecheck.gate.workload_trainer import Trainer
from spikecheck.gate.workload_tuning import CLIMBS, MOST_AROUND, around, tuned
from spikecheck.lab.execution.train_job import one_thread
from spikecheck.tensors.random_state import random_state_kept
from spikecheck.watch.processes import STARTING_SECONDS
from spikecheck.watch.runs import Order
from spikecheck.watch.training import Training
from spikecheck.watch.workload import in_one_line

_MEMORY_SECONDS = 1.5
"""Expected time to measure the memory of a step, on a typical core."""
Blocks = Mapping[str, tuple[float | None, ...]]
T = TypeVar("T")


@dataclass
class WorkloadGate:
    """One gate on a workload: candidate, suite, and where and how it is trained."""

    candidate: OptimizerSpec
    suite: WorkloadSuite
    trainer: Trainer
    command: str
    environment: dict[str, str | int | float]
    observe: Observer = ignore
    alpha: float = ALPHA
    found: dict[str, TunedRate] = field(default_factory=dict)
    """How the rates of the sides were found, where they are tuned."""

    def against(self, reference: OptimizerSpec) -> Scorecard:
        """Train candidate and reference, and compare them.

        Raises:
            SettingError: when one of them, or the workload, cannot be used, or its best rate is not within the range.
            BudgetSpent: when the deadline has passed; what was trained is kept.
        """
        began = time.monotonic()
        self._announce(2)
        candidate, other = self._at_best(self.candidate, "candidate"), self._at_best(reference, "reference")
        return self._card(candidate, other, "trained beside it", self.scores(other, "reference"), began)

    def against_baseline(self, baseline: Baseline, name: str) -> Scorecard:
        """Train the candidate and compare it with stored scores; `name` is their file. Raises like `against`."""
        began = time.monotonic()
        self._announce(1)
        candidate = self._at_best(self.candidate, "candidate")
        card = self._card(candidate, baseline.contestant, name, baseline.scores, began)
        return card.model_copy(update={"not_compared": self._not_compared(card, baseline, name)})

    def baseline_scores(self) -> tuple[OptimizerSpec, Scores]:
        """The candidate, at its best rate if that is tuned, and its scores, for later candidates to be compared with.

        Raises as `against`.
        """
        self._announce(1)
        candidate = self._at_best(self.candidate, "candidate")
        return candidate, self.scores(candidate, "candidate")

    def scores(self, contestant: OptimizerSpec, stage: str, reference: Scores | None = None) -> Scores:
        """A contestant's numbers, seed by seed. Without a `reference`, its own final losses are what is to be reached."""
        suite, place = self.suite, self.suite.workload.path
        self.observe(StageStarted("gate", stage, 1, suite.seeds))
        self._check_moves(contestant)
        kind = FirstStepsOrder if FIRST_STEPS in suite.rows else Order
        runs = self.trainer.runs([(contestant, seed) for seed in suite.own_seeds()], suite.looks, kind)
        targets = tuple(map(final_loss, runs)) if reference is None else reference.values[FINAL][place]
        rows = [figures(run, target) for run, target in zip(runs, targets, strict=True)]
        values: dict[str, Blocks] = {name: {place: tuple(row[name] for row in rows)} for name in rows[0]}
        if suite.looks_around:
            self.observe(StageStarted("gate", f"{stage}: rates around its best", 1, suite.seeds))
            values |= {name: {place: row} for name, row in around(contestant, suite, self.trainer, runs).items()}
        if FIRST_STEPS in suite.rows:
            values[FIRST_STEPS] = {place: tuple(map(way, runs))}
        values |= self._costs(contestant, stage)
        # The final loss is always kept: a later candidate is measured by it.
        kept = {name: dict(blocks) for name, blocks in values.items() if name in suite.rows or name == FINAL}
        return Scores(values=kept, curves={place: band_of([run.losses for run in runs], suite.steps)})

    def _not_compared(self, card: Scorecard, baseline: Baseline, name: str) -> tuple[str, ...]:
        """One line for each row that cannot be compared; for rows that the baseline was written without, with the remedy."""
        there = baseline.scores.values
        missing = [measure.name for measure in self.suite.measures if measure.name not in there]
        others = [line for line in card.not_compared if line.partition(":")[0] not in missing]
        return (
            *others,
            *(
                f"{row}: {name} was written without it; write the baseline again with --update-baseline"
                for row in missing
            ),
        )

    def _at_best(self, contestant: OptimizerSpec, side: str) -> OptimizerSpec:
        """The contestant at the best rate of the range, if there is a range."""
        if self.suite.tune is None:
            return contestant
        best, self.found[side] = tuned(contestant, self.suite.tune, self.suite, self.trainer, side, self.observe)
        return best

    def _card(
        self, candidate: OptimizerSpec, reference: OptimizerSpec, name: str, other: Scores, began: float
    ) -> Scorecard:
        own = self.scores(candidate, "candidate", other)
        return scorecard(
            *(candidate, reference, name, self.suite),
            own=own,
            other=other,
            alpha=self.alpha,
            command=self.command,
            environment=self.environment,
            runs=(self.trainer.trained, self.trainer.reused),
            seconds=time.monotonic() - began,
            tuned=self.found,
        )

    def _announce(self, contestants: int) -> None:
        """Announce the expected work, after timing some steps of the candidate."""
        with one_thread(self.trainer.device), random_state_kept():
            training = self._make(choice_of(self.candidate).make())
            self._guarded(partial(training.run, 2), training)
            self.trainer.pace = self._guarded(partial(timed, training, 3), training) / 3
        expected = Expected(times(self._work_of_a_side(), contestants))
        self.observe(ClaimStarted("gate", 1, 1, (("gate", expected),)))

    def _work_of_a_side(self) -> Work:
        suite, pace = self.suite, self.trainer.pace
        return {
            STARTING: STARTING_SECONDS * (1 + (len(CLIMBS) if suite.looks_around else 0)),
            TRAINING: self._trainings() * suite.steps * pace,
            TIMING: (2 * BLOCKS + 2) * max(A_BLOCK, pace) if TIME[0] in suite.rows else 0.0,
            MEASURING: _MEMORY_SECONDS if MEMORY[0] in suite.rows else 0.0,
        }

    def _check_moves(self, contestant: OptimizerSpec) -> None:
        with one_thread(self.trainer.device), random_state_kept():
            training = self._make(choice_of(contestant).make())
            self._guarded(partial(check_moves, training, contestant, self.suite.steps), training)

    def _guarded(self, work: Callable[[], T], training: Training) -> T:
        return in_one_line(work, training, self.suite.workload.path, self.trainer.device)

    def _trainings(self) -> int:
        """The largest number of trainings of one side."""
        suite = self.suite
        searched = 0 if suite.tune is None else suite.tune.trainings * TUNING_SEEDS
        return searched + suite.seeds * (1 + (MOST_AROUND if suite.looks_around else 0))

    def _costs(self, contestant: OptimizerSpec, stage: str) -> dict[str, Blocks]:
        """The compared rows that are measured apart from the trainings."""
        rows, optimizer = self.suite.rows, choice_of(contestant).make()
        costs: dict[str, Blocks] = {}
        with one_thread(self.trainer.device), random_state_kept():
            if TIME[0] in rows:
                self.observe(StageStarted("gate", f"{stage}: a step is timed", 1, 0))
                ratios = step_ratios(self._make, optimizer, self.trainer.pace, self._worked)
                costs[TIME[0]] = {COST: tuple(ratios)}
            if MEMORY[0] in rows:
                costs[MEMORY[0]] = {COST: (memory(self._make, optimizer),)}
                self.observe(WorkDone(_MEMORY_SECONDS, MEASURING))
        return costs

    def _worked(self, seconds: float) -> None:
        self.observe(WorkDone(seconds, TIMING))

    @property
    def _make(self) -> Make:
        return partial(self.suite.workload.make, seed=self.suite.own_seeds()[0], device=self.trainer.device)
