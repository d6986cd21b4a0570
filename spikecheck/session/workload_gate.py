"""A gate on a workload, from the options of a command line."""

import platform
from datetime import UTC, datetime

from spikecheck.core.events import Observer
from spikecheck.core.scorecard import OptimizerSpec
from spikecheck.gate.workload_run import WorkloadGate
from spikecheck.gate.workload_suite import WorkloadSuite
from spikecheck.gate.workload_trainer import Trainer
from spikecheck.session.lab_options import LabOptions
from spikecheck.session.workload_place import workload_place
from spikecheck.watch.runs import environment


def workload_gate(
    candidate: OptimizerSpec, suite: WorkloadSuite, options: LabOptions, command: str, observe: Observer
) -> WorkloadGate:
    """The gate, on this machine.

    Raises:
        StoreError: when the store cannot be used.
        UsageError: when the store is no folder, the executor is a cluster, or torch sees no such device.
    """
    place = workload_place(options)
    where: dict[str, str | int | float] = {
        **environment(place.device),
        "threads": 1 if place.device == "cpu" else 0,
        "system": f"{platform.system()} {platform.machine()}",
        "date": datetime.now(UTC).date().isoformat(),
    }
    trainer = Trainer(suite.workload, suite.steps, place.store, place.device, place.workers, options.deadline, observe)
    return WorkloadGate(candidate, suite, trainer, command, where, observe)
