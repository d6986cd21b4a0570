"""Why a watched training spiked, from its log and the states that it left: nothing is trained again from the start."""

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path

from spikecheck.core.events import Observer, ignore
from spikecheck.core.why import Answer
from spikecheck.lab.execution.train_job import one_thread
from spikecheck.lab.store import Store
from spikecheck.tensors.random_state import random_state_kept
from spikecheck.watch.runs import Order, environment
from spikecheck.watch.training import Training
from spikecheck.why.answering import answered
from spikecheck.why.arms import ARMS, Arm
from spikecheck.why.explain import folder_of
from spikecheck.why.kept import Kept, StatesAndKept, check_belongs, logged_run, parts_of
from spikecheck.why.question import Question
from spikecheck.why.sources import OwnSource, WorkloadSource
from spikecheck.why.spikes import Run


def explain_log(
    training: Training,
    log: str | Path,
    states: str | Path,
    *,
    at: int | None = None,
    arms: Sequence[Arm] = ARMS,
    budget: float | None = None,
    observe: Observer = ignore,
) -> Answer:
    """Tell what made a spike in the log of a training that `Watch.of` kept states of; then the training is where it was.

    Args:
        training: the one that was watched, at any step, or one made anew in the same way. Close its watch first.
        log: that the watch wrote.
        states: the folder with its states.
        at: a step of the spike to explain; None for the first that is not benign.
        arms: what is tried, beside the placebo.
        budget: seconds after which no further fork is made; None for no limit.
        observe: receives the events of the work.

    Raises:
        UsageError: when log or states cannot be used, are not of this training, or no spike is at `at`.
    """
    question = Question(at, arms, None if budget is None else time.monotonic() + budget, observe)
    run, kept = logged_run(Path(log)), Kept(Path(states), parts_of(training))
    _announce(question, run)
    now = training.snapshot()
    try:
        check_belongs(training, kept, run)
        return answered(run, question, OwnSource(training, kept))
    finally:
        training.restore(now)


def explain_order_log(
    order: Order, log: Path, states: Path, store: Store | None, question: Question, workers: int | None = None
) -> Answer:
    """As `explain_log`, for a workload, which is made again in any number of processes.

    Args:
        order: the training; its steps do not matter.
        log: that the watch wrote.
        states: the folder with its states.
        store: where the state that forks begin from, and the forks, are kept; None keeps nothing.
        question: which spike, by which arms, until when.
        workers: processes at once; None for one a core.

    Raises:
        SpikecheckError: when workload, optimizer, log or states cannot be used, or do not belong together.
    """
    run = logged_run(log)
    _announce(question, run)
    with folder_of(store) as folder, one_thread(order.device), random_state_kept():
        training = order.begin()
        kept = Kept(states, parts_of(training))
        check_belongs(training, kept, run)
        own = StatesAndKept(Path(folder) / "checkpoints", _digest(order, training, kept, run), kept)
        answer = answered(run, question, WorkloadSource(order, training, own, store, workers))
    return answer.model_copy(
        update={"workload": order.workload.path, "seed": order.seed, "environment": environment(order.device)}
    )


def _announce(question: Question, run: Run) -> None:
    question.check_within(run.first + len(run.losses))
    question.announce(0)


def _digest(order: Order, training: Training, kept: Kept, run: Run) -> str:
    """Of the training, its states and its losses: other states may have come from other data."""
    parts = [order.digest(training.about), *(kept.digest(step) for step in kept.steps), repr(list(run.losses))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
