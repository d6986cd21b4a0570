"""The objective of an ensemble: one independent full-batch loss per member."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from spikecheck.core.errors import DataError, SettingError
from spikecheck.core.import_path import BUILT_IN, for_all, made
from spikecheck.core.setting import Setting
from spikecheck.data.dataset import Data, checked
from spikecheck.models.model import MLP, Model, model_of
from spikecheck.objective.analytic_line import Line
from spikecheck.objective.analytic_mlp import Layered
from spikecheck.objective.analytic_shallow import Shallow
from spikecheck.objective.compiled_module import Traced
from spikecheck.objective.compiled_shallow import Fused
from spikecheck.objective.compiles import should_compile
from spikecheck.objective.gpu_shallow import ShallowGpu, triton_version
from spikecheck.tensors.compiler import compiler
from spikecheck.tensors.kernel import Bound

_REAL = ("digits", "few-digits", "mnist1d", "mnist", "fashion-mnist", "cifar10")
"""Problems whose data depend on neither target nor interval: all members share one copy."""

Targets = Float[Tensor, "#B N O"] | Int[Tensor, "#B N"]


@dataclass(frozen=True, eq=False)
class Points:
    """Inputs and targets in the ensemble's precision; one copy where all B members share them."""

    x: Float[Tensor, "#B N D"]
    y: Targets

    def select(self, index: Tensor) -> "Points":
        """The points of these members."""
        return self if len(self.x) == 1 else Points(self.x[index], self.y[index])

    def index(self, chosen: Int[Tensor, "B n"]) -> "Points":
        """The points with indices `chosen`, which may differ by member."""
        members = torch.arange(len(chosen), device=chosen.device)[:, None]
        own = members if len(self.x) > 1 else torch.zeros_like(members)
        return Points(self.x[own, chosen], self.y[own, chosen])


