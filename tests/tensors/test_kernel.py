"""A compiled function: called with tensors, and bound to them for a call from machine code."""

import ctypes
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from spikecheck.tensors.cpp_library import library_of
from spikecheck.tensors.kernel import Kernel

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="there is no C++ compiler here")

DOUBLES = """
extern "C" void kernel(const double* x, double* y, long n) { for (long i = 0; i < n; ++i) y[i] = 2 * x[i]; }
"""


class LoopNest:
    """As torch's binding of a compiled loop nest: a method of a module that knows its file."""

    def __init__(self, file: Path) -> None:
        self.__file__ = str(file)
        self.calls = 0

    def kernel(self, x: Tensor, y: Tensor, size: int) -> None:
        self.calls += 1
        y.copy_(2 * x)


@pytest.fixture(scope="module")
def nest(tmp_path_factory: pytest.TempPathFactory) -> LoopNest:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path_factory.mktemp("kernels")))
        return LoopNest(Path(library_of(DOUBLES)._name))


def kernel_of(names: dict[str, Any], before: Callable[[Tensor], Tensor] = lambda x: x) -> Kernel:
    """Runs every loop nest of `names` once."""

    def run(tensors: list[Tensor]) -> Sequence[Tensor]:
        (x,) = tensors
        y = torch.empty_like(x)
        for name in [name for name in names if name.startswith("cpp_fused")]:
            names[name](before(x), y, x.numel())
        return (y,)

    return Kernel(run, names)


def test_a_bound_kernel_reads_and_writes_where_its_tensors_are(nest: LoopNest) -> None:
    names = {"cpp_fused_0": nest.kernel}
    x = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    bound = kernel_of(names).bound(x)
    assert bound is not None
    assert bound.results[0].tolist() == [2.0, 4.0, 6.0]
    assert names["cpp_fused_0"] == nest.kernel  # as it was before
    x += 10.0
    code = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_long)(bound.address)
    code(*bound.arguments)
    assert bound.results[0].tolist() == [22.0, 24.0, 26.0]
    assert any(part is x for part in bound.kept)


def test_a_function_of_several_loop_nests_or_none_cannot_be_bound(nest: LoopNest) -> None:
    x = torch.zeros(2, dtype=torch.float64)
    for names in ({}, {"cpp_fused_0": nest.kernel, "cpp_fused_1": nest.kernel}):
        kernel = kernel_of(names)
        assert kernel.library is None
        assert kernel.bound(x) is None


def test_a_kernel_that_works_on_a_copy_cannot_be_bound(nest: LoopNest) -> None:
    """Later calls would read the copy, which nobody updates."""
    kernel = kernel_of({"cpp_fused_0": nest.kernel}, before=Tensor.clone)
    assert kernel(torch.ones(2, dtype=torch.float64))[0].tolist() == [2.0, 2.0]
    assert kernel.bound(torch.ones(2, dtype=torch.float64)) is None


def test_a_loop_nest_that_is_called_twice_cannot_be_bound(nest: LoopNest) -> None:
    names: dict[str, Any] = {"cpp_fused_0": nest.kernel}

    def twice(tensors: list[Tensor]) -> Sequence[Tensor]:
        (x,), y = tensors, torch.empty_like(tensors[0])
        for _ in range(2):
            names["cpp_fused_0"](x, y, 2)
        return (y,)

    assert Kernel(twice, names).bound(torch.ones(2, dtype=torch.float64)) is None


def test_a_kernel_that_fails_while_it_is_bound_can_still_be_called(nest: LoopNest) -> None:
    def failing(*arguments: Any) -> None:
        raise RuntimeError("no memory")

    names: dict[str, Any] = {"cpp_fused_0": failing}
    with pytest.raises(RuntimeError, match="no memory"):
        kernel_of(names).bound(torch.ones(1, dtype=torch.float64))
    assert names["cpp_fused_0"] is failing
