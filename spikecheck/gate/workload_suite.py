"""What the gate looks at in a workload: trainings of a user's own, whose losses are noisy and whose model is their own.

The margins were written before any workload was gated: a twentieth of a loss, a tenth of the steps or of the time.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from spikecheck.core.errors import SettingError, UnknownName
from spikecheck.core.run import Run
from spikecheck.core.scorecard import OptimizerSpec, WorkloadPlace
from spikecheck.gate.metrics import DIVERGED, TIME, Measure
from spikecheck.watch.workload import OptimizerChoice, Workload

MEASURES_EPOCH = 1
"""Raised by one whenever a row is added, or is measured otherwise: older baselines then do not fit."""
STEPS = 500
"""Of a training, where nobody says otherwise."""
FINAL, BEST, REACHES = "final loss", "best loss", "steps to the reference's loss"


def _told_by_losses(run: Run) -> None:
    """Nothing that is read off a run of the laboratory: these trainings have another record."""


WORKLOAD_MEASURES: tuple[Measure, ...] = (
    Measure(DIVERGED, "share of trainings", 0.02, _told_by_losses, law="count"),
    Measure(FINAL, "log10", 0.02, _told_by_losses),
    Measure(BEST, "log10", 0.02, _told_by_losses),
    Measure(REACHES, "log2", 0.14, _told_by_losses, may_lack=True),
)
_STEP_TIME = Measure(*TIME, margin=0.14, of=_told_by_losses)
WORKLOAD_ROWS = (*(measure.name for measure in WORKLOAD_MEASURES), TIME[0])


@dataclass(frozen=True)
class WorkloadSuite:
    """One workload, how long and with how many seeds it is trained, and the root of those seeds."""

    workload: Workload
    steps: int
    seeds: int
    root: int
    conditions: Mapping[str, Any]
    """The workload, its options and the steps, as they were given."""
    rows: tuple[str, ...] = WORKLOAD_ROWS

    @property
    def settings(self) -> Mapping[str, Workload]:
        """Where it trains, by name."""
        return {self.workload.path: self.workload}

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What is looked at in trainings."""
        return tuple(measure for measure in WORKLOAD_MEASURES if measure.name in self.rows)

    @property
    def cost(self) -> tuple[Measure, ...]:
        """What is looked at beside them."""
        return (_STEP_TIME,) if TIME[0] in self.rows else ()

    @property
    def digest(self) -> str:
        """Of all that two scores must share to be compared; the workload's source is in it."""
        parts = [self.workload.path, self.workload.source(), self.workload.options, self.steps, self.seeds, self.root]
        text = json.dumps([*parts, self.rows, MEASURES_EPOCH], sort_keys=True, default=repr)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def places(self, contestant: OptimizerSpec) -> tuple[WorkloadPlace, ...]:
        """The workload, as any contestant trains it."""
        path, options = self.workload.path, dict(self.workload.options)
        return (WorkloadPlace(name=path, workload=path, steps=self.steps, options=options),)

    def own_seeds(self) -> tuple[int, ...]:
        """The same for every contestant."""
        key = [self.root, *self.workload.path.encode()]
        return tuple(map(int, np.random.SeedSequence(key).generate_state(self.seeds, np.uint32)))


def workload_suite(conditions: Mapping[str, Any], seeds: int, root: int, rows: tuple[str, ...]) -> WorkloadSuite:
    """The suite of `conditions`: workload, steps, and what else the workload's function takes.

    Raises:
        UnknownName: when there is no such workload, option or row.
        SettingError: when the steps are no positive number.
    """
    options = dict(conditions)
    path, steps = options.pop("workload"), options.pop("steps", STEPS)
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 20:
        raise SettingError(f"steps={steps!r}: give 20 or more; the final loss is the median of the last twentieth")
    for row in rows:
        if row not in WORKLOAD_ROWS:
            raise UnknownName("row of the gate of a workload", row, WORKLOAD_ROWS)
    return WorkloadSuite(Workload.of(path).at(options, steps), steps, seeds, root, dict(conditions), rows)


def choice_of(contestant: OptimizerSpec) -> OptimizerChoice:
    """A contestant as a workload's optimizer."""
    numbers = {"lr": contestant.lr, **dict(contestant.options), **contestant.conditions}
    return OptimizerChoice.of(contestant.optimizer, numbers)
