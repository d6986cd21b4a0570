"""Tiles trained by workers on other machines, through any `concurrent.futures.Executor`: one task per tile.

Results come through the store, at a place that all workers can reach: a worker stores a tile's runs before its task returns.
Finished tiles therefore survive the loss of the worker, the scheduler or this process, and nothing large passes through the
scheduler.
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
"""How often a scheduler retries a tile whose worker is lost, in addition to its own limit on suspicious deaths."""
_LOOK_EVERY = 0.2
"""Seconds between two checks of the deadline."""
_ASK_EVERY = 0.5
"""Seconds between two queries to a batch system whether a job is done."""
_PATIENCE = "5s"
_NOBODY_LEFT = {"KilledWorker", "UncompletedJobError"}
"""Names of the errors by which Dask and submitit report lost workers. By name, so that neither must be imported."""


@dataclass(frozen=True)
class Connection:
    """An executor, a function that disconnects from it, and one that says whether the connection is lost."""

    executor: futures.Executor
    leave: Callable[[], object]
    lost: Callable[[], bool] = lambda: False


class Cluster:
    """Trains tiles on a cluster whose workers return runs through the store."""

    def __init__(self, connect: Callable[[], Connection], store: str, where: str) -> None:
        """`connect` is called at the first tile; `store` is the store's address; `where` is the user's name of the cluster."""
        self._connect, self._store, self._where = connect, store, where
        self._connection: Connection | None = None

    def results(self, order: TrainingRequest) -> Answers:
        """Yield tiles as they finish, the longest begun first. Their results are None, since the store has them.

        Raises:
            ClusterLost: when the scheduler or too many workers are gone; finished tiles are stored.
            UsageError: when a worker cannot reproduce the bits of this machine.
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
        """Disconnect from the cluster; its workers keep running."""
        if self._connection is not None:
            with suppress(OSError, RuntimeError):  # a scheduler that is gone
                self._connection.leave()
            self._connection = None

    def _check(self, future: "futures.Future[None]") -> None:
        """Raise a worker's error. Lost workers show as a cancelled task or a broken connection, and raise ClusterLost."""
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
    """A worker's task: train the recipes of a tile that the store lacks, and store their runs.

    Raises:
        UsageError: when the worker's environment differs from `expected`, so that its digests would differ too.
        StoreError: when the worker cannot write the store.
    """
    troubles: list[Event] = []
    lab = Laboratory(opened(store), device, troubles.append)
    if lab.environment != expected:
        pairs = zip(expected.model_dump().items(), lab.environment.model_dump().values(), strict=True)
        told = ", ".join(f"{name} {there} (here {here})" for (name, here), there in pairs if here != there)
        raise UsageError(f"a worker has {told}, so it rounds differently; use the same on all machines of the cluster")
    lab.runs(tile)
    if not lab.stores:
        reasons = [event.message for event in troubles if isinstance(event, StoreTrouble)]
        raise StoreError(f"a worker cannot store what it trains: {reasons[-1]}")


def _extra(package: str, executor: str) -> Any:
    """Import a library that only clusters need, so that other users need not install it or wait for its import."""
    try:
        return import_module(package)
    except ImportError as error:
        raise UsageError(f"--executor {executor}: needs {package}; pip install 'spikecheck[cluster]'") from error


def dask(address: str, device: str) -> Connection:
    """Connect to the workers of the Dask scheduler at `address`, HOST:PORT.

    On CUDA each task takes one unit of the resource GPU, which the workers must declare.

    Raises:
        UsageError: when dask.distributed is missing, or no scheduler answers.
    """
    distributed = _extra("distributed", "dask://…")
    for name in (
        "distributed.batched", "distributed.client", "distributed.comm", "distributed.core", "tornado.application"
    ):  # fmt: skip
        logging.getLogger(name).setLevel(logging.CRITICAL)  # a lost connection is reported once, by us
    try:
        client = distributed.Client(f"tcp://{address}", timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"--executor dask://{address}: no scheduler answers there ({error}); start one with `dask scheduler`"
        ) from error
    options: dict[str, Any] = {"retries": _RETRIES, "pure": False}
    if device.startswith("cuda"):
        options["resources"] = {"GPU": 1}
    # When a scheduler dies between the end of a task and its answer, Dask forgets the waiting future: hence the status check.
    return Connection(client.get_executor(**options), client.close, lambda: client.status != "running")


class Submitted(futures.Executor):
    """A batch system behind submitit: one job per task, polled until it is done."""

    def __init__(self, system: Any) -> None:
        """`system` is a submitit executor whose folder all nodes can reach."""
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
    """Connect to a SLURM queue; with system "local", processes of this machine stand in for it.

    Raises:
        UsageError: when submitit or SLURM is missing.
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
