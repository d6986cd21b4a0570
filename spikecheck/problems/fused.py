"""`Shallow`'s passes over points and neurons as one compiled kernel each, under $SPIKECHECK_COMPILE=1: a third of the time.

torch's inductor turns the dozen passes of a step into two loops whose vectors run over members, so no member's bits depend on
their number or on its place (tests/problems/test_fused.py). They differ from those of the uncompiled passes in the last place,
so which one ran belongs to a run's digest. A kernel takes a second or two to compile, a tenth of one when another process has
done it; short trainings are not worth it.
"""

import math
import os
import shutil
import subprocess
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from spikecheck.core.errors import UsageError
from spikecheck.core.setting import Setting
from spikecheck.problems.shallow import Shallow

LONG = 1_000
"""Updates from which on a training is compiled: about where compiling costs what it saves (`nox -s bench`)."""

Jet = tuple[Tensor, Tensor, Tensor]
"""Value, first and second derivative."""


@dataclass(frozen=True, eq=False)
class Fused(Shallow):
    """The same losses, gradients and products; Hessians are `Shallow`'s."""

    def gradient(self, params: Float[Tensor, "B P"]) -> tuple[Float[Tensor, " B"], Float[Tensor, "B P"]]:
        """Every member's loss and its gradient."""
        at = self._columns(params.T)
        losses, gradients, _ = self._gradient(at, *self._points)
        return losses[: self.members], gradients[:, : self.members].T.contiguous()

    def gradient_and_product(
        self, params: Float[Tensor, "B P"], vectors: Float[Tensor, "B P"]
    ) -> tuple[Float[Tensor, " B"], Float[Tensor, "B P"], Float[Tensor, "B P"]]:
        """Every member's loss, its gradient, and the gradient's derivative along a vector: its Hessian times that vector."""
        at, along = self._columns(params.T), self._columns(vectors.T)
        losses, gradients, images, _ = self._gradient_and_product(at, along, *self._points)
        # Views: whoever asks for products lays everything members last, and copies would be a tenth of a step.
        return losses[: self.members], gradients[:, : self.members].T, images[:, : self.members].T

    @cached_property
    def _capacity(self) -> int:
        """C: at least two, since one column makes another kernel with other bits."""
        return max(2, super()._capacity)

    @cached_property
    def _gradient(self) -> Callable[..., tuple[Tensor, ...]]:
        at = self._columns(self.x.new_zeros(self.model.size, self.members))
        return _kernel(_reverse, self.model.activation, at, *self._points)

    @cached_property
    def _gradient_and_product(self) -> Callable[..., tuple[Tensor, ...]]:
        at = self._columns(self.x.new_zeros(self.model.size, self.members))
        along = at.clone()  # a graph traced with one tensor twice would read that one twice
        return _kernel(_forward_over_reverse, self.model.activation, at, along, *self._points)


def pays(setting: Setting) -> bool:
    """Whether trainings of a setting are compiled, where that is asked for: a rule of the setting alone, to be digested."""
    shallow = (setting.problem, setting.model, setting.depth, setting.loss) == ("sines", "mlp", 1, "mse")
    return shallow and setting.steps >= LONG


@lru_cache(maxsize=1)
def compiler() -> str:
    """The C++ compiler that torch calls, with its version, where $SPIKECHECK_COMPILE is 1; empty otherwise.

    Raises:
        UsageError: when it is asked for and is not there, or when the variable says anything else.
    """
    asked = os.environ.get("SPIKECHECK_COMPILE", "")
    if asked in ("", "0"):
        return ""
    if asked != "1":
        raise UsageError(f"SPIKECHECK_COMPILE={asked!r}: give 1 to compile long trainings, or leave it out")
    path = shutil.which(os.environ.get("CXX", "g++"))
    if path is None:
        raise UsageError(f"SPIKECHECK_COMPILE=1: there is no {os.environ.get('CXX', 'g++')}; install it, or set CXX")
    told = subprocess.run([path, "-dumpfullversion", "-dumpversion"], capture_output=True, text=True, check=False)
    return f"{Path(path).name} {told.stdout.strip()}" if told.returncode == 0 else ""


# ---- kernels ---------------------------------------------------------------------------------------------------------------
#
# Each also returns the neurons' values, which nobody reads: what leaves a kernel is kept in memory between its two loops and
# not computed a second time, which would take longer.


