"""Why a training spiked: a workload, or a training in this process."""

import tempfile
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path

from spikecheck.core.errors import UsageError
from spikecheck.core.events import Observer, ignore
from spikecheck.core.why import Answer
from spikecheck.lab.execution.train_job import one_thread
from spikecheck.lab.store import Store
from spikecheck.tensors.random_state import random_state_kept
from spikecheck.watch.advance import Advance
from spikecheck.watch.runs import Order, WorkloadRun, environment, forget_old_checkpoints, train
from spikecheck.watch.training import Training
from spikecheck.why.answering import answered
from spikecheck.why.arms import ARMS, Arm
from spikecheck.why.keeper import Keeper
from spikecheck.why.question import TRAINING, Question
from spikecheck.why.ring import Ring, watched_run
from spikecheck.why.sources import OwnSource, WorkloadSource
from spikecheck.why.spikes import Run
from spikecheck.why.states import States


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
    question.check_within(order.steps)
    question.announce(order.steps)
    with folder_of(store) as folder, one_thread(order.device), random_state_kept():
        training = order.begin()
        start = training.snapshot()
        states = States(Path(folder) / "checkpoints", order.digest(training.about))
        run = _trained(order, store, states, question)
        training.restore(start)  # the first training moved the global generators
        answer = answered(run, question, WorkloadSource(order, training, states, store, workers))
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

    Four copies of its state are held in memory at most, besides the training itself: where it was, two on the way, and that of
    the forks.

    Args:
        training: yours; forks are made with it, one after another.
        steps: that it makes from where it is, at most, unless it spikes before.
        at: a step of the spike to explain; None for the first that is not benign.
        arms: what is tried, beside the placebo.
        budget: seconds after which no further fork is made; None for no limit.
        observe: receives the events of the work.

    Raises:
        UsageError: when no spike is at `at`, or an argument cannot be used.
    """
    if steps < 1:
        raise UsageError(f"steps={steps!r}: give a whole number of at least 1")
    question = Question(at, arms, None if budget is None else time.monotonic() + budget, observe)
    question.check_within(training.steps + steps)
    question.announce(steps)
    ring = Ring(training)
    try:
        run = watched_run(training, steps, ring, at, question.advance)
        return answered(run, question, OwnSource(training, ring))
    finally:
        training.restore(ring.first)


def folder_of(store: Store | None) -> AbstractContextManager[str]:
    """Where states are kept."""
    return tempfile.TemporaryDirectory() if store is None else nullcontext(str(store.folder))


def _trained(order: Order, store: Store | None, states: States, question: Question) -> Run:
    advance = Advance(1, question.deadline, lambda _place, new: question.advance(new))
    question.enter(TRAINING)
    if store is not None:
        forget_old_checkpoints(store)
    advance(0, 0)
    return Run(0, _with_divergence(train(order, store, partial(advance, 0), seen=Keeper(states, question.at))))


def _with_divergence(run: WorkloadRun) -> list[float]:
    """Losses, and one that is infinite where the run went on without numbers."""
    return [*map(float, run.losses), *([float("inf")] if run.diverged else [])]
