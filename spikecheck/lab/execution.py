"""Where tiles are trained: in this process, or in worker processes of one torch thread each.

One thread a process, everywhere: two busy processes with two torch threads each on two cores run many times slower than
with one, and the number of threads belongs to the bits of a run, so a run trained here is the run replayed there.
"""

import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import torch

from spikecheck.core.activity import heard_by
from spikecheck.core.errors import UsageError
from spikecheck.core.recipe import Recipe
from spikecheck.lab.batch import Trained
from spikecheck.lab.batching import smallest, work
from spikecheck.lab.board import Board, Numbers, Row
from spikecheck.lab.train_batch import train_tile

# About three seconds of training: less is done before workers have imported torch.
_WORTH_WORKERS = 2.5e8
_LOOK_EVERY = 0.2
"""Seconds between two looks at the deadline while workers train."""
_A_WORKER = 2
"""Tiles that are loaded for each worker: the one it trains, and the next."""
_NO_ROOM = ("out of memory", "ALLOC_FAILED")
"""What errors that are no `torch.OutOfMemoryError` say: Metal's, CUDA's own, and those of its libraries for matrices."""


Tile = tuple[Recipe, ...]
_rows: list[Row] = []
"""A worker's own row of its parent's board; empty in the parent."""


@dataclass(frozen=True)
class Job:
    """One tile, the trainings its recipes go on from, and those they exchange with."""

    tile: Tile
    parents: tuple[Trained, ...]
    partners: tuple[Trained, ...] = ()
    size: int = field(kw_only=True)
    """Members that train together, copies of the first included."""

    def part(self, first: int, size: int) -> "Job":
        """At most `size` of its recipes, from `first` on, with what each goes on from."""
        some = slice(first, first + size)
        return Job(self.tile[some], self.parents[some], self.partners[some], size=size)


Load = Callable[[Tile], Job]
"""A tile's job, with what its recipes go on from. Called when the tile's turn has come: all at once would take gigabytes."""
NOTHING: Iterator[Tile] = iter(())


@dataclass(frozen=True)
class Order:
    """What is to be trained."""

    tiles: Sequence[Tile]
    load: Load
    device: str
    tick: Callable[[Tile, int], None]
    """Is told how many more member-steps of a tile were made, and may raise to stop."""
    ahead: Iterator[Tile] = NOTHING
    """What will be ordered later: taken from where a core would be idle."""


Answers = Iterator[tuple[Tile, list[Trained] | None]]
"""Tiles as they are done, with their results; None for what a worker has stored itself."""


class Executor(Protocol):
    """Trains tiles and gives each one's results as soon as they are there."""

    def results(self, order: Order) -> Answers:
        """In any order. What was taken from `ahead` is answered too, at this call or a later one."""
        ...

    def close(self) -> None:
        """Let go of what was started."""
        ...


@dataclass(frozen=True)
class _Pending:
    """A tile that a worker has or will have."""

    tile: Tile
    future: "Future[list[Trained]]"
    number: int


class Local:
    """One tile after another, in this process."""

    def results(self, order: Order) -> Answers:
        """In the order given; this process is never idle, so nothing is done ahead."""
        for tile in order.tiles:
            order.tick(tile, 0)  # a tile of few steps never ticks by itself
            with one_thread(order.device):
                trained = train_job(order.load(tile), order.device, partial(order.tick, tile))
            yield tile, trained

    def close(self) -> None:
        """Nothing was started."""


