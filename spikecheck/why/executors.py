"""Where forks are run: in this process, on the user's own training, or in workers that make the training again."""

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch

from spikecheck.core.errors import USERS_ERRORS, SpikecheckError, first_line
from spikecheck.lab.execution.train_job import one_thread
from spikecheck.lab.execution.worker_process import safe_path
from spikecheck.watch.checkpoint import load_checkpoint
from spikecheck.watch.processes import begin_worker
from spikecheck.watch.runs import Order
from spikecheck.watch.training import Snapshot, Training
from spikecheck.why.arms import Arm
from spikecheck.why.fork import run_fork
from spikecheck.why.scene import NotApplicable, Scene

Losses = list[float]


@dataclass(frozen=True)
class Job:
    """One fork to be run."""

    arm: Arm
    number: int


Result = Losses | str
"""Losses, or why the arm does not apply."""


class Executor(Protocol):
    """Runs forks of one scene."""

    def run(self, jobs: Sequence[Job], scene: Scene) -> Iterator[tuple[Job, Result]]:
        """Every job with its result, as they are done."""

    def close(self) -> None:
        """No more will come."""


class Here:
    """One fork after another, on a training of this process."""

    def __init__(self, training: Training, state: Snapshot) -> None:
        self._training, self._state = training, state

    def run(self, jobs: Sequence[Job], scene: Scene) -> Iterator[tuple[Job, Result]]:
        """In the order given."""
        for job in jobs:
            yield job, forked(self._training, self._state, job, scene)

    def close(self) -> None:
        """Nothing was started."""


class Workers:
    """Forks of a workload, each in one of several processes that stay until `close`."""

    def __init__(self, order: Order, state: Path, workers: int) -> None:
        """`state` is the checkpoint that forks begin from."""
        self._order, self._state = order, state
        context = multiprocessing.get_context("spawn")  # a fork would copy torch's threads in unknown states
        self._pool = ProcessPoolExecutor(workers, mp_context=context, initializer=begin_worker)

    def run(self, jobs: Sequence[Job], scene: Scene) -> Iterator[tuple[Job, Result]]:
        """As they are done."""
        with safe_path():
            waiting: dict[Future[Result], Job] = {
                self._pool.submit(_in_worker, self._order, self._state, job, scene): job for job in jobs
            }
        while waiting:
            done, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                yield waiting.pop(future), _result(future)

    def close(self) -> None:
        """End the workers at once; what they have answered is kept."""
        for worker in list((self._pool._processes or {}).values()):
            worker.kill()
        self._pool.shutdown(wait=True, cancel_futures=True)


def workers_for(order: Order, workers: int | None, jobs: int) -> int:
    """Processes at once: by default one a core on the CPU; one on an accelerator."""
    on_cpu = torch.device(order.device).type == "cpu"
    return min(jobs, workers or (len(os.sched_getaffinity(0)) if on_cpu else 1))


def forked(training: Training, state: Snapshot, job: Job, scene: Scene) -> Result:
    """One fork; whatever the user's code raises in it is a reason why the arm does not apply."""
    try:
        return run_fork(training, state, job.arm, scene, job.number)
    except NotApplicable as reason:
        return str(reason)
    except USERS_ERRORS as error:
        return f"the fork raised {type(error).__name__}: {first_line(error)}"


_made: dict[str, tuple[Training, Snapshot]] = {}
"""A worker's training and the state of its forks, made once; by order and state."""


def _in_worker(order: Order, state: Path, job: Job, scene: Scene) -> Result:
    key = f"{order!r} {state}"
    if key not in _made:
        _made.clear()
        _made[key] = (order.begin(), loaded(state))
    with one_thread(order.device):
        return forked(*_made[key], job, scene)


def loaded(state: Path) -> Snapshot:
    """The state in a file.

    Raises:
        SpikecheckError: when there is none, or it does not load.
    """
    found = load_checkpoint(state)
    if found is None:
        raise SpikecheckError(f"state {state}: is gone; run the same again to make it anew")
    return found.snapshot


def _result(future: "Future[Result]") -> Result:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise SpikecheckError(
            "a worker process was killed, perhaps for lack of memory; run the same again with --executor local: "
            "forks that are done are kept"
        ) from error
