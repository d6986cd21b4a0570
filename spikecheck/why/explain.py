"""Why a training spiked: from its losses to the answer."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from spikecheck.core.errors import BudgetSpent, UsageError
from spikecheck.core.events import ClaimStarted, Observer, StageStarted, TileAdvanced, TileStored, ignore
from spikecheck.core.why import Answer, Effect, Outcome, Signs
from spikecheck.lab.execution.local import one_thread
from spikecheck.lab.store import Store
from spikecheck.tensors.random_state import random_state_kept
from spikecheck.watch.detector import NoisySpike
from spikecheck.watch.runs import Order, WorkloadRun, environment, forget_old_checkpoints, train
from spikecheck.watch.training import Snapshot, Training
from spikecheck.why.arms import ARMS, Arm
from spikecheck.why.excursion import highest
from spikecheck.why.executors import Executor, Here, Job, Result, Workers, workers_for
from spikecheck.why.first_run import first_difference, run_again
from spikecheck.why.fork_store import ForkStore
from spikecheck.why.heights import Reader
from spikecheck.why.inquiry import Inquiry, finite
from spikecheck.why.keeper import Keeper
from spikecheck.why.ranking import ranked
from spikecheck.why.ring import Ring, watched_run
from spikecheck.why.scene import Scene, scene_of
from spikecheck.why.sequential import FEWEST
from spikecheck.why.signs import signs_before
from spikecheck.why.spikes import Run, at_step, meant, reported
from spikecheck.why.states import States, differs_at, reach
from spikecheck.why.words import notes, sentence

CLAIM = "why"
_A_STEP = 0.01
"""Seconds that a step is expected to take, for the display alone; what is left is scaled by what the steps so far took."""
_SHOWN = 200
"""Losses before the fork that a report shows."""


@dataclass
class Question:
    """What is asked of a training that spiked."""

    at: int | None = None
    """A step of the spike; None for the first that is not benign."""
    arms: Sequence[Arm] = ARMS
    deadline: float | None = None
    """A value of `time.monotonic()`."""
    observe: Observer = ignore
    interrupted: bool = field(default=False, init=False)
    """Whether Ctrl-C ended the forks."""


def explain_order(order: Order, store: Store | None, question: Question, workers: int | None = None) -> Answer:
    """Train a workload, find its spike, and tell what made it.

    Args:
        order: the training.
        store: where the run, its state before the spike and its forks are kept; None keeps nothing.
        question: which spike, by which arms, until when.
        workers: processes at once; None for one a core. With 1 forks run in this process.

    Raises:
        SpikecheckError: when workload or optimizer cannot be used.
        BudgetSpent: when the time is over before there is a spike to be forked.
    """
    _announce(question, order.steps)
    with _folder(store) as folder, one_thread(order.device), random_state_kept():
        training = order.begin()
        states = States(Path(folder) / "checkpoints", order.digest(training.about))
        run = _trained(order, store, states, question)
        answer = _of_run(run, question, _WorkloadSource(order, training, states, store, workers))
    return answer.model_copy(
        update={"workload": order.workload.path, "seed": order.seed, "environment": environment(order.device)}
    )


def explain_spike(
    training: Training,
    steps: int,
    *,
    at: int | None = None,
    arms: Sequence[Arm] = ARMS,
    budget: float | None = None,
    observe: Observer = ignore,
) -> Answer:
    """Run a training until it spikes, and tell what made the spike; afterwards the training is where it was.

    Three copies of its state are held in memory at most, besides the training itself: where it was, and two before the spike.

    Args:
        training: yours; forks are made with it, one after another.
        steps: that it makes from where it is, at most, unless it spikes before.
        at: a step of the spike that is meant; None for the first that is not benign.
        arms: what is tried, beside the placebo.
        budget: seconds after which no further fork is made; None for no limit.
        observe: receives the events of the work.

    Raises:
        UsageError: when no spike is at `at`, or an argument cannot be used.
    """
    if steps < 1:
        raise UsageError(f"steps={steps!r}: give a whole number of at least 1")
    question = Question(at, arms, None if budget is None else time.monotonic() + budget, observe)
    _announce(question, steps)
    ring = Ring(training)
    try:
        run = watched_run(training, steps, ring, at, partial(_advanced, observe))
        return _of_run(run, question, _OwnSource(training, ring))
    finally:
        training.restore(ring.first)


@dataclass
class _WorkloadSource:
    """A workload's training, made anew in as many processes as wanted."""

    order: Order
    training: Training
    states: States
    store: Store | None
    workers: int | None

    def reach(self, run: Run, scene: Scene, observe: Observer) -> tuple[Snapshot, int | None]:
        """The state that forks begin from, and the first step on the way there that differed from the run's."""
        losses = reach(self.training, scene.start, self.states, partial(_advanced, observe))
        return self.training.snapshot(), differs_at(losses, run.losses, scene.start)

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
class _OwnSource:
    """A user's training in this process."""

    training: Training
    ring: Ring

    def reach(self, run: Run, scene: Scene, observe: Observer) -> tuple[Snapshot, int | None]:
        """As for a workload."""
        self.training.restore(self.ring.before(scene.start))
        losses = self.training.run(scene.start - self.training.steps)
        _advanced(observe, len(losses))
        place = scene.start - run.first
        return self.training.snapshot(), differs_at(losses, run.losses, place)

    def executor(self, state: Snapshot, jobs: int) -> Executor:
        """One after another."""
        return Here(self.training, state)

    def forks(self, scene: Scene) -> ForkStore:
        """Nothing is kept."""
        return ForkStore(None, "", scene)


def _folder(store: Store | None) -> AbstractContextManager[str]:
    """Where states are kept."""
    return tempfile.TemporaryDirectory() if store is None else nullcontext(str(store.folder))


