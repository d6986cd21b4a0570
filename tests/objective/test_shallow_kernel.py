"""The written kernel against the one that inductor compiles: the same bits, whatever the numbers."""

import shutil
from collections.abc import Iterator

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from spikecheck.core.setting import Setting
from spikecheck.objective import compiled_shallow, shallow_kernel, shallow_library
from spikecheck.objective.objective import build_objective
from spikecheck.objective.shallow_passes import JETS, reverse
from spikecheck.tensors.compiler import compiler
from spikecheck.tensors.kernel import Kernel

CAPABILITY = torch.backends.cpu.get_cpu_capability()
pytestmark = pytest.mark.skipif(
    shutil.which("g++") is None or CAPABILITY not in shallow_library._REGISTER,
    reason="no C++ compiler, or neither AVX2 nor AVX-512",
)
SIZES = ((50, 40, 16), (20, 20, 32), (1, 2, 1), (3, 2, 2), (70, 33, 64), (6, 9, 8), (7, 13, 4))
"""Neurons, points, members: whole registers and parts of one, points that leave a rest of each size."""


@pytest.fixture(autouse=True, scope="module")
def compiled_and_on_one_thread() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPIKECHECK_COMPILE", "1")
        compiler.cache_clear()
        torch.set_num_threads(1)
        yield
    compiler.cache_clear()


def drawn(sizes: tuple[int, int, int], scale: float, bias: bool, dtype: torch.dtype, seed: int = 0) -> list[Tensor]:
    width, points, columns = sizes
    draw = torch.Generator().manual_seed(seed)
    shapes = (3, width, columns), (int(bias), columns), (points, 1, columns), (points, columns)
    layers, *others = (torch.randn(*shape, generator=draw, dtype=dtype) for shape in shapes)
    return [layers * scale, *others]


def inductors(activation: str, bias: bool, dtype: torch.dtype) -> Kernel:
    return compiled_shallow._kernel(reverse, activation, bias, dtype, 1, False)


def same(some: Tensor, other: Tensor) -> bool:
    """Zeros of either sign are one: nothing that is made of them can tell them apart."""
    return torch.equal(some.nan_to_num(nan=-1e300), other.nan_to_num(nan=-1e300))


def differing(kernel: shallow_kernel.ShallowKernel, activation: str, bias: bool, given: list[Tensor]) -> list[int]:
    theirs = inductors(activation, bias, given[0].dtype)(*given)[:2]
    return [place for place, pair in enumerate(zip(kernel(*given), theirs, strict=True)) if not same(*pair)]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("activation", JETS)
def test_losses_and_gradients_have_the_bits_of_inductors(activation: str, bias: bool, dtype: torch.dtype) -> None:
    kernel = shallow_kernel.shallow_kernel(activation, dtype)
    assert kernel is not None
    for sizes in SIZES:
        for scale in (0.3, 1.0, 5.0, 40.0, 300.0):
            assert not differing(kernel, activation, bias, drawn(sizes, scale, bias, dtype))


@settings(max_examples=60)
@given(st.integers(0, 2**31), st.floats(1e-3, 1e3), st.sampled_from(["tanh", "gelu"]))
def test_the_bits_agree_whatever_is_drawn(seed: int, scale: float, activation: str) -> None:
    kernel = shallow_kernel.shallow_kernel(activation, torch.float64)
    assert kernel is not None
    assert not differing(kernel, activation, True, drawn((20, 20, 16), scale, True, torch.float64, seed))


def test_one_member_off_its_numbers_spoils_no_other() -> None:
    kernel = shallow_kernel.shallow_kernel("tanh", torch.float64)
    assert kernel is not None
    layers, *others = drawn((6, 9, 8), 1.0, True, torch.float64)
    sound = kernel(layers, *others)
    layers[:, 2, 3], layers[:, 1, 5] = float("nan"), 1e200
    losses, gradients = kernel(layers, *others)
    rest = [0, 1, 2, 4, 6, 7]
    assert torch.equal(losses[rest], sound[0][rest])
    assert torch.equal(gradients[:, rest], sound[1][:, rest])
    assert torch.isnan(losses[3])


def test_where_it_cannot_be_had_inductors_kernel_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    setting = Setting(width=7, points=9, steps=1_000)
    goal = build_objective([setting] * 3)
    params = goal.initial([0, 1, 2])
    expected = goal.gradient(params)
    monkeypatch.setattr(compiled_shallow, "shallow_kernel", lambda *asked: None)
    assert all(map(torch.equal, goal.gradient(params), expected))
