"""Forks that were made before are read from the store, and new ones kept in it: Ctrl-C loses none that is done."""

import hashlib
import inspect
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass

import numpy as np

from spikecheck.core.errors import CorruptEntry, StoreError
from spikecheck.lab.store import Store
from spikecheck.lab.store_format import Entry
from spikecheck.why.executors import Executor, Job, Result
from spikecheck.why.scene import Scene

FORKS_EPOCH = 1
"""Raised by one whenever a change here changes any fork's losses."""


@dataclass(frozen=True)
class ForkStore:
    """The forks of one training's scene."""

    store: Store | None
    digest: str
    """Of the training's run."""
    scene: Scene

    def ask(self, executor: Executor, jobs: Sequence[Job]) -> Iterator[tuple[Job, Result]]:
        """Every job with its result: those in the store first, then the others as they are done."""
        missing = []
        for job in jobs:
            known = self._known(job)
            if known is None:
                missing.append(job)
            else:
                yield job, known
        for job, result in executor.run(missing, self.scene):
            self._keep(job, result)
            yield job, result

    def _known(self, job: Job) -> list[float] | None:
        with suppress(CorruptEntry):
            entry = None if self.store is None else self.store.get(self._address(job))
            return None if entry is None else [float(loss) for loss in entry.arrays["losses"]]
        return None

    def _keep(self, job: Job, result: Result) -> None:
        if self.store is not None and not isinstance(result, str):
            with suppress(StoreError):  # a full disk costs the fork another time, and not the answer
                self.store.put(self._address(job), Entry({"losses": np.array(result)}, {"arm": job.arm.name}))

    def _address(self, job: Job) -> str:
        parts = [FORKS_EPOCH, self.digest, asdict(self.scene), job.arm.name, _source(job), job.arm.nudged, job.number]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _source(job: Job) -> str:
    """The text of an arm's function, so that a changed arm is forked again."""
    try:
        return inspect.getsource(job.arm.apply)
    except (OSError, TypeError):
        return repr(job.arm.apply)
