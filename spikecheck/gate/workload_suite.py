"""The rows of a gate on a workload: a user's own training, with noisy losses and a model of its own.

Every margin was written before the row was used, with its reason: a difference that a user of an optimizer would not care
about, and not one that is easy to show.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from spikecheck.core.errors import SettingError, UnknownName, UsageError
from spikecheck.core.run import Run
from spikecheck.core.scorecard import FIRST_STEPS, OptimizerSpec, WorkloadPlace
from spikecheck.gate.metrics import DIVERGED, MARGINS, MEMORY, TIME, Measure
from spikecheck.gate.rates import RateRange
from spikecheck.watch.workload import OptimizerChoice, Workload

MEASURES_EPOCH = 4
"""Raised by one whenever a row is added, or is measured otherwise: older baselines then do not fit."""
STEPS = 500
"""Default number of steps of a training."""
LOOKS = 20
"""Looks at the overshoot in the last tenth of a training, about."""
SPIKES, LOST = "spikes", "steps lost"
FINAL, BEST, REACHES = "final loss", "best loss", "steps to the reference's loss"
OVERSHOOT = "overshoot late"
SENSITIVITY, STABLE = "rate sensitivity", "stable range"
TUNING_SEEDS = 3
"""Seeds on which each side's best rate is found."""
COUNTED = ("tokens", "samples")
"""What a workload may say that a step has, in its training's `about`."""


def a_step(what: str) -> str:
    """The key of `about` that says how many tokens or samples a step has."""
    return f"{what} a step"


def reaches_in(what: str) -> str:
    """The row that has the steps to the reference's loss in tokens or in samples."""
    return f"{what} to the reference's loss"


def _told_by_losses(run: Run) -> None:
    """Nothing that is read off a run of the laboratory: these trainings have another record."""


_TENTH = 0.14
"""log2 of 1.1: a tenth of the steps or of the time."""
_LOSS_MARGIN = 0.02
"""log10 of 1.05: a twentieth of a loss."""