@dataclass(frozen=True, eq=False)
class Objective:
    """The full-batch losses of B members. Their sum has a block-diagonal Hessian, with one block per member.

    Axes: B members, P parameters, N points, D inputs, O outputs, W neurons.
    """

    settings: tuple[Setting, ...]
    model: Model
    train: Points
    test: Points | None
    classified: bool
    device: str
    compiles: bool = True
    """Whether derivatives are compiled where that saves time."""

    @property
    def members(self) -> int:
        """B."""
        return len(self.settings)

    @property
    def size(self) -> int:
        """P."""
        return self.model.size

    @property
    def points(self) -> int:
        """N."""
        return self.train.x.shape[1]

    def losses(self, params: Float[Tensor, "B P"]) -> Float[Tensor, " B"]:
        """Every member's training loss: the mean over its points and, for squared errors, over its outputs."""
        return self._losses(params, self.train)

    def gradient(self, params: Float[Tensor, "B P"]) -> tuple[Float[Tensor, " B"], Float[Tensor, "B P"]]:
        """Every member's training loss, equal to that of `losses` up to rounding, and its gradient."""
        if self.written_out is not None:
            return self.written_out.gradient(params)
        with torch.enable_grad():  # an optimizer may have disabled it before it calls a closure
            here = params.detach().requires_grad_()
            losses = self.losses(here)
            # Members are independent, so the gradient of the sum of losses holds each member's gradient.
            (gradients,) = torch.autograd.grad(losses.sum(), here)
        return losses.detach(), gradients

    def hessians(self, params: Float[Tensor, "B P"]) -> Float[Tensor, "B P P"] | None:
        """Every member's Hessian, exact up to rounding; None where it cannot be computed as a matrix."""
        return self.written_out.hessians(params) if isinstance(self.written_out, Shallow) else None

    @property
    def multiplies(self) -> bool:
        """Whether many Hessian-vector products at once cost little more than gradients."""
        return isinstance(self.written_out, Fused | ShallowGpu)

    def bound(self, params: Float[Tensor, "B P"]) -> tuple[Bound, Float[Tensor, "P C"]] | None:
        """`gradient` as machine code bound to a copy of these parameters, and that copy, members last; None without code."""
        return self.written_out.bound(params) if isinstance(self.written_out, Fused) else None

    def gradient_and_products(
        self, params: Float[Tensor, "B P"], vectors: Float[Tensor, "B K P"]
    ) -> tuple[Float[Tensor, " B"], Float[Tensor, "B P"], Float[Tensor, "B K P"]]:
        """Every member's training loss and gradient, with the bits of `gradient`, and its Hessian times K vectors."""
        if isinstance(self.written_out, Fused | ShallowGpu | Layered):
            return self.written_out.gradient_and_products(params, vectors)
        here = params.detach().requires_grad_()
        (grads,) = torch.autograd.grad(self.losses(here).sum(), here, create_graph=True)
        images = [torch.autograd.grad(grads, here, one, retain_graph=True)[0] for one in vectors.unbind(1)]
        return *self.gradient(params), torch.stack(images, 1)

    def gradient_at(
        self, params: Float[Tensor, "B P"], chosen: Int[Tensor, "B n"]
    ) -> tuple[Float[Tensor, " B"], Float[Tensor, "B P"]]:
        """Every member's loss over its training points with indices `chosen`, and that loss's gradient."""
        with torch.enable_grad():
            here = params.detach().requires_grad_()
            losses = self._losses(here, self.train.index(chosen))
            (gradients,) = torch.autograd.grad(losses.sum(), here)
        return losses.detach(), gradients

    def outputs(self, params: Float[Tensor, "B P"], x: Float[Tensor, "#B N D"]) -> Float[Tensor, "B N O"]:
        """Every member's outputs at its own points, or at points that all members share."""
        return self.model.outputs(params, x)

    @property
    def held_out_points(self) -> Points:
        """The held-out points; the training points where the problem has none."""
        return self.train if self.test is None else self.test

    @torch.no_grad()
    def test_outputs(self, params: Float[Tensor, "B P"]) -> Float[Tensor, "B M O"]:
        """Every member's outputs on the held-out points."""
        return self.outputs(params, self.held_out_points.x)

    def residual(self, params: Float[Tensor, "B P"]) -> Float[Tensor, "B M O"]:
        """Every member's outputs on the held-out points minus the targets; classes are one-hot."""
        points = self.held_out_points
        outputs = self.outputs(params, points.x)
        return outputs - (points.y if points.y.is_floating_point() else functional.one_hot(points.y, outputs.shape[2]))

    @torch.no_grad()
    def test_metrics(self, params: Float[Tensor, "B P"]) -> dict[str, Float[Tensor, " B"]]:
        """`test_loss`, and for classes `test_accuracy` in [0, 1]; empty where the problem has no held-out points."""
        if self.test is None:
            return {}
        metrics = {"test_loss": self._losses(params, self.test)}
        if self.classified:
            metrics["test_accuracy"] = _accuracy(self.model.outputs(params, self.test.x), self.test.y)
        return metrics

    def initial(self, seeds: Sequence[int]) -> Float[Tensor, "B P"]:
        """Every member's initial parameters, which depend on its own seed and setting only."""
        pairs = zip(self.settings, seeds, strict=True)
        drawn = torch.stack([self.model.initial(setting, seed) for setting, seed in pairs])
        return drawn.to(self.device, self.train.x.dtype)

    def select(self, index: Sequence[int] | Tensor) -> "Objective":
        """The objective of these members in this order; repeats are allowed."""
        chosen = torch.as_tensor(index, dtype=torch.int64)
        settings = tuple(self.settings[member] for member in chosen.tolist())
        there = chosen.to(self.device)
        test = self.test.select(there) if self.test is not None else None
        return replace(self, settings=settings, train=self.train.select(there), test=test)

    def uncompiled(self) -> "Objective":
        """The same objective without compiled derivatives: for a few of them, compiling takes too long."""
        return replace(self, compiles=False)

    def weights(self, params: Float[Tensor, " P"]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """One member's `input_weights` and `output_weights`."""
        pair = (self.model.input_weights(params), self.model.output_weights(params))
        incoming, outgoing = (weights.detach().double().cpu().numpy().copy() for weights in pair)
        return incoming, outgoing

    @cached_property
    def written_out(self) -> Shallow | Layered | Line | Traced | None:
        """The fastest available way to compute derivatives; None where only autograd is left."""
        compiled = self.compiles and self.device == "cpu" and should_compile(self.settings[0]) and compiler()
        if not isinstance(self.model, MLP):
            way = Traced(self._losses_at, self.train.x, self.train.y, self.settings[0].signature)
            return way if compiled else None
        on_gpu = self.device.startswith("cuda") and triton_version()
        for kind in (ShallowGpu, Shallow, Layered, Line) if on_gpu else (Fused if compiled else Shallow, Layered, Line):
            if kind.fits(self.model, self.settings[0].loss):
                return kind(self.model, self.train.x, self.train.y, self.members)
        return None

    def _losses_at(self, params: Float[Tensor, "B P"], x: Tensor, y: Tensor) -> Float[Tensor, " B"]:
        return self._losses(params, Points(x, y))

    def _losses(self, params: Float[Tensor, "B P"], points: Points) -> Float[Tensor, " B"]:
        outputs = self.model.outputs(params, points.x)
        if self.settings[0].loss == "mse":
            return (outputs - points.y).square().mean((1, 2))
        return _cross_entropy(outputs, points.y)


def build_objective(settings: Sequence[Setting], device: str = "cpu") -> Objective:
    """The objective with one member per setting; all settings must have one signature.

    Raises:
        DataError: when a problem's data cannot be trained on.
        SettingError: when the signatures differ, or a target, model or loss does not fit the problem.
    """
    first = settings[0]
    if len({setting.signature for setting in settings}) > 1:
        raise SettingError(
            "settings of one ensemble differ in more than target, interval, initialisation and lr; split them"
        )
    data = _data(settings)
    one = data[0]
    if first.loss == "cross-entropy" and not one.classified:
        raise SettingError(f"loss='cross-entropy': problem {first.problem!r} has no classes; use loss='mse'")
    model = model_of(first, one.x.shape[1], one.outputs)
    train = _laid_out([(d.x, d.y) for d in data], first, one.outputs, device)
    tests = [(d.x_test, d.y_test) for d in data if d.x_test is not None and d.y_test is not None]
    test = _laid_out(tests, first, one.outputs, device) if tests else None
    return Objective(tuple(settings), model, train, test, one.classified, device)


@dataclass(frozen=True, eq=False)
class ProblemArrays:
    """A problem's data as NumPy arrays; classes are one-hot. Without held-out points, training points take their place.

    Axes: N training points, M held-out points, D inputs, O outputs.
    """

    x: NDArray[np.float64]
    """[N, D]"""
    y: NDArray[np.float64]
    """[N, O]"""
    x_test: NDArray[np.float64]
    """[M, D]"""
    y_test: NDArray[np.float64]
    """[M, O]"""


@lru_cache(maxsize=64)
def numbers_of(setting: Setting) -> ProblemArrays:
    """The training and held-out data of a setting's members."""
    (data,) = _data([setting])
    x_test, y_test = (data.x, data.y) if data.x_test is None or data.y_test is None else (data.x_test, data.y_test)

    def values(y: Tensor) -> NDArray[np.float64]:
        return (functional.one_hot(y, data.outputs) if y.ndim == 1 else y).double().numpy()

    return ProblemArrays(data.x.numpy(), values(data.y), x_test.numpy(), values(y_test))


def _data(settings: Sequence[Setting]) -> list[Data]:
    """Every member's data. Members whose settings give the same data share one object."""
    kept = () if settings[0].problem in _REAL else ("target", "interval")
    seen = [for_all(setting, *kept) for setting in settings]
    made_once = {setting: _loaded(setting) for setting in dict.fromkeys(seen)}
    data = [made_once[setting] for setting in seen]
    if len({_size(each) for each in made_once.values()}) > 1:
        problem = settings[0].problem
        raise SettingError(
            f"problem={problem!r}: its size depends on target or interval; let it depend on points alone"
        )
    return data


def _size(data: Data) -> tuple[object, ...]:
    held_out = None if data.x_test is None else data.x_test.shape
    return data.x.shape, data.outputs, data.classified, held_out


def _loaded(setting: Setting) -> Data:
    path = BUILT_IN["problem"].get(setting.problem, setting.problem)
    dataset = checked(made("problem", path, setting), setting.problem)
    if path == setting.problem:
        _check_fixed(dataset, checked(made("problem", path, setting), path), path)
    return dataset


def _check_fixed(once: Data, again: Data, path: str) -> None:
    """Check that a problem's factory returns the same data twice. Otherwise every tile would have other data."""
    for name in ("x", "y", "x_test", "y_test"):
        first, second = getattr(once, name), getattr(again, name)
        if first is not None and not torch.equal(first, second):
            raise DataError(
                f"problem={path!r}: two calls of its factory differ in {name}; draw from a generator with a seed of its own"
            )


def _laid_out(pairs: Sequence[tuple[Tensor, Tensor]], setting: Setting, outputs: int, device: str) -> Points:
    """Inputs and targets in the form the loss needs. Data that all members share is not copied."""
    distinct = pairs[:1] if all(pair[0] is pairs[0][0] for pair in pairs) else pairs
    precision = getattr(torch, setting.dtype)
    x, y = (torch.stack(parts) for parts in zip(*distinct, strict=True))
    if setting.loss == "mse":
        y = (functional.one_hot(y, outputs) if y.ndim == 2 else y).to(precision)
    return Points(x.to(device, precision), y.to(device))


def _cross_entropy(outputs: Float[Tensor, "B N O"], classes: Int[Tensor, "#B N"]) -> Float[Tensor, " B"]:
    chosen = outputs.gather(2, classes.expand(len(outputs), -1)[:, :, None]).squeeze(2)
    return (outputs.logsumexp(2) - chosen).mean(1)


def _accuracy(outputs: Float[Tensor, "B N O"], y: Targets) -> Float[Tensor, " B"]:
    classes = y if y.ndim == 2 else y.argmax(2)
    return (outputs.argmax(2) == classes).to(outputs.dtype).mean(1)
