"""A pool of worker processes: it accepts jobs, returns results as they finish, and reports progress in between."""

import multiprocessing
import signal
import threading
from collections.abc import Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from spikecheck.core.activity import heard_by
from spikecheck.core.errors import SpikecheckError
from spikecheck.lab.execution.board import Board, Numbers, Row
from spikecheck.lab.execution.order import Job, Tile
from spikecheck.lab.execution.worker_process import end_with_parent, safe_path
from spikecheck.lab.trained import Trained

_LOOK_EVERY = 0.2
"""Seconds between two checks of the deadline while workers train."""
_rows: list[Row] = []
"""A worker's own row on its parent's board; empty in the parent."""


@dataclass(frozen=True, eq=False)
class Pending:
    """A tile that a worker is training or will train."""

    tile: Tile
    number: int
    future: "Future[list[Trained]]"

    def result(self) -> list[Trained]:
        """What the job trained.

        Raises:
            SpikecheckError: its worker was killed.
        """
        try:
            return self.future.result()
        except BrokenProcessPool as error:
            raise SpikecheckError(
                "a worker process was killed, perhaps for lack of memory; run again, which does not train again what is in "
                "the store, or with --executor local, which takes the memory of one process"
            ) from error

    @property
    def failed(self) -> bool:
        """Whether the job raised an error; call it only when the job is done."""
        return self.future.exception() is not None


class WorkerPool:
    """Worker processes, which end when this process ends, even if it is killed."""

    def __init__(self, workers: int) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would copy torch's threads in unknown states
        self._board = Board(context, workers)
        self._executor = ProcessPoolExecutor(
            workers, mp_context=context, initializer=_begin_worker, initargs=self._board.shared
        )
        self._jobs = 0

    def submit(self, job: Job, device: str) -> Pending:
        """Queue a job for the next free worker."""
        self._jobs += 1
        with safe_path():
            return Pending(job.tile, self._jobs, self._executor.submit(_train_numbered, self._jobs, job, device))

    def completed(self, pending: Collection[Pending]) -> list[Pending]:
        """The jobs that are done. Waits for the first one, but at most a fifth of a second."""
        wait([one.future for one in pending], timeout=_LOOK_EVERY, return_when=FIRST_COMPLETED)
        return [one for one in pending if one.future.done()]

    def made(self, pending: Collection[Pending]) -> Iterator[tuple[Tile, int]]:
        """Yield the member-steps made of each tile since the last call.

        While no worker trains, also report what the workers do instead.
        """
        tiles = {one.number: one.tile for one in pending}
        for number, member_steps in self._board.made():
            if number in tiles:
                yield tiles[number], member_steps
        self._board.tell_what_else()

    def close(self) -> None:
        """End the workers once they have finished their jobs."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def terminate(self) -> None:
        """End the workers at once. Unfinished tiles are lost; stored ones are not.

        Idle workers are ended so as well: a process in which torch was imported takes a third of a second to end by itself.
        """
        for worker in list((self._executor._processes or {}).values()):
            worker.terminate()
        self.close()


# ---- in a worker -----------------------------------------------------------------------------------------------------


def _begin_worker(numbers: Numbers, taken: Numbers) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    threading.Thread(target=end_with_parent, daemon=True).start()
    _rows.append(Row.taken_from(numbers, taken))
    # Torch is imported here, which takes seconds, while the parent prepares the first job, and without being imported there.
    import torch  # noqa: PLC0415

    from spikecheck.lab.execution import train_job  # noqa: F401, PLC0415

    torch.set_num_threads(1)


def _train_numbered(number: int, job: Job, device: str) -> list[Trained]:
    """Train one job; the worker's row on the board shows its progress."""
    from spikecheck.lab.execution.train_job import train_job  # noqa: PLC0415 - as above

    (row,) = _rows
    row.begin(number)
    try:
        with heard_by(row.tell):
            return train_job(job, device, row.advance)
    finally:
        row.end()