WORKLOAD_MEASURES: tuple[Measure, ...] = (
    # As in the suite of small nets: one spike more in 2,000 steps. The detector's own false alarms are a fifth of that,
    # at most 1 in 10,000 steps, and come on both sides alike.
    Measure(SPIKES, "per 1,000 steps, noisy loss", 0.5, _told_by_losses),
    # As in the suite: one step of fifty.
    Measure(LOST, "share within spikes", 0.02, _told_by_losses),
    Measure(DIVERGED, "share of trainings", 0.02, _told_by_losses, law="count"),
    Measure(FINAL, "log10", _LOSS_MARGIN, _told_by_losses),
    Measure(BEST, "log10", _LOSS_MARGIN, _told_by_losses),
    Measure(REACHES, "log2", _TENTH, _told_by_losses, may_lack=True),
    # Steps in another unit: they say nothing more, and so raise no alarm of their own.
    *(Measure(reaches_in(what), "log2", _TENTH, _told_by_losses, alarms=False, may_lack=True) for what in COUNTED),
    # For gradient descent it is rate x curvature / 2: at the threshold, which is 1, a tenth of the rate changes it by 0.1.
    Measure(OVERSHOOT, "1 - change / slope, unstable > 1", 0.1, _told_by_losses, may_lack=True),
)
TUNED_MEASURES: tuple[Measure, ...] = (
    # A loss, over a decade of rates: as much of it as of the final loss.
    Measure(SENSITIVITY, "log10 of loss, mean over a decade", _LOSS_MARGIN, _told_by_losses),
    # A quarter of a decade, the distance of two rates that are tried: less is not resolved.
    Measure(STABLE, "log10 of best over largest stable", 0.25, _told_by_losses),
)
"""Only where each side's rate is tuned."""
WORKLOAD_COST: tuple[Measure, ...] = (
    Measure(*TIME, margin=_TENTH, of=_told_by_losses),
    # As in the suite: a twentieth of a number a parameter.
    Measure(*MEMORY, margin=MARGINS[MEMORY[0]], of=_told_by_losses, law="exact", may_lack=True),
)
SAME_RULE: tuple[Measure, ...] = (
    # As much as a rate that is a tenth higher, or lower.
    Measure(FIRST_STEPS, "log2 of the way of ten steps", _TENTH, _told_by_losses, may_lack=True, either_way=True),
)
"""They ask whether two optimizers are the same rule, which most candidates are not meant to be: an alarm only where named."""
_ALL = (*WORKLOAD_MEASURES, *TUNED_MEASURES, *SAME_RULE, *WORKLOAD_COST)
WORKLOAD_ROWS = tuple(measure.name for measure in _ALL)
ROWS_WITHOUT_FIRST_STEPS = tuple(row for row in WORKLOAD_ROWS if row != FIRST_STEPS)
"""Those of a gate whose rows were not named, before it described the first steps: older baselines' digests have them."""


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
    tune: RateRange | None = None
    """Where each side's own best rate is sought; None where rates are given."""
    named: bool = True
    """Whether the user chose the rows; only then does a changed update rule raise an alarm."""

    @property
    def settings(self) -> Mapping[str, Workload]:
        """The workload's setting, by name."""
        return {self.workload.path: self.workload}

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The rows that are measured in trainings."""
        known = WORKLOAD_MEASURES if self.tune is None else (*WORKLOAD_MEASURES, *TUNED_MEASURES)
        same_rule = (replace(measure, alarms=self.named) for measure in SAME_RULE)
        return tuple(measure for measure in (*known, *same_rule) if measure.name in self.rows)

    @property
    def cost(self) -> tuple[Measure, ...]:
        """The rows that are measured apart from trainings: time and memory."""
        return tuple(measure for measure in WORKLOAD_COST if measure.name in self.rows)

    @property
    def looks(self) -> int:
        """Looks at the overshoot of each training; 0 if its row is not compared."""
        return LOOKS if OVERSHOOT in self.rows else 0

    @property
    def looks_around(self) -> bool:
        """Whether rates around the best one are trained as well."""
        return self.tune is not None and not {SENSITIVITY, STABLE}.isdisjoint(self.rows)

    @property
    def digest(self) -> str:
        """Of all that two scores must share to be compared, such as the workload's source; rows do not change numbers."""
        return self._digest()

    def digest_with(self, rows: Sequence[str]) -> str:
        """The digest of older baselines, which do not say which rows were named."""
        return self._digest(tuple(rows))

    def _digest(self, *rows: tuple[str, ...]) -> str:
        parts = [self.workload.path, self.workload.source(), self.workload.options, self.steps, self.seeds, self.root]
        text = json.dumps([*parts, *rows, str(self.tune), MEASURES_EPOCH], sort_keys=True, default=repr)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def places(self, contestant: OptimizerSpec) -> tuple[WorkloadPlace, ...]:
        """The workload, as any contestant trains it."""
        path, options = self.workload.path, dict(self.workload.options)
        return (WorkloadPlace(name=path, workload=path, steps=self.steps, options=options),)

    def own_seeds(self) -> tuple[int, ...]:
        """The same for every contestant."""
        key = [self.root, *self.workload.path.encode()]
        return tuple(map(int, np.random.SeedSequence(key).generate_state(self.seeds, np.uint32)))

    def tuning_seeds(self) -> tuple[int, ...]:
        """Those on which rates are found: none of its own, and the same for every contestant."""
        key, own = [self.root, *b"tuned", *self.workload.path.encode()], self.own_seeds()
        drawn = map(int, np.random.SeedSequence(key).generate_state(TUNING_SEEDS + self.seeds, np.uint32))
        return tuple(seed for seed in drawn if seed not in own)[:TUNING_SEEDS]


def workload_suite(conditions: Mapping[str, Any], seeds: int, root: int, rows: tuple[str, ...] = ()) -> WorkloadSuite:
    """The suite of `conditions`: workload, steps, and what else the workload's function takes; without rows, it has all.

    Raises:
        UnknownName: when there is no such workload, option or row.
        SettingError: when the steps are too few.
    """
    options = dict(conditions)
    path, steps = options.pop("workload"), options.pop("steps", STEPS)
    tune = None if (text := options.pop("tune", None)) is None else RateRange.of(text)
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 20:
        raise SettingError(f"steps={steps!r}: give 20 or more; the final loss is the median of the last twentieth")
    for row in rows:
        if row not in WORKLOAD_ROWS:
            raise UnknownName("row of the gate of a workload", row, WORKLOAD_ROWS)
    if tune is None and rows and {*rows} <= {SENSITIVITY, STABLE}:
        raise UsageError(f"--rows {','.join(rows)!r}: needs the best rate of each side; add --tune lr=1e-4..1e-1")
    workload = Workload.of(path).at(options, steps)
    return WorkloadSuite(workload, steps, seeds, root, dict(conditions), rows or WORKLOAD_ROWS, tune, named=bool(rows))


def choice_of(contestant: OptimizerSpec) -> OptimizerChoice:
    """A contestant as a workload's optimizer."""
    numbers = {"lr": contestant.lr, **dict(contestant.options), **contestant.conditions}
    return OptimizerChoice.of(contestant.optimizer, numbers)
