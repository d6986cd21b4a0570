"""Turns an optimizer's state_dict into numbers that can be stored, and back, bit for bit."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from spikecheck.core.errors import SettingError


def packed(optimizer: torch.optim.Optimizer, template: Any) -> Float[Tensor, " Q"]:
    """Every number in a state_dict, in the template's order; all infinite where its structure differs from the template."""
    state_leaves = list(leaves(optimizer.state_dict()))
    if [_kind(leaf) for leaf in state_leaves] != [_kind(leaf) for leaf in leaves(template)]:
        return torch.full((count(template),), torch.inf, dtype=torch.float64)
    parts = [numbers_of(leaf) for leaf in state_leaves]
    return torch.cat(parts) if parts else torch.zeros(0, dtype=torch.float64)


def load(optimizer: torch.optim.Optimizer, template: Any, numbers: Float[Tensor, " Q"]) -> None:
    """Give an optimizer a packed state, with every tensor in its own precision: torch would cast all but `step`.

    Raises:
        SettingError: when the state could not be packed.
    """
    if grown(numbers):
        raise SettingError(
            f"{type(optimizer).__name__}: its state_dict grows as it trains, so nothing can be forked from it"
        )
    rest = iter(numbers.split_with_sizes([count(leaf) for leaf in leaves(template)]))
    filled = filled_as(template, rest)
    optimizer.load_state_dict(filled)
    in_order = [tensor for group in optimizer.param_groups for tensor in group["params"]]
    for key, exact in filled["state"].items():
        owner = in_order[key] if isinstance(key, int) else key  # some rules keep state that belongs to no parameter
        for name, value in exact.items():
            if isinstance(value, Tensor):
                optimizer.state[owner][name] = value.to(in_order[0].device)
            elif isinstance(value, int | float):  # torch would turn a subclass's counter into a tensor
                optimizer.state[owner][name] = value


def grown(numbers: Float[Tensor, " Q"]) -> bool:
    """Whether a state was packed whose structure differed from the template."""
    return len(numbers) > 0 and bool(numbers.isinf().all())


def leaves(value: Any) -> Iterator[Any]:
    """Yield the numbers and tensors in nested containers; text and None belong to the structure.

    Raises:
        ValueError: when a container holds anything else.
    """
    if isinstance(value, Mapping):
        for part in value.values():
            yield from leaves(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from leaves(part)
    elif isinstance(value, Tensor | int | float):
        yield value
    elif value is not None and not isinstance(value, str):
        raise ValueError(f"it holds a {type(value).__name__}")


def filled_as(template: Any, rest: Iterator[Tensor]) -> Any:
    """A copy of the template's structure, filled with the next numbers in `rest`."""
    if isinstance(template, Mapping):
        return {name: filled_as(part, rest) for name, part in template.items()}
    if isinstance(template, list | tuple):
        return type(template)([filled_as(part, rest) for part in template])
    if isinstance(template, Tensor):
        return next(rest).to(template.dtype).view(template.shape).clone()
    if isinstance(template, int | float):
        return type(template)(float(next(rest)[0]))
    return template


def _kind(leaf: Any) -> tuple[Any, ...]:
    return (leaf.dtype, tuple(leaf.shape)) if isinstance(leaf, Tensor) else (type(leaf),)


def numbers_of(leaf: Any) -> Float[Tensor, " q"]:
    """A leaf's numbers, on the CPU in float64.

    Raises:
        ValueError: when the leaf is a complex or a sparse tensor.
    """
    if isinstance(leaf, Tensor):
        if leaf.is_complex() or leaf.is_sparse:
            raise ValueError("it holds complex or sparse tensors")
        return leaf.detach().reshape(-1).to(torch.float64).cpu()
    return torch.tensor([float(leaf)], dtype=torch.float64)


def count(value: Any) -> int:
    """The number of numbers in nested containers."""
    return sum(leaf.numel() if isinstance(leaf, Tensor) else 1 for leaf in leaves(value))
