"""Trainings of one workload with optimizers at seeds: from the store, or made now, within a budget."""

from collections.abc import Sequence
from dataclasses import dataclass

from spikecheck.core.errors import Interrupted, what_stays
from spikecheck.core.events import Observer, TileAdvanced, TileStored, WorkDone, WorkPlanned, ignore
from spikecheck.core.scorecard import OptimizerSpec
from spikecheck.core.work import STARTING
from spikecheck.gate.workload_suite import choice_of
from spikecheck.lab.store import Store
from spikecheck.watch.advance import Advance
from spikecheck.watch.processes import STARTING_SECONDS, train_all
from spikecheck.watch.runs import Order, WorkloadRun
from spikecheck.watch.workload import Workload


@dataclass
class Trainer:
    """Trains one workload for so many steps, and counts what it trained."""

    workload: Workload
    steps: int
    store: Store | None
    device: str
    workers: int | None
    """Processes at once; None for one a core."""
    deadline: float | None
    observe: Observer = ignore
    pace: float = 0.0
    """Expected seconds of a step, for a display."""
    trained: int = 0
    reused: int = 0

    def runs(
        self, wanted: Sequence[tuple[OptimizerSpec, int]], looks: int = 0, kind: type[Order] = Order
    ) -> list[WorkloadRun]:
        """A run for each optimizer and seed, in their order; `kind` says what else is measured on the way.

        Raises:
            SettingError: when an optimizer or the workload cannot be used.
            BudgetSpent: when the deadline has passed; what was trained is kept.
            Interrupted: after Ctrl-C or SIGTERM; likewise.
        """
        orders = [kind(self.workload, seed, self.steps, choice_of(who), self.device, looks) for who, seed in wanted]
        starting = iter([WorkDone(STARTING_SECONDS, STARTING)])

        def made(_place: int, new: int) -> None:
            for over in starting:  # once
                self.observe(over)
            self.observe(TileAdvanced(new, new * self.pace))

        progress = Advance(len(orders), self.deadline, made)
        runs: dict[int, WorkloadRun] = {}
        try:
            for place, run in train_all(orders, self.store, self.workers, progress):
                runs[place] = run
                self._count(run)
                progress(place, self.steps)
        except KeyboardInterrupt:
            raise Interrupted(f"interrupted; {what_stays(stored=self.store is not None)}") from None
        return [runs[place] for place in range(len(orders))]

    def _count(self, run: WorkloadRun) -> None:
        self.reused += run.reused
        self.trained += not run.reused
        self.observe(WorkPlanned(0, 1) if run.reused else TileStored(1))
