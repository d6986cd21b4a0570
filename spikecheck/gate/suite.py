"""The settings of a gate: a few that spike, on sums of sines and on real data, or one of the user's own."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from spikecheck.core.errors import SettingError, UnknownName
from spikecheck.core.import_path import BUILT_IN, check_takes, named
from spikecheck.core.probe import Finish
from spikecheck.core.recipe import Recipe
from spikecheck.core.scorecard import OptimizerSpec, SuiteSetting
from spikecheck.core.setting import OPTIMIZERS, Setting
from spikecheck.gate import metrics
from spikecheck.gate.metrics import EDGES, Measure

MEASURES = 6
"""Raised by one whenever a row is added or measured differently; older baselines then do not fit."""

ROWS = (*(measure.name for measure in metrics.MEASURES), metrics.TIME[0], metrics.MEMORY[0])
_PLAIN = (bool, int, float, str, type(None))
"""What can be written down and digested."""
SEEDS = 16
"""Default number of trainings for each setting."""
_DEFAULT: Mapping[str, Setting] = {
    "sines": Setting(steps=2_000),
    "wide sines": Setting(
        target="sin x + sin 3x", points=40, interval=1.0, width=50, input_std=0.3, output_std=0.1, steps=2_000
    ),
    "mnist1d": Setting(problem="mnist1d", points=100, steps=1_000),
    "mnist1d by batches": Setting(problem="mnist1d", points=100, steps=1_000, batch=20),
}


@dataclass(frozen=True)
class Suite:
    """Settings by name, the number of seeds for each, and the root of those seeds."""

    settings: Mapping[str, Setting] = field(default_factory=lambda: dict(_DEFAULT))
    seeds: int = SEEDS
    root: int = 0
    conditions: Mapping[str, Any] = field(default_factory=dict)
    """Conditions that differ from the default settings, as they were given."""
    rows: tuple[str, ...] = ROWS
    """The rows that are measured; without those in `EDGES`, no Hessian products are computed."""
    named: bool = False
    """Whether the user chose the rows."""

    @property
    def digest(self) -> str:
        """Digest of everything that two scores must share to be compared."""
        parts = {name: setting.canonical() for name, setting in self.settings.items()}
        text = json.dumps([parts, self.seeds, self.root, MEASURES, self._probe.canonical()], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def places(self, contestant: OptimizerSpec) -> tuple[SuiteSetting, ...]:
        """The settings with this optimizer."""
        return tuple(SuiteSetting(name=name, setting=trained_by(contestant, s)) for name, s in self.settings.items())

    def recipes(self, place: SuiteSetting) -> tuple[Recipe, ...]:
        """The trainings in one setting, each with a probe of its end; the seeds are the same for every optimizer."""
        key = [self.root, *place.name.encode()]
        seeds = np.random.SeedSequence(key).generate_state(self.seeds, np.uint32)
        return tuple(Recipe(setting=place.setting, seed=int(seed), probe=self._probe) for seed in seeds)

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The rows that are measured in trainings."""
        return tuple(measure for measure in metrics.MEASURES if measure.name in self.rows)

    @property
    def cost(self) -> tuple[Measure, ...]:
        """The rows that are measured apart from trainings: time and memory."""
        return tuple(measure for measure in metrics.COST_MEASURES if measure.name in self.rows)

    @property
    def _probe(self) -> Finish:
        return Finish(edges=not set(EDGES).isdisjoint(self.rows))


def own_suite(conditions: Mapping[str, Any], seeds: int, root: int, rows: tuple[str, ...] = ()) -> Suite:
    """The default settings with some conditions changed; with another problem or model, one setting with these conditions.

    Without rows it has all.

    Raises:
        UnknownName: there is no such row, problem or model.
        SettingError: a condition does not fit, or a problem or model of one's own cannot be imported.
    """
    for row in rows:
        if row not in ROWS:
            raise UnknownName("row of the gate", row, ROWS)
    chosen = rows or ROWS
    if not {"problem", "model"} & conditions.keys():
        return Suite(
            {name: s.but(**conditions) for name, s in _DEFAULT.items()},
            seeds,
            root,
            dict(conditions),
            chosen,
            bool(rows),
        )
    for name in conditions:
        if name not in Setting.model_fields:
            raise UnknownName("condition of a setting", name, Setting.model_fields)
    setting = Setting(**{"steps": 1_000, **conditions})
    for condition in ("problem", "model"):
        if (path := getattr(setting, condition)) not in BUILT_IN[condition]:
            named(condition, path)
    return Suite({setting.problem: setting}, seeds, root, dict(conditions), chosen, bool(rows))


def contestant(optimizer: str, numbers: Mapping[str, Any]) -> OptimizerSpec:
    """An optimizer with its arguments as they were given: lr and others.

    Raises:
        UsageError: there is no learning rate, no such argument of a built-in rule, or no such optimizer that lacks a rate.
    """
    given = dict(numbers)
    lr = given.pop("lr", None)
    if optimizer in OPTIMIZERS and (unknown := set(given) - set(OPTIMIZERS[optimizer])):
        known = ", ".join(["lr", *OPTIMIZERS[optimizer]])
        raise SettingError(f"{min(unknown)}={given[min(unknown)]!r}: {optimizer} takes only {known}")
    if lr is None:
        if optimizer not in OPTIMIZERS:
            check_takes("optimizer", optimizer, given)  # a wrong name comes before what is missing
        raise SettingError(f"lr: no learning rate is given for {optimizer}; add --set lr=0.01")
    if isinstance(lr, bool) or not isinstance(lr, int | float):
        raise SettingError(f"lr={lr!r}: is not a number; give a learning rate such as --set lr=0.01")
    if optimizer in OPTIMIZERS:
        return OptimizerSpec(optimizer=optimizer, lr=lr, conditions=given)
    for name, value in given.items():
        parts = value if isinstance(value, tuple | list) else [value]
        if any(isinstance(part, float) and not math.isfinite(part) for part in parts):
            raise SettingError(f"{name}={value!r}: is not finite; give a number that is")
        if not all(isinstance(part, _PLAIN) for part in parts):
            raise SettingError(
                f"{name}={value!r}: give a number, True, False, None or text, or several of them as in betas=0.9,0.99; "
                "more than that belongs into a function that makes the optimizer"
            )
    return OptimizerSpec(optimizer=optimizer, lr=lr, options=tuple(sorted(given.items())))


def trained_by(contestant: OptimizerSpec, setting: Setting) -> Setting:
    """The setting with the contestant's optimizer, learning rate, options and conditions."""
    return setting.but(
        optimizer=contestant.optimizer, lr=contestant.lr, options=contestant.options, **contestant.conditions
    )
