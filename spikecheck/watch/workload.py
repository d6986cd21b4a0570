"""Workloads: functions MODULE:FUNCTION that create a training, and the optimizers they use."""

import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import torch

from spikecheck.core.errors import USERS_ERRORS, SettingError, SpikecheckError, UnknownName, first_line
from spikecheck.core.import_path import BUILT_IN, made, named, source_digest
from spikecheck.core.setting import OPTIMIZERS, Option
from spikecheck.tensors.random_state import seed_everything
from spikecheck.watch.training import Training

MakeOptimizer = Callable[[Iterable[Any]], torch.optim.Optimizer]
"""Creates an optimizer for parameters in any form that torch's optimizers take: tensors, named tensors, or groups."""
Options = Mapping[str, Option | tuple[Option, ...]]
T = TypeVar("T")

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
    """A function of (make_optimizer, seed, device) and options that returns a `Training`.

    `path` is gpt, modular, resnet, mlp, sines, or MODULE:FUNCTION. `make_optimizer` is None for the workload's own optimizer.
    """

    path: str
    options: tuple[tuple[str, Any], ...] = ()

    @classmethod
    def of(cls, path: str, options: Options | None = None) -> "Workload":
        """Check the function's name.

        Raises:
            UsageError: there is no such function.
        """
        workload = cls(path, tuple(sorted((options or {}).items())))
        named("workload", workload.address)
        return workload

    @property
    def address(self) -> str:
        """MODULE:FUNCTION, also for the shipped workloads."""
        return BUILT_IN["workload"].get(self.path, self.path)

    @property
    def takes(self) -> tuple[str, ...]:
        """The names that its function takes after the optimizer, the seed and the device."""
        return tuple(inspect.signature(named("workload", self.address)).parameters)[3:]

    @property
    def _takes_any(self) -> bool:
        """Whether its function takes options of any name."""
        kinds = [one.kind for one in inspect.signature(named("workload", self.address)).parameters.values()]
        return inspect.Parameter.VAR_KEYWORD in kinds

    def at(self, options: Options, steps: int | None) -> "Workload":
        """The same with these options, and with the steps where its function takes them: its schedule ends there.

        None leaves the steps as its function has them.

        Raises:
            UnknownName: its function takes no such option.
        """
        for name in options:
            if name not in self.takes and not self._takes_any:
                raise UnknownName(f"option of the workload {self.path}", name, [*self.takes, "steps"])
        horizon = {"steps": steps} if "steps" in self.takes and steps is not None else {}
        return Workload.of(self.path, {**options, **horizon})

    def make(self, make_optimizer: MakeOptimizer | None, seed: int, device: str) -> Training:
        """Seed all global generators and create a training.

        Raises:
            SettingError: the function raises, or does not return a Training.
        """
        self._check_call(make_optimizer, seed, device)
        seed_everything(seed)
        training = made("workload", self.address, make_optimizer, seed, device, **dict(self.options))
        if not isinstance(training, Training):
            raise SettingError(
                f"workload={self.path!r}: returned a {type(training).__name__}; return a spikecheck.Training"
            )
        return training

    def _check_call(self, *given: object) -> None:
        """Raise SettingError where the function cannot be called as workloads are."""
        function = named("workload", self.address)
        try:
            inspect.signature(function).bind(*given, **dict(self.options))
        except TypeError as error:
            raise SettingError(
                f"workload={self.path!r}: {error}; a workload takes (make_optimizer, seed, device) and then its options"
            ) from None
        except ValueError:  # of a function without a signature nothing is known before it is called
            return

    def source(self) -> str:
        """The digest of the function's file and of the files it imports from the same folder."""
        return source_digest("workload", self.address)


@dataclass(frozen=True)
class OptimizerChoice:
    """An optimizer with its hyperparameters: MODULE:CLASS, or a built-in name, which stands for torch's optimizer."""

    path: str
    numbers: tuple[tuple[str, Any], ...]

    @classmethod
    def of(cls, path: str, numbers: Options) -> "OptimizerChoice":
        """Check the optimizer and its hyperparameters.

        Raises:
            UsageError: there is no such optimizer, or a built-in one has no such hyperparameter.
            SettingError: lr is not positive and finite.
        """
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
        """The function that creates the optimizer; its exceptions become one-line errors."""
        if self.path in OPTIMIZERS:
            return partial(_IN_TORCH[self.path], **_arguments(self.path, dict(self.numbers)))
        return partial(_made_by_path, self.path, dict(self.numbers))

    def source(self) -> str:
        """The digest of its file and of the files it imports from the same folder; empty for torch's own."""
        return "" if self.path in OPTIMIZERS else source_digest("optimizer", self.path)


def in_one_line(work: Callable[[], T], training: Training, path: str, device: str) -> T:
    """Call `work`, which makes steps of a workload's training; an error of the user's code becomes one line."""
    try:
        return work()
    except SpikecheckError:
        raise
    except torch.OutOfMemoryError:
        raise SettingError(
            f"device={device!r}: out of memory at step {training.steps}; choose a smaller size"
        ) from None
    except USERS_ERRORS as error:
        raise SettingError(
            f"workload={path!r}: step {training.steps} raised {type(error).__name__}: {first_line(error)}; "
            "run it by itself to see"
        ) from error


def _made_by_path(path: str, numbers: dict[str, Any], params: Iterable[Any]) -> torch.optim.Optimizer:
    """Create a user's optimizer. A class gets tensors; a function also gets names, if the workload gives them."""
    given = list(params)
    if isinstance(named("optimizer", path), type):
        given = [each[1] if isinstance(each, tuple) else each for each in given]
    optimizer = made("optimizer", path, given, **numbers)
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise SettingError(f"optimizer={path!r}: made a {type(optimizer).__name__}, not a torch.optim.Optimizer")
    return optimizer


def _arguments(name: str, numbers: dict[str, Any]) -> dict[str, Any]:
    """A rule's hyperparameters under torch's names, with the rule's defaults for those not given."""
    whole = {**OPTIMIZERS[name], **numbers}
    if "beta1" in whole:
        whole["betas"] = (whole.pop("beta1"), whole.pop("beta2"))
    if "beta2" in whole:
        whole["alpha"] = whole.pop("beta2")
    return {**whole, "nesterov": True} if name == "nesterov" else whole
