"""Any nn.Module as a model: one structure, with a set of parameters per member."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from spikecheck.core.errors import USERS_ERRORS, SettingError, first_line
from spikecheck.core.import_path import for_all, made, named
from spikecheck.core.setting import Setting
from spikecheck.tensors.batched_matmul import product
from spikecheck.tensors.seeding import generator_of

_WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
"""Layers whose weights have one row per neuron or filter."""
_Dropping = nn.modules.dropout._DropoutNd


@dataclass(frozen=True, eq=False)
class FromModule:
    """A model from the factory at `path`, which is called with the setting and returns an nn.Module.

    The module maps inputs [N, D] to outputs [N, O]. Its flat parameters are in the order of `named_parameters`; its buffers
    are constants that all members share. With linear layers, convolutions, tanh and relu, a member's bits do not depend on the
    other members. They may where torch rounds by a number's place in a tensor: in its gelu and sigmoid, and in matrix products
    outside linear layers, as in attention. Axes: B members, P parameters, N points, D inputs, O outputs, W neurons.
    """

    path: str
    module: nn.Module
    inputs: int
    """D."""

    @cached_property
    def shapes(self) -> Mapping[str, torch.Size]:
        """Shapes of the parameters, by name."""
        return {name: parameter.shape for name, parameter in self.module.named_parameters()}

    @cached_property
    def size(self) -> int:
        """P."""
        return sum(shape.numel() for shape in self.shapes.values())

    def initial(self, setting: Setting, seed: int) -> Float[Tensor, " P"]:
        """The module's own initialisation times init_scale, float64. torch's global generator keeps its state.

        Raises:
            SettingError: when the parameters' shapes depend on what members may differ in.
        """
        module = _made(self.path, setting, seed, self.inputs)
        if {name: parameter.shape for name, parameter in module.named_parameters()} != self.shapes:
            raise SettingError(f"model={self.path!r}: its shape depends on what members may differ in; fix its shape")
        return setting.init_scale * torch.cat([p.detach().double().flatten() for p in module.parameters()])

    def outputs(self, params: Float[Tensor, "B P"], x: Float[Tensor, "#B N D"]) -> Float[Tensor, "B N O"]:
        """Every member's outputs at its points, or at points that all of them share."""
        if len(params) == 1:  # as in an ordinary loop, the fastest way on a CPU (`lab.batching`)
            own = {name: tensor[0] for name, tensor in self._tensors(params).items()}
            return self._called(own | self._buffers_as(params), x[0])[None]
        points = x.expand(len(params), -1, -1)
        if self._batches:
            return self._batched(params, points)
        pairs = zip(params, points, strict=True)
        return torch.cat([self.outputs(row[None], own_points[None]) for row, own_points in pairs])

    def _batched(self, params: Float[Tensor, "B P"], x: Float[Tensor, "B N D"]) -> Float[Tensor, "B N O"]:
        """All members' outputs in one call of the module."""
        buffers = self._buffers_as(params)
        with _LinearAlone():
            batched: Tensor = vmap(lambda own, points: self._called({**own, **buffers}, points))(
                self._tensors(params), x
            )
        return batched

    def _called(self, tensors: Mapping[str, Tensor], points: Float[Tensor, "N D"]) -> Float[Tensor, "N O"]:
        outputs: Tensor = functional_call(self.module, dict(tensors), (points,))
        return outputs

    @cached_property
    def _batches(self) -> bool:
        """Whether `vmap` can compute several members at once.

        It cannot where a branch depends on numbers, and in recurrent layers and most functions with a backward of their own.
        """
        params = torch.zeros(2, self.size, dtype=torch.float64, requires_grad=True)
        points = torch.zeros(2, 2, self.inputs, dtype=torch.float64)
        try:
            with warnings.catch_warnings(), torch.enable_grad():
                warnings.simplefilter("ignore")  # that torch computes some operation slowly so
                torch.autograd.grad(self._batched(params, points).sum(), params)
        except USERS_ERRORS:
            return False
        return True

    def input_weights(self, params: Float[Tensor, " P"]) -> Float[Tensor, "W D1"]:
        """The weights of the first linear layer or convolution: one row per neuron or filter, with its bias (or 0) last.

        [0, 0] where there is no such layer.
        """
        if not self._layers:
            return params.new_zeros(0, 0)
        tensors = self._tensors(params[None])
        weights = tensors[f"{self._layers[0]}weight"][0].flatten(1)
        biases = tensors.get(f"{self._layers[0]}bias", params.new_zeros(1, len(weights)))
        return torch.cat([weights, biases[0][:, None]], dim=1)

    def output_weights(self, params: Float[Tensor, " P"]) -> Float[Tensor, "W O"]:
        """The second layer's weights transposed; [0, 0] unless both layers are linear and follow one another."""
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

    def _buffers_as(self, params: Float[Tensor, "B P"]) -> dict[str, Tensor]:
        """The buffers on these parameters' device, and real numbers in their precision."""
        return {
            name: buffer.to(params if buffer.is_floating_point() else params.device)
            for name, buffer in self._buffers.items()
        }

    @cached_property
    def _buffers(self) -> Mapping[str, Tensor]:
        """The module's buffers. They are cached: walking through all layers would take a tenth of a small step."""
        return dict(self.module.named_buffers())

    def _tensors(self, params: Float[Tensor, "B P"]) -> dict[str, Tensor]:
        parts = params.split_with_sizes([shape.numel() for shape in self.shapes.values()], 1)
        return {
            name: part.reshape(len(params), *shape)
            for (name, shape), part in zip(self.shapes.items(), parts, strict=True)
        }


