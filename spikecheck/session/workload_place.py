"""Where a workload is trained, as a command line says it."""

from dataclasses import dataclass

from spikecheck.core.errors import UsageError
from spikecheck.lab.device import usable
from spikecheck.lab.store import Store
from spikecheck.lab.store_address import opened
from spikecheck.session.lab_options import LabOptions


@dataclass(frozen=True)
class WorkloadPlace:
    """A store, a device, and processes."""

    store: Store | None
    device: str
    workers: int | None
    """Processes at once; None for one a core."""


def workload_place(options: LabOptions) -> WorkloadPlace:
    """Where, on this machine.

    Raises:
        StoreError: when the store cannot be used.
        UsageError: when the store is no folder, the executor is a cluster, or torch sees no such device.
    """
    store = None if options.no_store else opened(options.store)
    if store is not None and not isinstance(store, Store):
        raise UsageError(
            f"--store {store.address}: checkpoints of workloads need a folder; give --store DIR, or --no-store"
        )
    if options.executor not in ("local", "processes"):
        raise UsageError(
            f"--executor {options.executor}: workloads are trained on this machine; use local or processes"
        )
    return WorkloadPlace(store, usable(options.device), 1 if options.executor == "local" else None)
