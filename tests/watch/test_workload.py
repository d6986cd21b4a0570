"""Workloads and their optimizers, by name and of one's own."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from spikecheck.core.errors import SettingError
from spikecheck.watch.runs import Order, train
from spikecheck.watch.workload import OptimizerChoice, Workload

Write = Callable[[str], str]
MLP = Workload.of("mlp", {"dropout": 0.5})


def order(**changes: Any) -> Order:
    return Order(**{"workload": MLP, "seed": 3, "steps": 30, **changes})


SORTED = """
import torch

def by_name(params, lr):
    weights = [p for name, p in params if name.endswith("weight")]
    others = [p for name, p in params if not name.endswith("weight")]
    return torch.optim.SGD([{"params": weights}, {"params": others, "lr": lr / 2}], lr=lr)

class Plain(torch.optim.SGD):
    def __init__(self, params, lr):
        assert all(isinstance(p, torch.Tensor) for p in params)
        super().__init__(params, lr)
"""


def test_a_function_is_given_names_and_a_class_tensors(write: Write) -> None:
    module = write(SORTED)
    training = MLP.make(OptimizerChoice.of(f"{module}:by_name", {"lr": 0.1}).make(), 0, "cpu")
    assert [(len(group["params"]), group["lr"]) for group in training.optimizer.param_groups] == [(3, 0.1), (3, 0.05)]
    assert math.isfinite(train(order(optimizer=OptimizerChoice.of(f"{module}:Plain", {"lr": 0.1})), None).losses[-1])


def test_an_optimizer_of_ones_own_and_by_name() -> None:
    mine = order(optimizer=OptimizerChoice.of("torch.optim:SGD", {"lr": 0.05, "momentum": 0.9}))
    named = order(optimizer=OptimizerChoice.of("heavy-ball", {"lr": 0.05}))
    assert np.array_equal(train(mine, None).losses, train(named, None).losses)


@pytest.mark.parametrize(("name", "numbers", "torchs"), [
    ("adam", {"beta1": 0.8}, torch.optim.Adam),
    ("adamw", {}, torch.optim.AdamW),
    ("rmsprop", {"beta2": 0.9}, torch.optim.RMSprop),
    ("nesterov", {}, torch.optim.SGD),
])  # fmt: skip
def test_names_stand_for_torchs_optimizers(name: str, numbers: dict[str, float], torchs: type) -> None:
    training = MLP.make(OptimizerChoice.of(name, {"lr": 0.01, **numbers}).make(), 0, "cpu")
    group = training.optimizer.param_groups[0]
    assert type(training.optimizer) is torchs
    assert group["lr"] == 0.01
    if name == "adam":
        assert group["betas"] == (0.8, 0.999)
    if name == "rmsprop":
        assert group["alpha"] == 0.9
    assert group.get("nesterov", False) == (name == "nesterov")


@pytest.mark.parametrize(("make", "message"), [
    (lambda: Workload.of("gtp"), "no workload is called 'gtp'; did you mean: gpt"),
    (lambda: Workload.of("nowhere:f"), "workload='nowhere:f': no module 'nowhere'"),
    (lambda: Workload.of("math:sqrt").make(None, 0, "cpu"), "too many positional arguments; a workload takes ("),
    (lambda: Workload.of("builtins:print").make(None, 0, "cpu"), "returned a NoneType; return a spikecheck.Training"),
    (lambda: OptimizerChoice.of("adam", {"momentum": 1}), "no number of adam is called 'momentum'"),
    (lambda: MLP.make(OptimizerChoice.of("builtins:list", {}).make(), 0, "cpu"), "made a list, not a torch.optim.Optimizer"),
    (lambda: order(seed=-1), "seed=-1: give 0 or more"),
    (lambda: order(steps=0), "steps=0: give 1 or more"),
])  # fmt: skip
def test_what_cannot_be_used_is_said_in_one_line(make: Callable[[], object], message: str) -> None:
    from spikecheck.core.errors import UsageError

    with pytest.raises(UsageError) as caught:
        make()
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("lr", [0, -0.1, float("inf"), float("nan")])
@pytest.mark.parametrize("path", ["gd", "torch.optim:SGD"])
def test_a_rate_that_trains_nothing_is_refused_before_any_training(path: str, lr: float) -> None:
    """Regression: a gate with lr=0 trained both sides for minutes."""
    with pytest.raises(SettingError, match=f"lr={lr!r}: input should be greater than 0"):
        OptimizerChoice.of(path, {"lr": lr})


TAKES_ANY = """
import workloads.mlp

def any_option(make_optimizer, seed, device, **options):
    return workloads.mlp.mlp(make_optimizer, seed, device, **options)
"""


def test_a_function_may_take_options_of_any_name(write: Write) -> None:
    """Regression: they were refused, since its only name was that of the mapping."""
    workload = Workload.of(f"{write(TAKES_ANY)}:any_option").at({"size": "tiny"}, None)
    assert workload.make(None, 0, "cpu").steps == 0
