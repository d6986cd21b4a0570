"""A function of tensors as machine code."""

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor


class Kernel:
    """A compiled function. Called with tensors it gives new ones; bound to them it can be called from machine code."""

    def __init__(self, run: Callable[[list[Tensor]], Sequence[Tensor]], names: dict[str, Any]) -> None:
        """`run` makes the results from a list of tensors; `names` are the globals in which it finds its loop nests."""
        self._run, self._names = run, names

    def __call__(self, *tensors: Tensor) -> Sequence[Tensor]:
        """The function's results."""
        return self._run(list(tensors))

    @property
    def library(self) -> Path | None:
        """The shared object of its only loop nest; None where it has more or none."""
        binding = self._names.get(self._loop_nest or "")
        file = getattr(getattr(binding, "__self__", None), "__file__", None)
        return None if file is None else Path(file)

    @property
    def _loop_nest(self) -> str | None:
        kernels = [name for name in self._names if name.startswith("cpp_fused")]
        return kernels[0] if len(kernels) == 1 else None

    def bound(self, *tensors: Tensor) -> "Bound | None":
        """The kernel as it is called with just these tensors, and where it leaves its results.

        None where inductor made more or less of the function than one loop nest in C++, which can't be called by itself.
        """
        name, names = self._loop_nest, self._names
        if name is None:
            return None
        binding, heard = names[name], list[tuple[Any, ...]]()

        def listening(*arguments: Any) -> None:
            heard.append(arguments)
            binding(*arguments)

        names[name] = listening
        try:
            results = self(*tensors)
        finally:
            names[name] = binding
        if len(heard) != 1 or self.library is None:
            return None
        address = ctypes.cast(ctypes.CDLL(str(self.library))["kernel"], ctypes.c_void_p).value
        given = [part.data_ptr() if isinstance(part, Tensor) else int(part) for part in heard[0]]
        ours = {tensor.data_ptr() for tensor in tensors if tensor.numel()}
        if address is None or not ours.issubset(given):  # a copy of them was handed on
            return None
        return Bound(address, tuple(given), tuple(results), (*heard[0], *tensors))


@dataclass(frozen=True)
class Bound:
    """A kernel's machine code with everything that it is called with."""

    address: int
    arguments: tuple[int, ...]
    """Addresses and sizes."""
    results: tuple[Tensor, ...]
    """Every call writes them anew."""
    kept: tuple[Any, ...]
    """What owns the memory behind the addresses."""
