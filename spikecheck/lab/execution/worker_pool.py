"""Worker processes: jobs in, results out as they are done, and what each worker is doing meanwhile."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from spikecheck.core.activity import heard_by
from spikecheck.lab.batch import Trained
from spikecheck.lab.execution.board import Board, Numbers, Row
from spikecheck.lab.execution.local import train_job
from spikecheck.lab.execution.order import Job, Tile

_LOOK_EVERY = 0.2
"""Seconds between two looks at the deadline while workers train."""
_rows: list[Row] = []
"""A worker's own row of its parent's board; empty in the parent."""


@dataclass(frozen=True, eq=False)
class Pending:
    """A tile that a worker has or will have."""

    tile: Tile
    number: int
    future: "Future[list[Trained]]"

    @property
    def failed(self) -> bool:
        """Whether it is done, and raised."""
        return self.future.exception() is not None


class WorkerPool:
    """A number of worker processes, which end with this one whatever becomes of it."""

    def __init__(self, workers: int) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would copy torch's threads in unknown states
        self._board = Board(context, workers)
        self._executor = ProcessPoolExecutor(
            workers, mp_context=context, initializer=_begin_worker, initargs=self._board.shared
        )
        self._jobs = 0

    def submit(self, job: Job, device: str) -> Pending:
        """Give a job to the next worker that is free."""
        self._jobs += 1
        with _safe_path():
            return Pending(job.tile, self._jobs, self._executor.submit(_train_numbered, self._jobs, job, device))

    def completed(self, pending: Collection[Pending]) -> list[Pending]:
        """Those that are done; waits for the first, but no longer than a fifth of a second."""
        wait([one.future for one in pending], timeout=_LOOK_EVERY, return_when=FIRST_COMPLETED)
        return [one for one in pending if one.future.done()]

    def made(self, pending: Collection[Pending]) -> Iterator[tuple[Tile, int]]:
        """The member-steps made of each tile since this was called last; where none is trained, tells what is done instead."""
        tiles = {one.number: one.tile for one in pending}
        for number, member_steps in self._board.made():
            if number in tiles:
                yield tiles[number], member_steps
        self._board.tell_what_else()

    def close(self) -> None:
        """End the workers when they have finished what they are doing."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def terminate(self) -> None:
        """End the workers at once, whatever they are doing; unfinished tiles are lost, stored ones are not."""
        for worker in list((self._executor._processes or {}).values()):
            worker.terminate()
        self.close()


@contextmanager
def _safe_path() -> Iterator[None]:
    """Workers begun in here do not search the working directory first: a user's types.py would stand for Python's.

    They are told afterwards where this process searches.
    """
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = before


# ---- in a worker -----------------------------------------------------------------------------------------------------


def _begin_worker(numbers: Numbers, taken: Numbers) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(1)
    _rows.append(Row.taken_from(numbers, taken))


def _end_with_parent() -> None:
    """A parent that is killed tells nobody: its workers would wait for tiles for ever, at 400 MB each."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _train_numbered(number: int, job: Job, device: str) -> list[Trained]:
    """Train one job; the worker's row on the board tells how far it is."""
    (row,) = _rows
    row.begin(number)
    try:
        with heard_by(row.tell):
            return train_job(job, device, row.advance)
    finally:
        row.end()
