"""Where tiles are trained: in this process, or in worker processes of one torch thread each.

One thread a process, everywhere: two busy processes with two torch threads each on two cores run many times slower than
with one, and the number of threads belongs to the bits of a run, so a run trained here is the run replayed there.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import torch

from spikecheck.core.recipe import Recipe
from spikecheck.lab.bench import Trained, train_tile
from spikecheck.lab.tiles import work

# About three seconds of training: less is done before workers have imported torch.
_WORTH_WORKERS = 2.5e8
_LOOK_EVERY = 0.2
"""Seconds between two looks at the deadline while workers train."""


@dataclass(frozen=True)
class Job:
    """One tile, the trainings its recipes go on from, and those they exchange with."""

    tile: tuple[Recipe, ...]
    parents: tuple[Trained, ...]
    partners: tuple[Trained, ...] = ()


NOTHING: Iterator[Job] = iter(())


class Executor(Protocol):
    """Trains jobs and gives each one's results as soon as they are there."""

    def results(
        self, jobs: Sequence[Job], device: str, tick: Callable[[int], None], ahead: Iterator[Job] = NOTHING
    ) -> Iterator[tuple[Job, list[Trained] | None]]:
        """In any order, None for what a worker has stored itself; `tick` is told the member-steps made and may raise to stop.

        Where a core would be idle a job may be taken from `ahead`. Its results are given too, at this call or a later one.
        """
        ...

    def close(self) -> None:
        """Let go of what was started."""
        ...


@dataclass(frozen=True)
class _Pending:
    """A job that a worker has or will have."""

    job: Job
    future: "Future[list[Trained]]"


class Local:
    """One tile after another, in this process."""

    def results(
        self, jobs: Sequence[Job], device: str, tick: Callable[[int], None], ahead: Iterator[Job] = NOTHING
    ) -> Iterator[tuple[Job, list[Trained] | None]]:
        """In the order given; this process is never idle, so nothing is done ahead."""
        for job in jobs:
            tick(0)  # a tile of few steps never ticks by itself
            with one_thread(device):
                trained = train_tile(job.tile, job.parents, device, tick, job.partners)
            yield job, trained

    def close(self) -> None:
        """Nothing was started."""


class Processes:
    """As many tiles at once as there are cores. Work too small to be worth it stays in this process."""

    def __init__(self, workers: int | None = None) -> None:
        """`workers`: the cores this process may use, where none is given."""
        self._workers = workers or len(os.sched_getaffinity(0))
        self._pool: ProcessPoolExecutor | None = None
        self._begun: dict[tuple[Recipe, ...], _Pending] = {}
        """What is trained ahead of being asked for."""

    def results(
        self, jobs: Sequence[Job], device: str, tick: Callable[[int], None], ahead: Iterator[Job] = NOTHING
    ) -> Iterator[tuple[Job, list[Trained] | None]]:
        """In the order in which they are done; the longest are begun first."""
        small = self._pool is None and sum(work(job.tile) for job in jobs) < _WORTH_WORKERS
        if small or self._workers < 2 or device != "cpu":
            yield from Local().results(jobs, device, tick)
            return
        ordered = sorted(jobs, key=lambda job: -work(job.tile))
        asked = [self._begun.pop(job.tile) if job.tile in self._begun else self._begin(job, device) for job in ordered]
        tiles = {job.tile for job in jobs}
        try:
            while asked:
                self._fill(asked, device, (job for job in ahead if job.tile not in tiles))
                futures = [pending.future for pending in (*asked, *self._begun.values())]
                done, _ = wait(futures, timeout=_LOOK_EVERY, return_when=FIRST_COMPLETED)
                tick(0)
                # Whoever asks for what has failed ahead will meet the error then.
                early = [p for p in self._begun.values() if p.future in done and p.future.exception() is None]
                for pending in [*(p for p in asked if p.future in done), *early]:
                    yield pending.job, pending.future.result()
                asked = [pending for pending in asked if pending.future not in done]
                self._begun = {tile: begun for tile, begun in self._begun.items() if begun.future not in done}
        except BaseException:
            self._abandon()
            raise

    def close(self) -> None:
        """End the workers, idle ones that is: between two calls of `results` there are no others."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def _abandon(self) -> None:
        """End the workers at once, whatever they are doing; unfinished tiles are lost, stored ones are not."""
        if self._pool is not None:
            for worker in list((self._pool._processes or {}).values()):
                worker.terminate()
            self._begun.clear()
            self.close()

    def _begin(self, job: Job, device: str) -> "_Pending":
        future = self._started().submit(train_tile, job.tile, job.parents, device, _silent, job.partners)
        return _Pending(job, future)

    def _fill(self, asked: Sequence["_Pending"], device: str, ahead: Iterator[Job]) -> None:
        """Give something to do to every worker that has nothing."""
        while len(asked) + len(self._begun) < self._workers and (job := next(ahead, None)) is not None:
            self._begun[job.tile] = self._begin(job, device)

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")  # a fork would copy torch's threads in unknown states
            self._pool = ProcessPoolExecutor(self._workers, mp_context=context, initializer=_begin_worker)
        return self._pool


@contextmanager
def one_thread(device: str) -> Iterator[None]:
    """Torch with a single thread, as it was before afterwards."""
    before = torch.get_num_threads()
    if device == "cpu" and before != 1:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        if torch.get_num_threads() != before:
            torch.set_num_threads(before)


def _begin_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(1)


def _end_with_parent() -> None:
    """A parent that is killed tells nobody: its workers would wait for tiles for ever, at 400 MB each."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _silent(member_steps: int) -> None:
    """A worker's steps are told when its tile is done."""
