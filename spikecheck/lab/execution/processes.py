"""Trains tiles in worker processes, one per core."""

import os
from collections.abc import Iterator
from itertools import islice

from spikecheck.lab.batching import work
from spikecheck.lab.execution.local import Local
from spikecheck.lab.execution.order import Answers, Tile, TrainingRequest
from spikecheck.lab.execution.worker_pool import Pending, WorkerPool

# Activations of about three seconds of training: less is done before workers have imported torch.
WORTH_WORKERS = 2.5e8
WORTH_SECONDS = 5.0
"""The same of what is expected in all, which is known less well."""
_A_WORKER = 2
"""Tiles loaded per worker: the one it trains, and the next."""


class Processes:
    """Trains as many tiles at once as there are cores. Small work stays in this process."""

    def __init__(self, workers: int | None = None) -> None:
        """`workers`: the number of processes; by default, the number of cores that this process may use."""
        self._workers = workers or len(os.sched_getaffinity(0))
        self._pool: WorkerPool | None = None
        self._ahead: dict[Tile, Pending] = {}
        """Tiles being trained before they are ordered."""

    def results(self, order: TrainingRequest) -> Answers:
        """Yield tiles as they finish; the longest are begun first."""
        if not self._worth_workers(order):
            yield from Local().results(order)
            return
        pool = self._pool = self._pool or WorkerPool(self._workers)
        longest_first = sorted(order.tiles, key=lambda tile: -work(tile))
        wanted = [self._ahead.pop(tile) for tile in longest_first if tile in self._ahead]
        begun = {pending.tile for pending in wanted}
        waiting = (tile for tile in longest_first if tile not in begun)
        try:
            while wanted := wanted + _begun(pool, order, waiting, _A_WORKER * self._workers - len(wanted)):
                self._begin_ahead(pool, order, self._workers - len(wanted))
                done = pool.completed([*wanted, *self._ahead.values()])
                _tell(pool, order, [*wanted, *self._ahead.values()])
                for pending in done:
                    # A tile that failed ahead raises only once it is ordered: until then its result is not wanted.
                    if pending in wanted or not pending.failed:
                        yield pending.tile, pending.result()
                wanted = [pending for pending in wanted if pending not in done]
                self._ahead = {tile: pending for tile, pending in self._ahead.items() if pending not in done}
            self._begin_ahead(pool, order, self._workers)  # while this process measures what has been trained
        except BaseException:
            self._abandon()
            raise

    def close(self) -> None:
        """End the workers. Between two calls of `results` they train no more than what was begun ahead."""
        if self._pool is not None and any(not pending.future.done() for pending in self._ahead.values()):
            self._pool.close()  # a worker that is ended while it sends a result would leave half of it
        self._abandon()

    def _worth_workers(self, order: TrainingRequest) -> bool:
        if self._workers < 2 or order.device != "cpu":
            return False
        enough = sum(map(work, order.tiles)) >= WORTH_WORKERS or (order.tiles and order.expected >= WORTH_SECONDS)
        return self._pool is not None or bool(enough)

    def _begin_ahead(self, pool: WorkerPool, order: TrainingRequest, workers: int) -> None:
        """Keep so many workers busy with tiles that will be ordered later."""
        tiles = order.ahead(max(workers - len(self._ahead), 0))
        self._ahead |= {tile: pool.submit(order.load(tile), order.device) for tile in tiles}

    def _abandon(self) -> None:
        self._ahead.clear()
        if self._pool is not None:
            self._pool.terminate()
            self._pool = None


def _begun(pool: WorkerPool, order: TrainingRequest, tiles: Iterator[Tile], room: int) -> list[Pending]:
    """Submit the next `room` tiles to the workers."""
    return [pool.submit(order.load(tile), order.device) for tile in islice(tiles, max(room, 0))]


def _tell(pool: WorkerPool, order: TrainingRequest, pending: list[Pending]) -> None:
    """Report the workers' member-steps to `order.tick`, which may raise to stop them."""
    order.tick((), 0)
    for tile, member_steps in pool.made(pending):
        order.tick(tile, member_steps)
