"""The gate on a workload: trains it with candidate and reference on the same seeds, and compares the results."""

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
"""Timed blocks of steps; each is timed right before a block with plain SGD, so that both meet the same load."""
_A_BLOCK = 0.05
"""Least length of a block in seconds: a shorter one is dominated by the noise of clock and scheduler."""
_LATE = 0.05
"""Share of the steps over which a median loss is taken."""
_LOST = 6.0
"""log10 of the loss that a divergence counts as. Finite losses are clipped to it."""
_LEAST = -12.0
"""log10 of the smallest loss; smaller ones and zero are clipped to it."""

Losses = NDArray[np.float64]


@dataclass
class WorkloadGate:
    """One gate on a workload: candidate, suite, and where and how it is trained."""

    candidate: OptimizerSpec
    suite: WorkloadSuite
    store: Store | None
    device: str
    workers: int | None
    """Parallel processes; None for one a core."""
    deadline: float | None
    command: str
    environment: dict[str, str | int | float]
    observe: Observer = ignore
    alpha: float = ALPHA
    trained: int = 0
    reused: int = 0

    def against(self, reference: OptimizerSpec) -> Scorecard:
        """Train candidate and reference, and compare them.

        Raises:
            SettingError: an optimizer or the workload cannot be used.
            BudgetSpent: the deadline has passed; trained runs are stored.
        """
        began = time.monotonic()
        self._announce(2)
        other = self.scores(reference, "reference")
        return self._card(reference, "trained beside it", other, began)

    def against_baseline(self, baseline: Baseline, name: str) -> Scorecard:
        """Train the candidate and compare it with stored scores; `name` is their file. Raises like `against`."""
        began = time.monotonic()
        self._announce(1)
        return self._card(baseline.contestant, name, baseline.scores, began)

    def baseline_scores(self) -> Scores:
        """The candidate's scores, for a baseline. Raises like `against`."""
        self._announce(1)
        return self.scores(self.candidate, "candidate")

    def scores(self, contestant: OptimizerSpec, stage: str, reference: Scores | None = None) -> Scores:
        """An optimizer's scores, seed by seed.

        Args:
            contestant: the optimizer.
            stage: its name in progress displays.
            reference: scores whose final losses are the target of the row "steps to the reference's loss"; without them
                the optimizer's own final losses are.
        """
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
        # The final loss is always kept: it is the target of later candidates.
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
        """One run for each seed, in the order of the seeds."""
        suite = self.suite
        orders = [Order(suite.workload, seed, suite.steps, chosen, self.device) for seed in suite.own_seeds()]
        made = [0] * len(orders)

        def progress(place: int, steps: int) -> None:
            if self.deadline is not None and time.monotonic() > self.deadline:
                raise BudgetSpent(
                    "--budget: the time is used up; trained runs are stored, and the same command continues"
                )
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
        """Time some steps of the candidate, and announce the expected work to the display."""
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
    """log10 of the median loss of the last twentieth of the steps; 6 if the training diverged."""
    return _LOST if run.diverged else _log(float(np.median(run.losses[-_window(run) :])))


def best_loss(run: WorkloadRun) -> float:
    """log10 of the smallest median over a twentieth of the steps; 6 if the run is shorter than that."""
    medians = _medians(run.losses, _window(run))
    return _log(float(medians.min())) if len(medians) else _LOST


def reached(run: WorkloadRun, target: float | None) -> float | None:
    """log2 of the steps until the running median is as low as 10**target; log2 of twice the steps if it never is.

    None without a target, which means that the reference diverged.
    """
    if target is None or target >= _LOST:
        return None
    window = _window(run)
    there = np.flatnonzero(_medians(run.losses, window) <= 10**target * (1 + 1e-9))
    return float(np.log2(there[0] + window if len(there) else 2 * run.order.steps))


def _window(run: WorkloadRun) -> int:
    return max(1, round(_LATE * run.order.steps))


def _medians(losses: Losses, window: int) -> Losses:
    """Running medians over `window` losses; empty if there are fewer losses."""
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
