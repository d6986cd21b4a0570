"""Trainings by name: a function MODULE:FUNCTION that makes one, and the optimizer it makes it with."""

import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from spikecheck.core.errors import SettingError, UnknownName
from spikecheck.core.import_path import BUILT_IN, made, named, source_digest
from spikecheck.core.setting import OPTIMIZERS, Option
from spikecheck.tensors.random_state import seed_everything
from spikecheck.watch.training import Training

MakeOptimizer = Callable[[Iterable[Any]], torch.optim.Optimizer]
"""Makes an optimizer for a model's parameters: tensors, pairs of names and tensors, or groups, as torch's optimizers take."""
Options = Mapping[str, Option | tuple[Option, ...]]

_IN_TORCH: Mapping[str, type[torch.optim.Optimizer]] = {
    "gd": torch.optim.SGD,
    "heavy-ball": torch.optim.SGD,
    "nesterov": torch.optim.SGD,
    "rmsprop": torch.optim.RMSprop,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
}


@dataclass(frozen=True)
class Workload:
    """A function called with (make_optimizer, seed, device) and options that returns a `Training`.

    `path` is gpt, modular, resnet, mlp, or MODULE:FUNCTION. `make_optimizer` is None where the workload's own is meant.
    """

    path: str
    options: tuple[tuple[str, Any], ...] = ()

    @classmethod
    def of(cls, path: str, options: Options | None = None) -> "Workload":
        """Raises UsageError when there is no such function."""
        workload = cls(path, tuple(sorted((options or {}).items())))
        named("workload", workload.address)
        return workload

    @property
    def address(self) -> str:
        """MODULE:FUNCTION, also of one that ships."""
        return BUILT_IN["workload"].get(self.path, self.path)

    @property
    def takes(self) -> tuple[str, ...]:
        """The names that its function takes after the optimizer, the seed and the device."""
        return tuple(inspect.signature(named("workload", self.address)).parameters)[3:]

    def at(self, options: Options, steps: int) -> "Workload":
        """The same with these options, and with the steps where its function takes them: its schedule ends there.

        Raises:
            UnknownName: its function takes no such option.
        """
        for name in options:
            if name not in self.takes:
                raise UnknownName(f"option of the workload {self.path}", name, [*self.takes, "steps"])
        horizon = {"steps": steps} if "steps" in self.takes else {}
        return Workload.of(self.path, {**options, **horizon})

    def make(self, make_optimizer: MakeOptimizer | None, seed: int, device: str) -> Training:
        """A new training, all global generators seeded before.

        Raises:
            SettingError: when the function raises, or returns anything else.
        """
        seed_everything(seed)
        training = made("workload", self.address, make_optimizer, seed, device, **dict(self.options))
        if not isinstance(training, Training):
            raise SettingError(
                f"workload={self.path!r}: returned a {type(training).__name__}; return a spikecheck.Training"
            )
        return training

    def source(self) -> str:
        """The digest of the function's file and of what it imports from beside it."""
        return source_digest("workload", self.address)


@dataclass(frozen=True)
class OptimizerChoice:
    """An optimizer with its numbers: MODULE:CLASS, or one of spikecheck's names, which stand for torch's."""

    path: str
    numbers: tuple[tuple[str, Any], ...]

    @classmethod
    def of(cls, path: str, numbers: Options) -> "OptimizerChoice":
        """Raises UsageError when there is no such optimizer, or one by name has no such number, or no positive lr."""
        if path in OPTIMIZERS:
            for name in numbers.keys() - OPTIMIZERS[path].keys() - {"lr"}:
                raise UnknownName(f"number of {path}", name, ["lr", *OPTIMIZERS[path]])
        else:
            named("optimizer", path)
        rate = numbers.get("lr", 1.0)
        if isinstance(rate, int | float) and not 0.0 < rate < math.inf:
            raise SettingError(f"lr={rate!r}: input should be greater than 0, and finite")
        return cls(path, tuple(sorted(numbers.items())))

    def make(self) -> MakeOptimizer:
        """What a workload calls with its parameters; whatever it raises becomes one line."""
        if self.path in OPTIMIZERS:
            return partial(_IN_TORCH[self.path], **_arguments(self.path, dict(self.numbers)))
        return partial(_made_by_path, self.path, dict(self.numbers))

    def source(self) -> str:
        """The digest of its file and of what that imports from beside it; empty for torch's own."""
        return "" if self.path in OPTIMIZERS else source_digest("optimizer", self.path)


def _made_by_path(path: str, numbers: dict[str, Any], params: Iterable[Any]) -> torch.optim.Optimizer:
    """A class is given tensors, a function the names as well, if the workload gives them: it may sort by them."""
    given = list(params)
    if isinstance(named("optimizer", path), type):
        given = [each[1] if isinstance(each, tuple) else each for each in given]
    optimizer = made("optimizer", path, given, **numbers)
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise SettingError(f"optimizer={path!r}: made a {type(optimizer).__name__}, not a torch.optim.Optimizer")
    return optimizer


def _arguments(name: str, numbers: dict[str, Any]) -> dict[str, Any]:
    """Torch's names for the numbers of a rule, with the rule's defaults where none is given."""
    whole = {**OPTIMIZERS[name], **numbers}
    if "beta1" in whole:
        whole["betas"] = (whole.pop("beta1"), whole.pop("beta2"))
    if "beta2" in whole:
        whole["alpha"] = whole.pop("beta2")
    return {**whole, "nesterov": True} if name == "nesterov" else whole
