"""Copies the state of a training's parts between two steps, and restores it bit for bit."""

import copy
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from spikecheck.core.errors import UsageError

Values = dict[str, Any]


def check_holdings(state: Mapping[str, Any]) -> None:
    """Check that every part of the state can be copied and restored.

    Raises:
        UsageError: a part is no generator and lacks state_dict or load_state_dict.
    """
    for name, part in state.items():
        whole = hasattr(part, "state_dict") and hasattr(part, "load_state_dict")
        if not (whole or isinstance(part, torch.Generator | np.random.Generator)):
            raise UsageError(
                f"state[{name!r}]={part!r}: has no state_dict and load_state_dict; give a module, an optimizer, a scheduler, "
                "a GradScaler, a random generator, or an object of yours with both methods"
            )


def copied(part: Any) -> Values:
    """Copy the state of one part of a training to the CPU.

    For a module this includes what its state_dict omits: non-persistent buffers, gradients, each submodule's mode, and which
    parameters are frozen.
    """
    if isinstance(part, torch.Generator):
        return {"generator": part.get_state()}
    if isinstance(part, np.random.Generator):
        return {"generator": part.bit_generator.state}
    values = {"state": deep_copied(part.state_dict())}
    if isinstance(part, torch.nn.Module):
        unsaved = {name: buffer for name, buffer in part.named_buffers() if name not in values["state"]}
        gradients = {name: p.grad for name, p in part.named_parameters() if p.grad is not None}
        values |= {
            "buffers": deep_copied(unsaved),
            "gradients": deep_copied(gradients),
            "training": {name: module.training for name, module in part.named_modules()},
            "frozen": [name for name, p in part.named_parameters() if not p.requires_grad],
        }
    return values


def deep_copied(value: Any) -> Any:
    """A deep copy with every tensor on the CPU."""
    if isinstance(value, Tensor):
        return value.detach().to("cpu", copy=True)
    if isinstance(value, OrderedDict):
        whole = OrderedDict((key, deep_copied(part)) for key, part in value.items())
        whole.__dict__.update(copy.deepcopy(value.__dict__))  # version numbers in a module's state_dict
        return whole
    if isinstance(value, Mapping):
        return {key: deep_copied(part) for key, part in value.items()}
    if type(value) in {list, tuple}:
        return type(value)(deep_copied(part) for part in value)
    if isinstance(value, np.generic):
        return value.item()
    return copy.deepcopy(value)


def put_back(part: Any, values: Values) -> None:
    """Restore a part of a training to the state that `copied` returned."""
    if isinstance(part, torch.Generator):
        part.set_state(values["generator"])
    elif isinstance(part, np.random.Generator):
        part.bit_generator.state = values["generator"]
    elif isinstance(part, torch.nn.Module):
        _put_back_module(part, values)
    elif isinstance(part, torch.optim.Optimizer):
        _without_later_groups(part, len(values["state"]["param_groups"]))
        part.load_state_dict(deep_copied(values["state"]))
        _keep_precision(part, values["state"])
    else:
        part.load_state_dict(deep_copied(values["state"]))


def reason_of(error: BaseException) -> str:
    """Why a state was refused, in one line: of several lines, as torch writes them, the first is a title."""
    lines = [line.strip(" \t.") for line in str(error).splitlines()] or [type(error).__name__]
    return lines[min(1, len(lines) - 1)]


def check_storable(value: Any, name: str) -> None:
    """Check that a value can be read back by torch.load with weights_only=True.

    Raises:
        UsageError: the value contains another type; the message begins with `name`.
    """
    if isinstance(value, Mapping):
        for key, part in value.items():
            check_storable(part, f"{name}[{key!r}]")
    elif isinstance(value, list | tuple):
        for number, part in enumerate(value):
            check_storable(part, f"{name}[{number}]")
    elif type(value) not in _PLAIN and not isinstance(value, Tensor):
        raise UsageError(
            f"{name}: holds a {type(value).__name__}, which is not kept in files; "
            "let state_dict return tensors, numbers, text, lists and dicts only"
        )


_PLAIN = (bool, int, float, complex, str, bytes, type(None), torch.dtype, torch.device, torch.Size)


def _put_back_module(module: torch.nn.Module, values: Values) -> None:
    module.load_state_dict(values["state"])
    with torch.no_grad():
        buffers = dict(module.named_buffers())
        for name, saved in values["buffers"].items():
            buffers[name].copy_(saved)
        for name, parameter in module.named_parameters():
            gradient = values["gradients"].get(name)
            parameter.grad = None if gradient is None else gradient.to(parameter.device, copy=True)
    for name, submodule in module.named_modules():
        submodule.training = values["training"][name]
    if "frozen" in values:  # earlier files have no such entry
        for name, parameter in module.named_parameters():
            parameter.requires_grad = name not in values["frozen"]


def _without_later_groups(optimizer: torch.optim.Optimizer, groups: int) -> None:
    """Take back parameter groups that were added since the state was copied, such as those of layers that were thawed."""
    for group in optimizer.param_groups[groups:]:
        for parameter in group["params"]:
            optimizer.state.pop(parameter, None)
    del optimizer.param_groups[groups:]


def _keep_precision(optimizer: torch.optim.Optimizer, state: Values) -> None:
    """Restore moments of another type than their parameter's: Optimizer.load_state_dict casts them."""
    in_order = [tensor for group in optimizer.param_groups for tensor in group["params"]]
    for number, slots in state["state"].items():
        live = optimizer.state[in_order[number]]
        for name, value in slots.items():
            if isinstance(value, Tensor) and live[name].dtype != value.dtype:
                live[name] = value.to(live[name].device, copy=True)