def from_module(setting: Setting, inputs: int, outputs: int) -> FromModule:
    """The model of a setting that names a user's module, after checking that an ensemble can train it.

    Raises:
        SettingError: when the module cannot be made, has layers or parameters that cannot be trained, or does not map
            `inputs` numbers to `outputs` numbers per point.
    """
    path, common = setting.model, for_all(setting)
    module, again = (_made(path, common, 0, inputs) for _ in range(2))
    _check_kind(module, path)
    _check_draws(module, again, _made(path, common, 1, inputs), path)
    model = FromModule(path, module, inputs)
    _check_calls(model, again.double(), outputs)
    return model


class _LinearAlone(TorchFunctionMode):
    """Computes linear layers by `product`, whose rounding does not depend on a member's place."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        called = _linear if func is functional.linear else func
        return called(*args, **(kwargs or {}))


def _linear(signal: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    rows = signal.reshape(1, -1, signal.shape[-1])
    outputs = product(rows, weight.T[None]).reshape(*signal.shape[:-1], len(weight))
    return outputs if bias is None else outputs + bias


def _made(path: str, setting: Setting, seed: int, inputs: int) -> nn.Module:
    named("model", path)  # imported first: its module may draw or seed, and only the first call would see that
    with torch.random.fork_rng(devices=[]), _usual_dtype():
        torch.default_generator.manual_seed(generator_of(seed, path).initial_seed())
        module = made("model", path, setting)
        if not isinstance(module, nn.Module):
            raise SettingError(f"model={path!r}: returned {type(module).__name__}; return an nn.Module")
        if any(nn.parameter.is_lazy(parameter) for parameter in module.parameters()):
            _give_shapes(module, path, inputs)
    return module


@contextmanager
def _usual_dtype() -> Iterator[None]:
    """torch's own default dtype, which any module that this process has imported may have changed."""
    changed = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        yield
    finally:
        torch.set_default_dtype(changed)


def _give_shapes(module: nn.Module, path: str, inputs: int) -> None:
    """Call the module once, since lazy layers get their shapes from their first input."""
    try:
        with torch.no_grad():
            module(torch.zeros(2, inputs))
    except USERS_ERRORS as error:
        raise SettingError(f"model={path!r}: cannot map [2, {inputs}]: {first_line(error)}") from error


