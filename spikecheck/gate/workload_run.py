"""Train a workload with a candidate and with its reference on the same seeds, and say what has become worse."""

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
from spikecheck.gate.metrics import DIVERGED, TIME
from spikecheck.gate.run import COST, scorecard
from spikecheck.gate.workload_suite import BEST, FINAL, REACHES, WorkloadSuite, choice_of
from spikecheck.lab.execution.local import one_thread
from spikecheck.lab.store import Store
from spikecheck.tensors.random_state import random_state_kept
from spikecheck.watch.processes import train_all
from spikecheck.watch.runs import Order, WorkloadRun
from spikecheck.watch.training import Training
from spikecheck.watch.workload import OptimizerChoice

BLOCKS = 24
"""Blocks of steps that are timed, each right after one with plain SGD."""
_A_BLOCK = 0.05
"""Seconds a block, at least: less is lost in the clock's and the scheduler's noise."""
_LATE = 0.05
_LOST = 6.0
"""log10 of the loss that stands for a divergence; finite losses count as no larger."""
_LEAST = -12.0

Losses = NDArray[np.float64]


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
        finals = tuple(map(final_loss, runs))
        targets = finals if reference is None else reference.values[FINAL][place]
        values = {
            DIVERGED: {place: tuple(float(run.diverged) for run in runs)},
            FINAL: {place: finals},
            BEST: {place: tuple(map(best_loss, runs))},
            REACHES: {place: tuple(reached(run, target) for run, target in zip(runs, targets, strict=True))},
        }
        if TIME[0] in self.suite.rows:
            self.observe(StageStarted("gate", f"{stage}: a step is timed", 1, 0))
            values[TIME[0]] = {COST: self._step_ratios(chosen)}
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
        orders = [Order(suite.workload, seed, suite.steps, chosen, self.device) for seed in suite.own_seeds()]
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
            self._pace = _timed(training, 3) / 3
        trainings = contestants * self.suite.seeds * self.suite.steps * self._pace
        timings = contestants * (2 * BLOCKS + 2) * max(_A_BLOCK, self._pace)
        self.observe(ClaimStarted("gate", 1, 1, (("gate", trainings + timings),), seeks_spikes=False))

    def _step_ratios(self, chosen: OptimizerChoice) -> tuple[float, ...]:
        """log2 of the time of a whole training step over one with plain SGD, block by block."""
        plain = OptimizerChoice.of("gd", {"lr": 1e-9})
        with one_thread(self.device), random_state_kept():
            own, other = self._made(chosen), self._made(plain)
            own.run(2)
            other.run(2)
            steps = max(1, round(_A_BLOCK / max(self._pace, 1e-9)))
            ratios = []
            for _ in range(BLOCKS):
                ratios.append(float(np.log2(_timed(own, steps) / _timed(other, steps))))
                self.observe(WorkDone(2 * steps * self._pace))
        return tuple(ratios)

    def _made(self, chosen: OptimizerChoice) -> Training:
        return self.suite.workload.make(chosen.make(), self.suite.own_seeds()[0], self.device)


def final_loss(run: WorkloadRun) -> float:
    """log10 of the median loss of the last twentieth; 6 where the training diverged."""
    return _LOST if run.diverged else _log(float(np.median(run.losses[-_window(run) :])))


def best_loss(run: WorkloadRun) -> float:
    """log10 of the smallest median over a twentieth of the steps; 6 where there are not so many."""
    medians = _medians(run.losses, _window(run))
    return _log(float(medians.min())) if len(medians) else _LOST


def reached(run: WorkloadRun, target: float | None) -> float | None:
    """log2 of the steps after which the running median is as low as 10**target: that of twice the steps where it never is.

    None where there is no target, since the reference diverged.
    """
    if target is None or target >= _LOST:
        return None
    window = _window(run)
    there = np.flatnonzero(_medians(run.losses, window) <= 10**target * (1 + 1e-9))
    return float(np.log2(there[0] + window if len(there) else 2 * run.order.steps))


def _window(run: WorkloadRun) -> int:
    return max(1, round(_LATE * run.order.steps))


def _medians(losses: Losses, window: int) -> Losses:
    """Running medians over so many steps; none where there are fewer."""
    if len(losses) < window:
        return np.zeros(0)
    medians: Losses = np.median(np.lib.stride_tricks.sliding_window_view(losses, window), axis=1)
    return medians


def _log(loss: float) -> float:
    return float(np.clip(np.log10(loss), _LEAST, _LOST)) if loss > 0 else _LEAST


def _timed(training: Training, steps: int) -> float:
    began = time.perf_counter()
    training.run(steps)
    return time.perf_counter() - began
