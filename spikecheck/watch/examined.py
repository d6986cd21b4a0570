"""Examines a workload before it is trained: its optimizer, and what its training can record."""

import sys
import time
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch

from spikecheck.lab.execution.train_job import one_thread
from spikecheck.tensors.random_state import random_state_kept, seed_everything
from spikecheck.watch.measured import MeasuredOrder, Wanted
from spikecheck.watch.runs import train
from spikecheck.watch.training import Training

_OTHERWISE = ("dampening", "maximize", "amsgrad", "centered")
"""Options of torch's optimizers that, if set, make another rule than the name says."""
_PILOT = 4


@dataclass(frozen=True)
class Examined:
    """One workload with one optimizer."""

    optimizer: Mapping[str, Any]
    """As conditions of a `Setting`: its name or MODULE:NAME, lr, and its other numbers where the name has them."""
    rate_varies: str
    """Why its learning rate is not one number; empty where it is."""
    gives_loss: bool
    noisy: bool
    """Whether losses of two steps differ for another reason than the parameters: other batches, or dropout."""
    seconds_a_step: float
    seconds_a_look: float


def examine(order: MeasuredOrder) -> Examined:
    """Make the order's training once, and a few steps of it; the caller's random generators stay as they are.

    Raises:
        SpikecheckError: the workload or its optimizer cannot be used.
    """
    with one_thread(order.device), random_state_kept(), redirect_stdout(sys.stderr):
        training = order.begin()
        gives_loss, noisy = training.gives_loss, _is_noisy(order.begin())
        plain = train(replace(order, steps=_PILOT, wanted=Wanted()), None)
        look = _seconds_a_look(order) if gives_loss else 0.0
    varies = _why_not_one_rate(training)
    return Examined(_conditions(training.optimizer), varies, gives_loss, noisy, plain.seconds_a_step, look)


def _seconds_a_look(order: MeasuredOrder) -> float:
    """Two looks, since the first costs more than all others."""
    began = time.perf_counter()
    train(replace(order, steps=2, wanted=replace(order.wanted, looks=2)), None)
    return (time.perf_counter() - began) / 2


def _conditions(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """An optimizer as conditions of a setting: by its class where no rule of spikecheck's own is the same."""
    kind, group = type(optimizer), optimizer.param_groups[0]
    lr = float(group["lr"])
    if kind not in _RULES or any(group.get(name) for name in _OTHERWISE):
        return {"optimizer": f"{kind.__module__}:{kind.__qualname__}", "lr": lr}
    return {"lr": lr, "weight_decay": float(group["weight_decay"]), **_RULES[kind](group)}


def _sgd(group: Mapping[str, Any]) -> dict[str, Any]:
    if not group["momentum"]:
        return {"optimizer": "gd"}
    return {"optimizer": "nesterov" if group["nesterov"] else "heavy-ball", "momentum": float(group["momentum"])}


def _rmsprop(group: Mapping[str, Any]) -> dict[str, Any]:
    return {"optimizer": "rmsprop", "beta2": float(group["alpha"]), "eps": float(group["eps"])}


def _adam(name: str, group: Mapping[str, Any]) -> dict[str, Any]:
    beta1, beta2 = map(float, group["betas"])
    return {"optimizer": name, "beta1": beta1, "beta2": beta2, "eps": float(group["eps"])}


_RULES: Mapping[type, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    torch.optim.SGD: _sgd,
    torch.optim.RMSprop: _rmsprop,
    torch.optim.Adam: partial(_adam, "adam"),
    torch.optim.AdamW: partial(_adam, "adamw"),
}


def _why_not_one_rate(training: Training) -> str:
    rates = {float(group["lr"]) for group in training.optimizer.param_groups}
    if len(rates) > 1:
        return "its parameter groups have several"
    schedulers = [part for part in training.state.values() if isinstance(part, torch.optim.lr_scheduler.LRScheduler)]
    return f"{type(schedulers[0]).__name__} changes it" if schedulers else ""


def _is_noisy(training: Training) -> bool:
    """More than one batch an epoch, or a loss that depends on what is drawn from the global generators."""
    batches = training.epoch(2)
    if len(batches) > 1 or not training.gives_loss:
        return True
    losses = []
    for seed in (0, 1):
        seed_everything(seed)
        with torch.no_grad():
            losses.append(float(training.loss(batches[0])))
    return losses[0] != losses[1]