def _of_run(run: Run, question: Question, source: "_WorkloadSource | _OwnSource") -> Answer:
    began = time.monotonic()
    spikes = run.spikes
    spike = meant(run, spikes) if question.at is None else at_step(run, spikes, question.at)
    if spike is None:
        return _finished(_without_spike(run, spikes))
    scene = scene_of(spike, run.first + len(run.losses), run.first)
    answer = Answer(
        outcome=Outcome.STOPPED,
        sentence="",
        spike=reported(spike, benign=run.is_benign(spike)),
        others=tuple(one.onset for one in spikes if one is not spike),
        start=scene.start,
        end=scene.end,
        batches=(scene.left_out.start, scene.left_out.stop - 1),
        losses=_shown(run, scene),
    )
    judged = _forked(answer, run, scene, question, source)
    return _finished(judged.model_copy(update={"seconds": round(time.monotonic() - began, 1)}))


def _without_spike(run: Run, spikes: Sequence[NoisySpike]) -> Answer:
    return Answer(
        outcome=Outcome.BENIGN if spikes else Outcome.NO_SPIKE,
        sentence="",
        others=tuple(one.onset for one in spikes),
        highest=None if spikes else highest(run.first, run.losses),
        losses=_shown(run, None),
    )


def _forked(
    answer: Answer, run: Run, scene: Scene, question: Question, source: "_WorkloadSource | _OwnSource"
) -> Answer:
    observe = question.observe
    observe(StageStarted(CLAIM, "the way to the spike", 1, 0))
    state, differs = source.reach(run, scene, observe)
    observe(StageStarted(CLAIM, "the spike again", 1, 0))
    again, usual = run_again(source.training, state, scene)
    scene = replace(scene, usual=usual)
    reader = Reader(run.until(scene.start), scene, run.losses[scene.start - run.first : scene.end - run.first])
    if differs is None:
        place = first_difference(again, run.losses[scene.start - run.first : scene.end - run.first])
        differs = None if place is None else scene.start + place
    answer = answer.model_copy(update={"differs_at": differs})
    if differs is not None and not reader.seen(again).spikes:
        return answer.model_copy(update={"outcome": Outcome.NOT_REPRODUCIBLE})
    signs = signs_before(source.training, state, scene)
    answer = answer.model_copy(update={"signs": signs})
    forks = source.forks(scene)
    observe(StageStarted(CLAIM, "forks", len(question.arms) + 1, 0))
    with closing(source.executor(state, FEWEST * (1 + len(question.arms)))) as executor:
        inquiry = Inquiry(question.arms, reader, partial(_asked, forks, executor, observe), question.deadline)
        outcome = _outcome_of(inquiry, signs)
    question.interrupted = inquiry.interrupted
    results = inquiry.results()
    causes = ranked(results, signs) if outcome in (Outcome.CAUSE, Outcome.STOPPED) else ()
    return answer.model_copy(
        update={
            "outcome": outcome,
            "arms": results,
            "causes": causes,
            "cause": causes[0].cause if causes else None,
        }
    )


def _outcome_of(inquiry: Inquiry, signs: Signs) -> Outcome:
    """Fork until the question is answered."""
    again = inquiry.placebo()
    if not inquiry.stopped and again is not Effect.REMOVES:
        return Outcome.CHAOTIC
    inquiry.judge_arms()
    if inquiry.stopped:
        return Outcome.STOPPED
    return Outcome.CAUSE if ranked(inquiry.results(), signs) else Outcome.NO_CAUSE


def _asked(
    forks: ForkStore, executor: Executor, observe: Observer, jobs: Sequence[Job]
) -> Iterator[tuple[Job, Result]]:
    for job, result in forks.ask(executor, jobs):
        _advanced(observe, forks.scene.steps)
        observe(TileStored(1, 0))
        yield job, result


def _trained(order: Order, store: Store | None, states: States, question: Question) -> Run:
    made = [0]

    def tick(steps: int) -> None:
        if question.deadline is not None and time.monotonic() > question.deadline:
            raise BudgetSpent("--budget: the time is over; what was trained is kept, and the same again goes on")
        _advanced(question.observe, max(0, steps - made[0]))
        made[0] = max(made[0], steps)

    question.observe(StageStarted(CLAIM, "training", 1, 0))
    if store is not None:
        forget_old_checkpoints(store)
    tick(0)
    return Run(0, _with_divergence(train(order, store, tick, seen=Keeper(states, question.at))))


def _with_divergence(run: WorkloadRun) -> list[float]:
    """Losses, and one that is infinite where the run went on without numbers."""
    return [*map(float, run.losses), *([float("inf")] if run.diverged else [])]


def _announce(question: Question, steps: int) -> None:
    forks = (1 + len(question.arms)) * (FEWEST + 1) * 150
    expected = (("training", steps), ("the way to the spike", steps // 2), ("the spike again", 300), ("forks", forks))
    stages = tuple((stage, count * _A_STEP) for stage, count in expected)
    question.observe(ClaimStarted(CLAIM, 1, 1, stages, seeks_spikes=False))


def _advanced(observe: Observer, steps: int) -> None:
    observe(TileAdvanced(steps, steps * _A_STEP))


def _shown(run: Run, scene: Scene | None) -> tuple[tuple[int, float | None], ...]:
    """The losses around a spike, or the last."""
    last = run.first + len(run.losses) if scene is None else scene.end
    first = max(run.first, (last if scene is None else scene.start) - _SHOWN)
    return tuple((step, finite(run.losses[step - run.first])) for step in range(first, last))


def _finished(answer: Answer) -> Answer:
    """With its words."""
    return answer.model_copy(update={"sentence": sentence(answer), "notes": notes(answer)})
