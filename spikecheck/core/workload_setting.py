"""The setting that stands for a workload in a claim's domain, in seeds and in reports.

Its problem names the workload with its options; conditions of the laboratory's own networks, such as the width, mean nothing.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from spikecheck.core.setting import OPTIMIZERS, Setting

_PREFIX = "workload:"


class WorkloadPlace(NamedTuple):
    """A workload by its name, or MODULE:FUNCTION, and its options."""

    path: str
    options: Mapping[str, Any]


def workload_setting(path: str, options: Mapping[str, Any], **conditions: Any) -> Setting:
    """The setting of a workload. `conditions` are optimizer, its numbers, lr and steps, as `Setting` names them.

    >>> setting = workload_setting("mlp", {"batch": 16}, optimizer="gd", lr=0.1, steps=500)
    >>> workload_of(setting)
    WorkloadPlace(path='mlp', options={'batch': 16})
    """
    problem = f"{_PREFIX}{path} {json.dumps(dict(options), sort_keys=True)}"
    return Setting(problem=problem, model="workload", **conditions)


def workload_of(setting: Setting) -> WorkloadPlace | None:
    """The workload that a setting stands for; None where it is one of the laboratory's own trainings."""
    if not setting.problem.startswith(_PREFIX):
        return None
    path, _, options = setting.problem.removeprefix(_PREFIX).partition(" ")
    return WorkloadPlace(path, json.loads(options))


def optimizer_numbers(setting: Setting) -> dict[str, Any]:
    """The learning rate and the other numbers of a setting's optimizer."""
    named = (
        dict(setting.options)
        if setting.named
        else {name: getattr(setting, name) for name in OPTIMIZERS[setting.optimizer]}
    )
    return {"lr": setting.lr, **named}


def workload_words(setting: Setting) -> list[str]:
    """The options of `spikecheck verify` that train the workload of a setting with its optimizer."""
    place = workload_of(setting)
    if place is None:
        return []
    at = [word for name, value in place.options.items() for word in ("--at", f"{name}={value}")]
    numbers = optimizer_numbers(setting).items()
    sets = [word for name, value in numbers if value is not None for word in ("--set", f"{name}={value!r}")]
    return ["--workload", place.path, *at, "--steps", str(setting.steps), "--optimizer", setting.optimizer, *sets]
