"""Runs several trainings of workloads: in parallel processes on the CPU, one after another on an accelerator."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import redirect_stdout
from functools import partial
from typing import Any, TypeVar

import torch

from spikecheck.core.errors import SpikecheckError
from spikecheck.lab.execution.train_job import one_thread
from spikecheck.lab.execution.worker_process import end_with_parent, safe_path
from spikecheck.lab.store import Store
from spikecheck.tensors.random_state import random_state_kept
from spikecheck.watch.runs import (
    SAVE_EVERY,
    Order,
    WorkloadRun,
    forget_old_checkpoints,
    ignore_progress,
    stored,
    train,
)

STARTING_SECONDS = 3.0
"""Expected time until workers train, on a typical core: they import torch and make the workload."""
_LOOK_EVERY = 0.2
_PATIENCE = 1.0
"""Seconds that a worker is given to hand over what it has trained."""
_counts: list[Any] = []
"""Shared array of steps made in each order, for a worker; empty in the parent process."""

_training, _ending = threading.Event(), threading.Event()
"""Of a worker: whether it trains, and whether it must end."""

Progress = Callable[[int, int], None]
"""Called with the position of an order and its steps so far. It may raise to stop; trained runs are kept."""


def train_all(
    orders: Sequence[Order],
    store: Store | None,
    workers: int | None = None,
    progress: Progress = ignore_progress,
    save_every: float = SAVE_EVERY,
) -> Iterator[tuple[int, WorkloadRun]]:
    """Train all orders; yields each order's position with its run when it is done.

    Args:
        orders: the trainings, all on one device.
        store: where runs and checkpoints are stored; None stores nothing.
        workers: parallel processes; by default one for each usable core on the CPU, and none on an accelerator.
        progress: called with the steps made, about twice a second.
        save_every: least number of seconds between two checkpoints.

    Raises:
        SpikecheckError: a training cannot be created, or a worker was killed. Checkpoints of others remain.
    """
    waiting = dict(enumerate(orders))
    if store is not None:
        forget_old_checkpoints(store)
        for place, order in enumerate(orders):
            progress(place, 0)
            known = _here(partial(stored, order, store), order.device)
            if known is not None:
                del waiting[place]
                yield place, known
    on_cpu = all(torch.device(order.device).type == "cpu" for order in orders)
    at_once = min(len(waiting), workers or (len(os.sched_getaffinity(0)) if on_cpu else 1))
    if at_once > 1:
        yield from _in_processes(waiting, store, at_once, progress, save_every)
        return
    for place, order in waiting.items():
        yield place, _here(partial(train, order, store, partial(progress, place), save_every), order.device)


T = TypeVar("T")


def _here(make: Callable[[], T], device: str) -> T:
    """Call a function as in a worker, and restore the caller's random generators afterwards."""
    with one_thread(device), random_state_kept(), redirect_stdout(sys.stderr):
        return make()


def _in_processes(
    orders: Mapping[int, Order], store: Store | None, workers: int, progress: Progress, save_every: float
) -> Iterator[tuple[int, WorkloadRun]]:
    context = multiprocessing.get_context("spawn")  # a fork would copy torch's threads in unknown states
    counts = context.Array("q", 1 + max(orders), lock=False)
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin_worker, initargs=(counts,))
    try:
        with safe_path():
            waiting = {
                pool.submit(_train_numbered, place, order, store, save_every): place for place, order in orders.items()
            }
        while waiting:
            done, _ = wait(waiting, timeout=_LOOK_EVERY, return_when=FIRST_COMPLETED)
            for place in orders:
                progress(place, counts[place])
            for future in done:
                yield waiting.pop(future), _result(future)
    except BaseException:
        for worker in list((pool._processes or {}).values()):
            worker.terminate()  # workers write a checkpoint when they receive this signal
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _result(future: "Future[WorkloadRun]") -> WorkloadRun:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise SpikecheckError(
            "a worker process was killed, perhaps for lack of memory; run the same again to go on from the checkpoints, "
            "with fewer workers at once"
        ) from error


class _Ended(BaseException):
    """Raised in a worker that must end."""


def begin_worker() -> None:
    """What every worker begins with: it leaves Ctrl-C to its parent, ends with it, computes in one thread, and leaves standard
    output to reports."""
    sys.stdout = sys.stderr
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    threading.Thread(target=end_with_parent, daemon=True).start()
    torch.set_num_threads(1)


def _begin_worker(counts: Any) -> None:
    begin_worker()
    signal.signal(signal.SIGTERM, _end)
    _counts.append(counts)


def _end(number: int, frame: object) -> None:
    """End this worker: in a second if it trains nothing, else at its next step, with a checkpoint.

    Usually the pool ends a worker that has nothing to do. It was seen to forget one, which then waited for ever.
    """
    _ending.set()
    if not _training.is_set():
        ends = threading.Timer(_PATIENCE, os._exit, (0,))
        ends.daemon = True
        ends.start()


def _train_numbered(place: int, order: Order, store: Store | None, save_every: float) -> WorkloadRun:
    """Train an order in a worker; the parent reads its progress from shared memory."""

    def tick(steps: int) -> None:
        _counts[0][place] = steps
        if _ending.is_set():
            raise _Ended

    _training.set()
    try:
        return train(order, store, tick, save_every)
    finally:
        _training.clear()
        if _ending.is_set():  # by an exception the pool would end the training alone, and keep the worker
            os._exit(0)