def _check_kind(module: nn.Module, path: str) -> None:
    """Refuse modules that cannot be trained as an ensemble, or have parameters of another precision."""
    if not any(True for _ in module.parameters()):
        raise SettingError(f"model={path!r}: has no parameters; return a module with something to train")
    for name, layer in module.named_modules():
        if isinstance(layer, nn.modules.batchnorm._NormBase) and layer.track_running_stats:
            raise SettingError(
                f"model={path!r}: has {type(layer).__name__} {name}, whose averages change from step to step; "
                "use LayerNorm or GroupNorm"
            )
        if isinstance(layer, _Dropping) and layer.p > 0:
            raise SettingError(
                f"model={path!r}: has {type(layer).__name__} {name} with p={layer.p:g}, which draws new masks at every step; "
                "set p=0 or leave it out"
            )
    for name, parameter in module.named_parameters():
        if fault := _fault(parameter):
            raise SettingError(f"model={path!r}: parameter {name} {fault}")


def _fault(parameter: nn.Parameter) -> str:
    """Why a parameter cannot be trained, and the remedy; empty where it can."""
    kind = str(parameter.dtype).removeprefix("torch.")
    if parameter.is_meta:
        return "is on the meta device; return the module on the CPU"
    if parameter._backward_hooks or parameter._post_accumulate_grad_hooks:
        return "has a gradient hook, which would not run; register it in a function that makes the optimizer"
    if not parameter.requires_grad:
        return "is frozen; make it a buffer, which stays as it is"
    if parameter.dtype not in (torch.float32, torch.float64):
        trained = "only float32 and float64 can be trained, for every dtype of the setting"
        return f"is {kind}; {trained}; return the module in float32"
    return "" if bool(parameter.isfinite().all()) else "starts with numbers that are not finite"


def _check_draws(module: nn.Module, again: nn.Module, other: nn.Module, path: str) -> None:
    """Check that one seed always gives the same parameters, and that buffers, which members share, are the same for all."""
    for (name, first), second in zip(module.named_parameters(), again.parameters(), strict=True):
        if not torch.equal(first, second):
            raise SettingError(
                f"model={path!r}: parameter {name} starts differently from the same seed; draw from torch's generator only"
            )
    for (name, constant), theirs in zip(module.named_buffers(), other.buffers(), strict=True):
        if not torch.equal(constant, theirs):
            raise SettingError(
                f"model={path!r}: buffer {name} differs from seed to seed, and all trainings share it; "
                "draw it from a generator with a seed of its own"
            )


def _check_calls(model: FromModule, called: nn.Module, outputs: int) -> None:
    """Check the outputs on two points, and that a call changes neither the next one's outputs nor a buffer of `called`."""
    wanted = f"[points, {model.inputs}] to [points, {outputs}]"
    points = torch.zeros(1, 2, model.inputs, dtype=torch.float64)
    try:
        _check_repeats(model.path, called, points[0])
        params = torch.zeros(1, model.size, dtype=torch.float64, requires_grad=True)
        produced = model.outputs(params, points)
    except SettingError:
        raise
    except USERS_ERRORS as error:
        raise SettingError(f"model={model.path!r}: cannot map {wanted}: {first_line(error)}") from error
    if produced.shape != (1, 2, outputs):
        raise SettingError(f"model={model.path!r}: maps to {list(produced.shape[1:])}; it has to map {wanted}")
    if not produced.requires_grad:
        raise SettingError(
            f"model={model.path!r}: its outputs have no gradient; leave out detach() and no_grad() in forward()"
        )
    for (name, before), after in zip(model.module.named_buffers(), called.buffers(), strict=True):
        if not torch.equal(before.to(after), after):
            raise SettingError(
                f"model={model.path!r}: buffer {name} changes when the module is called; keep it constant"
            )


def _check_repeats(path: str, module: nn.Module, points: Float[Tensor, "N D"]) -> None:
    """Check that a module returns a tensor, and the same one whenever it is called with the same points."""
    with torch.random.fork_rng(devices=[]):
        before = torch.get_rng_state()
        first, second = module(points), module(points)
        drawn = not torch.equal(torch.get_rng_state(), before)
    for returned in (first, second):
        if not isinstance(returned, Tensor):
            raise SettingError(
                f"model={path!r}: returns {type(returned).__name__}; return one tensor [points, outputs]"
            )
    if drawn or not torch.equal(first.nan_to_num(), second.nan_to_num()):
        fault = "draws random numbers when it is called" if drawn else "gives other outputs when it is called again"
        raise SettingError(
            f"model={path!r}: {fault}; keep forward() a function of its inputs and parameters, or gate it as a training of "
            "your own with --workload"
        )
