"""Many updates in one call of machine code. For a small network, Python takes longer between two updates than the updates do.

`objective.compiled_shallow` compiles the gradient; `segment.cpp` makes the updates of gradient descent, heavy ball and
Nesterov's method. (Adam and RMSprop need square roots, which torch takes from a library that rounds differently from the
compiler.) The bits equal those of the Python loop, which is used elsewhere.
"""

import ctypes
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from spikecheck.objective.objective import Objective
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.optimizers.rules import GradientDescent, HeavyBall, UpdateRule
from spikecheck.tensors.cpp_library import library_of
from spikecheck.tensors.kernel import Bound
from spikecheck.training.gradients import FullBatch, Gradients

_SOURCE = Path(__file__).with_name("segment.cpp")
_NUMBER = {torch.float64: "double", torch.float32: "float"}


class _Segment(ctypes.Structure):
    """The struct of the same layout in `segment.cpp`."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("kernel", "a", "losses", "gradients", "params", "velocity", "lr")),
        *((name, ctypes.c_void_p) for name in ("until", "done", "alive", "moving")),
        *((name, ctypes.c_double) for name in ("momentum", "weight_decay")),
        *((name, ctypes.c_int64) for name in ("nesterov", "size", "columns", "members")),
    ]


class Segments:
    """An ensemble in the layout of its kernel, members last, and the call that updates it.

    Axes: B members, P parameters, T updates, C columns: the members and padding.
    """

    def __init__(
        self,
        function: "ctypes._NamedFuncPointer",
        bound: Bound,
        params: Float[Tensor, "P C"],
        rule: GradientDescent | HeavyBall,
        ensemble: Ensemble,
        until: Int[Tensor, " B"],
    ) -> None:
        """`function` is the one of `segment.cpp`, compiled for kernels with as many arguments as `bound` has."""
        self._function = function
        self._start, self._params = ensemble, params
        missing = params.shape[1] - ensemble.members
        self._slots = {
            name: functional.pad(slot.T, (0, missing)).contiguous().clone() for name, slot in ensemble.slots.items()
        }
        self._lr, self._until, self._done, self._alive = (
            functional.pad(part, (0, missing)).contiguous().clone()
            for part in (ensemble.lr, until, ensemble.done, ensemble.alive.to(torch.uint8))
        )
        self._moving = torch.zeros_like(self._alive)
        self._arguments = (ctypes.c_int64 * len(bound.arguments))(*bound.arguments)
        self._bound = bound  # owns the memory that the kernel reads and writes
        losses, gradients, *_ = bound.results
        self._segment = _Segment(
            kernel=bound.address,
            a=ctypes.addressof(self._arguments),
            losses=losses.data_ptr(),
            gradients=gradients.data_ptr(),
            params=params.data_ptr(),
            velocity=self._slots["velocity"].data_ptr() if isinstance(rule, HeavyBall) else None,
            lr=self._lr.data_ptr(),
            until=self._until.data_ptr(),
            done=self._done.data_ptr(),
            alive=self._alive.data_ptr(),
            moving=self._moving.data_ptr(),
            momentum=getattr(rule, "momentum", 0.0),
            weight_decay=rule.weight_decay,
            nesterov=getattr(rule, "nesterov", False),
            size=params.shape[0],
            columns=params.shape[1],
            members=ensemble.members,
        )

    def go(self, record: Float[Tensor, "T B"]) -> None:
        """Make T updates and write the losses before each to `record`; a member stops at its `until`."""
        steps, at = ctypes.c_int64(len(record)), ctypes.c_void_p(record.data_ptr())
        self._function(ctypes.byref(self._segment), steps, at)

    def ensemble(self) -> Ensemble:
        """The ensemble's present state."""
        members = self._start.members
        return replace(
            self._start,
            params=self._rows(self._params),
            slots={name: self._rows(slot) for name, slot in self._slots.items()},
            done=self._done[:members].clone(),
            alive=self._alive[:members].bool(),
        )

    def _rows(self, columns: Float[Tensor, "P C"]) -> Float[Tensor, "B P"]:
        return columns[:, : self._start.members].T.clone(memory_format=torch.contiguous_format)


def segments(
    objective: Objective, rule: UpdateRule, ensemble: Ensemble, until: Int[Tensor, " B"], gradients: Gradients | None
) -> Segments | None:
    """The ensemble prepared for many updates in one call; None where only the Python loop can train it."""
    plain = gradients is None or isinstance(gradients, FullBatch)
    if not plain or not isinstance(rule, GradientDescent | HeavyBall):
        return None
    bound_kernel = objective.bound(ensemble.params)
    if bound_kernel is None:
        return None
    bound, params = bound_kernel
    function = _function(_NUMBER[params.dtype], len(bound.arguments))
    return None if function is None else Segments(function, bound, params, rule, ensemble, until)


@lru_cache(maxsize=8)
def _function(number: str, arguments: int) -> "ctypes._NamedFuncPointer | None":
    """`segment.cpp` for one type of numbers and kernels of so many arguments, compiled once per machine.

    None where compiling fails, as on a full disk: the Python loop gives the same bits, but takes longer.
    """
    types, given = ", ".join(["int64_t"] * arguments), ", ".join(f"a[{place}]" for place in range(arguments))
    head = f"#define NUMBER {number}\n#define TYPES {types}\n#define ARGUMENTS {given}\n"
    source = head + _SOURCE.read_text(encoding="utf-8")
    try:
        function = library_of(source)["segment"]
    except Exception:  # compilers and file systems may raise anything
        return None
    function.restype = None
    return function
