"""Any nn.Module as a model: one structure, a set of parameters for every member."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from spikecheck.core.errors import SettingError
from spikecheck.core.setting import Setting
from spikecheck.problems.products import product
from spikecheck.problems.resolve import for_all, made
from spikecheck.problems.seeding import generator_of

_WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
"""Layers whose weights are one row a neuron or filter."""


@dataclass(frozen=True, eq=False)
class FromModule:
    """A model from the factory at `path`, which is called with the setting and returns an nn.Module.

    The module maps inputs [N, D] to outputs [N, O]. Its parameters stand flat in the order of `named_parameters`.
    In linear layers, convolutions, tanh and relu a member's bits depend on nothing else. Where a module uses what torch
    rounds differently at different places (its gelu and sigmoid; products of its own, as in attention), they may.
    Axes: B members, P parameters, N points, D inputs, O outputs, W neurons.
    """

    path: str
    module: nn.Module

    @cached_property
    def shapes(self) -> Mapping[str, torch.Size]:
        """Of the parameters, by name."""
        return {name: parameter.shape for name, parameter in self.module.named_parameters()}

    @cached_property
    def size(self) -> int:
        """P."""
        return sum(shape.numel() for shape in self.shapes.values())

    def initial(self, setting: Setting, seed: int) -> Float[Tensor, " P"]:
        """What the module draws when it is made, times init_scale; float64. torch's global generator stays as it was."""
        module = _made(self.path, setting, seed)
        if {name: parameter.shape for name, parameter in module.named_parameters()} != self.shapes:
            raise SettingError(f"model={self.path!r}: its shape depends on what members may differ in; fix its shape")
        return setting.init_scale * torch.cat([p.detach().double().flatten() for p in module.parameters()])

    def outputs(self, params: Float[Tensor, "B P"], x: Float[Tensor, "#B N D"]) -> Float[Tensor, "B N O"]:
        """Every member's outputs at its points, or at points that all of them share."""

        def one(parameters: Mapping[str, Tensor], points: Tensor) -> Tensor:
            found: Tensor = functional_call(self.module, dict(parameters), (points,))
            return found

        with _LinearAlone():
            batched: Tensor = vmap(one)(self._tensors(params), x.expand(len(params), -1, -1))
        return batched

    def input_weights(self, params: Float[Tensor, " P"]) -> Float[Tensor, "W D1"]:
        """The first linear layer's or convolution's weights, a row a neuron or filter, its bias last, zero where it has none.

        [0, 0] where there is no such layer.
        """
        if not self._layers:
            return params.new_zeros(0, 0)
        tensors = self._tensors(params[None])
        weights = tensors[f"{self._layers[0]}weight"][0].flatten(1)
        biases = tensors.get(f"{self._layers[0]}bias", params.new_zeros(1, len(weights)))
        return torch.cat([weights, biases[0][:, None]], dim=1)

    def output_weights(self, params: Float[Tensor, " P"]) -> Float[Tensor, "W O"]:
        """The second layer's weights transposed; [0, 0] unless it is linear and takes up the first one's neurons."""
        if len(self._layers) < 2:
            return params.new_zeros(0, 0)
        tensors = self._tensors(params[None])
        first, second = (tensors[f"{name}weight"][0] for name in self._layers[:2])
        fits = first.ndim == second.ndim == 2 and second.shape[1] == len(first)
        return second.T if fits else params.new_zeros(0, 0)

    @cached_property
    def _layers(self) -> tuple[str, ...]:
        """The prefixes of the linear layers' and convolutions' parameters."""
        layers = self.module.named_modules()
        return tuple(f"{name}." if name else "" for name, layer in layers if isinstance(layer, _WEIGHTED))

    def _tensors(self, params: Float[Tensor, "B P"]) -> dict[str, Tensor]:
        parts = params.split_with_sizes([shape.numel() for shape in self.shapes.values()], 1)
        return {
            name: part.reshape(len(params), *shape)
            for (name, shape), part in zip(self.shapes.items(), parts, strict=True)
        }


def from_module(setting: Setting, inputs: int, outputs: int) -> FromModule:
    """The setting's own model, once it is known that an ensemble can train it on such points."""
    path, common = setting.model, for_all(setting)
    module = _made(path, common, seed=0)
    _check_state(module, path)
    _check_draws(module, _made(path, common, seed=0), path)
    model = FromModule(path, module)
    _check_outputs(model, inputs, outputs)
    return model


class _LinearAlone(TorchFunctionMode):
    """Linear layers by `product`, whose rounding does not depend on a member's place."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        called = _linear if func is functional.linear else func
        return called(*args, **(kwargs or {}))


def _linear(signal: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    rows = signal.reshape(1, -1, signal.shape[-1])
    found = product(rows, weight.T[None]).reshape(*signal.shape[:-1], len(weight))
    return found if bias is None else found + bias


def _made(path: str, setting: Setting, seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(generator_of(seed, path).initial_seed())
        module = made("model", path, setting)
    if not isinstance(module, nn.Module):
        raise SettingError(f"model={path!r}: returned {type(module).__name__}; return an nn.Module")
    return module


def _check_state(module: nn.Module, path: str) -> None:
    """An ensemble holds parameters alone: what else a module remembers or draws, all members would share."""
    reasons = [f"buffer {name}" for name, _ in module.named_buffers()]
    reasons += [f"frozen parameter {name}" for name, p in module.named_parameters() if not p.requires_grad]
    dropped = (nn.modules.dropout._DropoutNd, nn.modules.batchnorm._NormBase)
    reasons += [
        f"{type(layer).__name__} {name}" for name, layer in module.named_modules() if isinstance(layer, dropped)
    ]
    if reasons:
        raise SettingError(
            f"model={path!r}: has {reasons[0]}, which members of an ensemble cannot share; "
            "leave it out (LayerNorm or GroupNorm in place of BatchNorm, no Dropout)"
        )
    if not any(True for _ in module.parameters()):
        raise SettingError(f"model={path!r}: has no parameters; return a module with something to train")


def _check_draws(module: nn.Module, again: nn.Module, path: str) -> None:
    pairs = zip(module.parameters(), again.parameters(), strict=True)
    if not all(torch.equal(first, second) for first, second in pairs):
        raise SettingError(f"model={path!r}: starts differently from the same seed; draw from torch's generator only")


def _check_outputs(model: FromModule, inputs: int, outputs: int) -> None:
    """Try the module on two points, batched as it will be."""
    wanted = f"[points, {inputs}] to [points, {outputs}]"
    points = torch.zeros(1, 2, inputs, dtype=torch.float64)
    try:
        found = model.outputs(torch.zeros(2, model.size, dtype=torch.float64), points)
    except Exception as error:
        first = (str(error).splitlines() or [""])[0]
        raise SettingError(f"model={model.path!r}: cannot map {wanted} in an ensemble: {first}") from error
    if found.shape != (2, 2, outputs):
        raise SettingError(f"model={model.path!r}: maps to {list(found.shape[1:])}; it has to map {wanted}")