def _kernel(function: Callable[..., Any], activation: str, *example: Tensor) -> Callable[..., Any]:
    """The function for tensors like these, compiled once a process.

    Raises:
        UsageError: when torch cannot compile it.
    """
    key = (function.__name__, activation, torch.get_num_threads(), *((tuple(e.shape), e.dtype) for e in example))
    if key not in _KERNELS:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # torch's compiler imports what torch calls deprecated
                # Imported here: a second that nobody should wait for who does not compile.
                trace, inductor = import_module("torch.fx.experimental.proxy_tensor"), import_module("torch._inductor")
                graph = trace.make_fx(partial(function, _JETS[activation]))(*example)
                _KERNELS[key] = inductor.compile(graph, list(example))
        except Exception as error:
            raise UsageError(
                f"torch cannot compile with {compiler()} ({type(error).__name__}); leave out SPIKECHECK_COMPILE to do without"
            ) from error
    return _KERNELS[key]


_KERNELS: dict[tuple[Any, ...], Callable[..., Any]] = {}


def _tanh(x: Tensor) -> Jet:
    # As in `activations`: the sigmoid takes a fraction of tanh's time.
    value = 2 * torch.sigmoid(2 * x) - 1
    slope = 1 - value * value
    return value, slope, -2 * value * slope


def _relu(x: Tensor) -> Jet:
    value = torch.relu(x)
    return value, torch.sign(value), torch.zeros_like(value)


def _gelu(x: Tensor) -> Jet:
    below = 0.5 * (1 + torch.erf(x * math.sqrt(0.5)))
    density = torch.exp(-0.5 * x * x) * (1 / math.sqrt(2 * math.pi))
    return x * below, below + x * density, density * (2 - x * x)


def _xtanh(x: Tensor) -> Jet:
    value, slope, curve = _tanh(x)
    return x * value, value + x * slope, 2 * slope + x * curve


_JETS: Mapping[str, Callable[[Tensor], Jet]] = {"tanh": _tanh, "relu": _relu, "gelu": _gelu, "xtanh": _xtanh}


def _split(at: Float[Tensor, "P C"]) -> tuple[Tensor, ...]:
    """Weights, biases, outgoing weights and the shift of the output, of which there is one or none."""
    width = len(at) // 3
    return at.split_with_sizes([width, width, width, len(at) - 3 * width])


def _reverse(
    jet: Callable[[Tensor], Jet], at: Float[Tensor, "P C"], x: Float[Tensor, "N 1 #C"], y: Float[Tensor, "N #C"]
) -> tuple[Float[Tensor, " C"], Float[Tensor, "P C"], Float[Tensor, "N W C"]]:
    """Loss, gradient and values."""
    weights, biases, outgoing, shift = _split(at)
    values, slopes, _ = jet(weights * x + biases)
    errors = (values * outgoing).sum(1) + shift.sum(0) - y
    pull = (errors * (2 / len(x)))[:, None]
    back = slopes * pull
    parts = [(back * x).sum(0) * outgoing, back.sum(0) * outgoing, (values * pull).sum(0), pull.sum(0)[: len(shift)]]
    return errors.square().mean(0), torch.cat(parts), values


def _forward_over_reverse(
    jet: Callable[[Tensor], Jet],
    at: Float[Tensor, "P C"],
    along: Float[Tensor, "P C"],
    x: Float[Tensor, "N 1 #C"],
    y: Float[Tensor, "N #C"],
) -> tuple[Float[Tensor, " C"], Float[Tensor, "P C"], Float[Tensor, "P C"], Float[Tensor, "N W C"]]:
    """Loss, gradient, the gradient's derivative along a vector, and values."""
    weights, biases, outgoing, shift = _split(at)
    ways, ways_of_biases, ways_out, ways_of_shift = _split(along)
    values, slopes, curves = jet(weights * x + biases)
    signals_moved = ways * x + ways_of_biases
    values_moved, slopes_moved = slopes * signals_moved, curves * signals_moved

    errors = (values * outgoing).sum(1) + shift.sum(0) - y
    errors_moved = (values_moved * outgoing + values * ways_out).sum(1) + ways_of_shift.sum(0)
    pull, pull_moved = (errors * (2 / len(x)))[:, None], (errors_moved * (2 / len(x)))[:, None]

    back, back_moved = slopes * pull, slopes_moved * pull + slopes * pull_moved
    sums = (back * x).sum(0), back.sum(0)
    sums_moved = (back_moved * x).sum(0), back_moved.sum(0)
    gradient = [*(part * outgoing for part in sums), (values * pull).sum(0), pull.sum(0)[: len(shift)]]
    image = [
        *(moved * outgoing + still * ways_out for moved, still in zip(sums_moved, sums, strict=True)),
        (values_moved * pull + values * pull_moved).sum(0),
        pull_moved.sum(0)[: len(shift)],
    ]
    return errors.square().mean(0), torch.cat(gradient), torch.cat(image), values
