"""Where states and forks of a training come from: a workload, which can be made again, or a user's own training."""

from collections.abc import Sequence
from dataclasses import dataclass

from spikecheck.lab.store import Store
from spikecheck.watch.runs import Order
from spikecheck.watch.training import Snapshot, Training
from spikecheck.why.executors import Executor, Here, Workers, workers_for
from spikecheck.why.fork_store import ForkStore
from spikecheck.why.kept import Kept
from spikecheck.why.question import Question
from spikecheck.why.ring import Ring
from spikecheck.why.scene import Scene
from spikecheck.why.spikes import Run
from spikecheck.why.states import States, differs_at, reach


@dataclass
class WorkloadSource:
    """A workload's training, which can be made again in any number of processes."""

    order: Order
    training: Training
    states: States
    store: Store | None
    workers: int | None

    def reach(self, run: Run, scene: Scene, question: Question) -> tuple[Snapshot, int | None]:
        """The state that forks begin from, and the first step on the way there that differed from the run's."""
        losses = reach(self.training, scene.start, self.states, question.advance)
        return self.training.snapshot(), _differs_at(losses, run, scene.start)

    def executor(self, state: Snapshot, jobs: int) -> Executor:
        """Where forks run."""
        workers = workers_for(self.order, self.workers, jobs)
        if workers == 1:
            return Here(self.training, state)
        return Workers(self.order, self.states.path(state.steps), workers)

    def forks(self, scene: Scene) -> ForkStore:
        """Those of this scene that were made before."""
        return ForkStore(self.store, self.states.digest, scene)


@dataclass
class OwnSource:
    """A user's training in this process."""

    training: Training
    states: Ring | Kept

    def reach(self, run: Run, scene: Scene, question: Question) -> tuple[Snapshot, int | None]:
        """As for a workload."""
        self.training.restore(self.states.before(scene.start))
        losses = self.training.run(scene.start - self.training.steps)
        question.advance(len(losses))
        return self.training.snapshot(), _differs_at(losses, run, scene.start)

    def executor(self, state: Snapshot, jobs: int) -> Executor:
        """One after another."""
        return Here(self.training, state)

    def forks(self, scene: Scene) -> ForkStore:
        """Nothing is kept."""
        return ForkStore(None, "", scene)


Source = WorkloadSource | OwnSource


def _differs_at(losses: Sequence[float], run: Run, step: int) -> int | None:
    """The first step, up to `step`, at which losses that end there differ from those of the run; None where none does."""
    known = step - run.first  # losses from before the run's first cannot be compared
    place = differs_at(losses[max(0, len(losses) - known) :], run.losses, known)
    return None if place is None else run.first + place
