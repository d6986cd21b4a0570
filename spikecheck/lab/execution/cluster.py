"""Tiles to workers on other machines: through any `concurrent.futures.Executor`, one task a tile.

Results come through the store, a place that all of them can reach: a worker stores what it trained before it says so. What a
worker had finished is therefore kept whatever becomes of the worker, the scheduler or this process, and nothing large passes
through a scheduler.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent import futures
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from spikecheck.core.errors import ClusterLost, StoreError, UsageError
from spikecheck.core.events import Event, StoreTrouble
from spikecheck.core.recipe import Environment, Recipe
from spikecheck.lab.batching import work
from spikecheck.lab.device import Device, environment
from spikecheck.lab.execution.order import Answers, TrainingRequest
from spikecheck.lab.laboratory import Laboratory
from spikecheck.lab.store_address import opened

_RETRIES = 2
"""How often a scheduler tries a tile again whose worker is lost, besides its own count of suspicious deaths."""
_LOOK_EVERY = 0.2
"""Seconds between two looks at the deadline."""
_ASK_EVERY = 0.5
"""Seconds between two questions to a batch system whether a job is done."""
_PATIENCE = "5s"
_NOBODY_LEFT = {"KilledWorker", "UncompletedJobError"}
"""What Dask and submitit call it; neither is imported where it is not used."""


@dataclass(frozen=True)
class Connection:
    """An executor, how to leave it, and whether nobody is at its other end any more."""

    executor: futures.Executor
    leave: Callable[[], object]
    lost: Callable[[], bool] = lambda: False


class Cluster:
    """An executor whose workers answer through the store."""

    def __init__(self, connect: Callable[[], Connection], store: str, where: str) -> None:
        """`connect` is called when something is to be trained; `store` is an address; `where` is what the user called it."""
        self._connect, self._store, self._where = connect, store, where
        self._connection: Connection | None = None

    def results(self, order: TrainingRequest) -> Answers:
        """In the order in which they are done, the longest begun first; None: it is in the store.

        Raises:
            ClusterLost: when the scheduler or too many workers are gone; what they had finished is stored.
            UsageError: when a worker cannot give the bits that this machine would.
        """
        if not order.tiles:
            return
        if self._connection is None:
            self._connection = self._connect()
        here = environment(order.device)
        pending = {
            self._connection.executor.submit(answer, tile, self._store, cast("Device", order.device), here): tile
            for tile in sorted(order.tiles, key=lambda tile: -work(tile))
        }
        try:
            while pending:
                done, _ = futures.wait(pending, timeout=_LOOK_EVERY, return_when=futures.FIRST_COMPLETED)
                order.tick((), 0)
                for future in done:
                    tile = pending.pop(future)
                    self._check(future)
                    yield tile, None
                self._check_connection(len(pending))
        except BaseException:
            for future in pending:
                future.cancel()
            raise

    def close(self) -> None:
        """Leave the cluster; its workers go on to live."""
        if self._connection is not None:
            with suppress(OSError, RuntimeError):  # a scheduler that is gone
                self._connection.leave()
            self._connection = None

    def _check(self, future: "futures.Future[None]") -> None:
        """Pass on what a worker said; that there is nobody left shows as a cancelled task or a broken connection."""
        try:
            future.result()
        except (futures.CancelledError, Exception) as error:
            if isinstance(error, futures.CancelledError | OSError) or type(error).__name__ in _NOBODY_LEFT:
                raise self._gone(type(error).__name__) from error
            raise

    def _check_connection(self, pending: int) -> None:
        if pending and self._connection is not None and self._connection.lost():
            raise self._gone("no connection")

    def _gone(self, why: str) -> ClusterLost:
        return ClusterLost(
            f"{self._where}: is lost ({why}); start it again and give the same command: every tile that was finished is kept"
        )


def answer(tile: tuple[Recipe, ...], store: str, device: Device, expected: Environment) -> None:
    """What a worker does: train what the store lacks of a tile, and store it.

    Raises:
        UsageError: when its bits would be filed under other digests than they are looked for.
        StoreError: when the store cannot be written there.
    """
    troubles: list[Event] = []
    lab = Laboratory(opened(store), device, troubles.append)
    if lab.environment != expected:
        pairs = zip(expected.model_dump().items(), lab.environment.model_dump().values(), strict=True)
        told = ", ".join(f"{name} {there} (here {here})" for (name, here), there in pairs if here != there)
        raise UsageError(f"a worker has {told}: its rounding differs; give the cluster's machines what this one has")
    lab.runs(tile)
    if not lab.stores:
        reasons = [event.message for event in troubles if isinstance(event, StoreTrouble)]
        raise StoreError(f"a worker cannot store what it trains: {reasons[-1]}")


def _extra(package: str, executor: str) -> Any:
    """A library that only clusters need: nobody else should have to install it, or wait for its import."""
    try:
        return import_module(package)
    except ImportError as error:
        raise UsageError(f"--executor {executor}: needs {package}; pip install 'spikecheck[cluster]'") from error


def dask(address: str, device: str) -> Connection:
    """The workers of a Dask scheduler, HOST:PORT. On CUDA a task takes the resource GPU, of which workers declare how many.

    Raises:
        UsageError: without dask.distributed, or when nobody answers there.
    """
    distributed = _extra("distributed", "dask://…")
    for name in (
        "distributed.batched", "distributed.client", "distributed.comm", "distributed.core", "tornado.application"
    ):  # fmt: skip
        logging.getLogger(name).setLevel(logging.CRITICAL)  # a lost connection is told once, by us
    try:
        client = distributed.Client(f"tcp://{address}", timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"--executor dask://{address}: no scheduler answers there ({error}); start one with `dask scheduler`"
        ) from error
    options: dict[str, Any] = {"retries": _RETRIES, "pure": False}
    if device.startswith("cuda"):
        options["resources"] = {"GPU": 1}
    # Where a scheduler dies between a task's end and its answer, Dask forgets the future that waits for it.
    return Connection(client.get_executor(**options), client.close, lambda: client.status != "running")


class Submitted(futures.Executor):
    """A batch system behind submitit: a job a task, asked now and then whether it is done."""

    def __init__(self, system: Any) -> None:
        """`system` is a submitit executor, its folder reachable for all nodes."""
        self._system = system
        self._waiting: dict[futures.Future[Any], Any] = {}
        self._lock = threading.Lock()
        self._asking: threading.Thread | None = None

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "futures.Future[Any]":
        """Queue a call."""
        future: futures.Future[Any] = futures.Future()
        with self._lock:
            self._waiting[future] = self._system.submit(fn, *args, **kwargs)
            if self._asking is None:
                self._asking = threading.Thread(target=self._ask, daemon=True)
                self._asking.start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave what is queued to the batch system, or cancel it."""
        with self._lock:
            waiting = dict(self._waiting)
        for future, job in waiting.items() if cancel_futures else ():
            job.cancel()
            future.cancel()
        if wait and not cancel_futures:
            futures.wait(waiting)

    def _ask(self) -> None:
        while True:
            with self._lock:
                waiting = dict(self._waiting)
                if not waiting:
                    self._asking = None
                    return
            for future, job in waiting.items():
                if future.cancelled():
                    job.cancel()
                elif not job.done():
                    continue
                else:
                    _settle(future, job)
                with self._lock:
                    del self._waiting[future]
            time.sleep(_ASK_EVERY)


def _settle(future: "futures.Future[Any]", job: Any) -> None:
    error = job.exception()
    if not future.set_running_or_notify_cancel():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(job.result())


def submitit(system: str, partition: str, folder: Path, device: str) -> Connection:
    """SLURM's queue, or with system "local" processes of this machine that stand in for it.

    Raises:
        UsageError: without submitit, or where there is no SLURM.
    """
    library = _extra("submitit", "slurm://…")
    try:
        queue = library.AutoExecutor(folder=folder / "submitit", cluster=system)
    except RuntimeError as error:
        raise UsageError(f"--executor slurm://{partition}: {error}; call it where sbatch is") from error
    wanted: dict[str, Any] = {"timeout_min": 240, "cpus_per_task": 1, "name": "spikecheck"}
    if device.startswith("cuda"):
        wanted["gpus_per_node"] = 1
    if partition:
        wanted["slurm_partition"] = partition
    queue.update_parameters(**wanted)
    submitted = Submitted(queue)
    return Connection(submitted, partial(submitted.shutdown, wait=False, cancel_futures=True))