class Processes:
    """As many tiles at once as there are cores. Work too small to be worth it stays in this process."""

    def __init__(self, workers: int | None = None) -> None:
        """`workers`: the cores this process may use, where none is given."""
        self._workers = workers or len(os.sched_getaffinity(0))
        self._pool: ProcessPoolExecutor | None = None
        self._board: Board | None = None
        self._jobs = 0
        self._begun: dict[Tile, _Pending] = {}
        """What is trained ahead of being asked for."""

    def results(self, order: Order) -> Answers:
        """In the order in which they are done; the longest are begun first."""
        small = self._pool is None and sum(map(work, order.tiles)) < _WORTH_WORKERS
        if small or self._workers < 2 or order.device != "cpu":
            yield from Local().results(order)
            return
        ordered = sorted(order.tiles, key=lambda tile: -work(tile))
        asked = [self._begun.pop(tile) for tile in ordered if tile in self._begun]
        under_way = {pending.tile for pending in asked}
        waiting = deque(tile for tile in ordered if tile not in under_way)
        own = set(order.tiles)
        others = (tile for tile in order.ahead if tile not in own)
        try:
            while asked or waiting:
                while waiting and len(asked) < _A_WORKER * self._workers:
                    asked.append(self._begin(order, waiting.popleft()))
                self._fill(asked, order, others)
                futures = [pending.future for pending in (*asked, *self._begun.values())]
                done, _ = wait(futures, timeout=_LOOK_EVERY, return_when=FIRST_COMPLETED)
                self._tell(order, [*asked, *self._begun.values()])
                # Whoever asks for what has failed ahead will meet the error then.
                early = [p for p in self._begun.values() if p.future in done and p.future.exception() is None]
                for pending in [*(p for p in asked if p.future in done), *early]:
                    yield pending.tile, pending.future.result()
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

    def _begin(self, order: Order, tile: Tile) -> "_Pending":
        pool, job = self._started(), order.load(tile)
        self._jobs += 1
        with _safe_path():
            return _Pending(tile, pool.submit(_train_numbered, self._jobs, job, order.device), self._jobs)

    def _tell(self, order: Order, loaded: Sequence["_Pending"]) -> None:
        """What the workers have made since it was told last, and what they do in place of it."""
        order.tick((), 0)
        if self._board is not None:
            tiles = {pending.number: pending.tile for pending in loaded}
            for number, made in self._board.made():
                if number in tiles:
                    order.tick(tiles[number], made)
            self._board.tell_what_else()

    def _fill(self, asked: Sequence["_Pending"], order: Order, ahead: Iterator[Tile]) -> None:
        """Give something to do to every worker that has nothing."""
        while len(asked) + len(self._begun) < self._workers and (tile := next(ahead, None)) is not None:
            self._begun[tile] = self._begin(order, tile)

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")  # a fork would copy torch's threads in unknown states
            self._board = Board(context, self._workers)
            self._pool = ProcessPoolExecutor(
                self._workers, mp_context=context, initializer=_begin_worker, initargs=self._board.shared
            )
        return self._pool


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


def train_job(job: Job, device: str, tick: Callable[[int], None]) -> list[Trained]:
    """A job's results, in the order of its recipes. An accelerator that has no room for a tile trains it by halves.

    What a half has finished is kept; the other half may be halved again. Once halved, `tick` is told no steps: some were made
    before and would be told twice.

    Raises:
        UsageError: when there is no room for the smallest tile either.
    """

    def without_steps(made: int) -> None:
        tick(0)

    trained: list[Trained] = []
    size = job.size
    while len(trained) < len(job.tile):
        part = job.part(len(trained), size)
        some = _with_room(part, device, tick if size == job.size else without_steps)
        if some is None:
            size //= 2
            _release(device)
        else:
            trained += some
    return trained


def _with_room(job: Job, device: str, tick: Callable[[int], None]) -> list[Trained] | None:
    """The results; None where there is no room and half as many members may have it.

    None and not an error, because an error holds on to the frames it came through, and they to what is to be freed.
    """
    try:
        with redirect_stdout(sys.stderr):  # what a user's optimizer prints is no part of what --json - writes
            return train_tile(job.tile, job.parents, device, tick, job.partners, job.size)
    except RuntimeError as error:
        if not _lacks_room(error, device):
            raise
        if job.size // 2 < smallest(job.tile[0]):
            raise UsageError(_no_room(job, device)) from error
        return None


def _lacks_room(error: RuntimeError, device: str) -> bool:
    """On the CPU a tile's size belongs to the bits that a digest promises: there, only what torch never raises counts."""
    said = device != "cpu" and any(sign in str(error) for sign in _NO_ROOM)
    return isinstance(error, torch.OutOfMemoryError) or said


def _no_room(job: Job, device: str) -> str:
    setting = job.tile[0].setting
    size = ", ".join(f"{name}={getattr(setting, name)}" for name in ("problem", "model", "width", "depth", "points"))
    return (
        f"device={device!r}: out of memory with {job.size} members, the fewest that train together, of {size}; "
        "use a smaller width or fewer points, or --device cpu"
    )


def _release(device: str) -> None:
    """Give back what torch has set aside: what is left of a large tile lies in pieces that a smaller one may not fit."""
    gc.collect()  # graphs may refer to themselves
    if device == "cuda":
        torch.cuda.empty_cache()
    elif device == "mps":
        torch.mps.empty_cache()


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
    """What a worker does; its row on the board tells how far it is."""
    (row,) = _rows
    row.begin(number)
    try:
        with heard_by(row.tell):
            return train_job(job, device, row.advance)
    finally:
        row.end()
