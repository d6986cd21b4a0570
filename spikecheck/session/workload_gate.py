"""A gate on a workload, as a command line asks for it."""

import platform
from datetime import UTC, datetime

from spikecheck.core.errors import UsageError
from spikecheck.core.events import Observer
from spikecheck.core.scorecard import OptimizerSpec
from spikecheck.gate.workload_run import WorkloadGate
from spikecheck.gate.workload_suite import WorkloadSuite
from spikecheck.lab.device import usable
from spikecheck.lab.store import Store
from spikecheck.lab.store_address import opened
from spikecheck.session.lab_options import LabOptions
from spikecheck.watch.runs import environment


def workload_gate(
    candidate: OptimizerSpec, suite: WorkloadSuite, options: LabOptions, command: str, observe: Observer
) -> WorkloadGate:
    """The gate, on this machine; raises as `store_and_device`."""
    store, device = store_and_device(options)
    where: dict[str, str | int | float] = {
        **environment(device),
        "threads": 1 if device == "cpu" else 0,
        "system": f"{platform.system()} {platform.machine()}",
        "date": datetime.now(UTC).date().isoformat(),
    }
    workers = 1 if options.executor == "local" else None
    return WorkloadGate(candidate, suite, store, device, workers, options.deadline, command, where, observe)


def store_and_device(options: LabOptions) -> tuple[Store | None, str]:
    """Where trainings of workloads are kept, and where they are made.

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
    return store, usable(options.device)
