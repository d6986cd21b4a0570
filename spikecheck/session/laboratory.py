"""A laboratory as a command line asks for it."""

from pathlib import Path

from spikecheck.core.errors import UsageError
from spikecheck.core.events import Observer
from spikecheck.lab.device import Device
from spikecheck.lab.execution.cluster import Cluster, dask, submitit
from spikecheck.lab.execution.local import Local
from spikecheck.lab.execution.order import Executor
from spikecheck.lab.execution.processes import Processes
from spikecheck.lab.laboratory import Laboratory
from spikecheck.lab.store import Store
from spikecheck.lab.store_address import RunStore, opened
from spikecheck.session.lab_options import LabOptions


def laboratory(options: LabOptions, observe: Observer) -> Laboratory:
    """The laboratory; its budget begins to run when the options were read.

    Raises:
        StoreError: when the store cannot be used.
        UsageError: when a cluster is to answer without a store, or torch sees no such device.
    """
    store = None if options.no_store else opened(options.store)
    return Laboratory(
        store, options.device, observe, options.deadline, _executor(options.executor, store, options.device)
    )


def _executor(where: str, store: RunStore | None, device: Device) -> Executor:
    """local, processes, dask://HOST:PORT, slurm://PARTITION, or submitit://local, which tries the last on one machine."""
    kind, _, address = where.partition("://")
    if not address and kind in ("local", "processes"):
        return Processes() if kind == "processes" else Local()
    if store is None:
        raise UsageError(f"--executor {where}, --no-store: a cluster's workers answer through the store; leave out one")
    if kind == "dask":
        return Cluster(lambda: dask(address, device), store.address, where)
    system, partition = ("slurm", address) if kind == "slurm" else (address, "")
    logs = (store.folder if isinstance(store, Store) else Path()).resolve()
    return Cluster(lambda: submitit(system, partition, logs, device), store.address, where)
