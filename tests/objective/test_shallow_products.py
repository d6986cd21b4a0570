"""The written products against those of the kernel that inductor compiles: the same bits, whatever the numbers."""

import shutil
from collections.abc import Iterator

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from spikecheck.core.setting import Setting
from spikecheck.objective import compiled_shallow, shallow_library
from spikecheck.objective.objective import Objective, build_objective
from spikecheck.objective.shallow_passes import forward_over_reverse
from spikecheck.objective.shallow_products import shallow_products
from spikecheck.tensors.compiler import compiler

CAPABILITY = torch.backends.cpu.get_cpu_capability()
pytestmark = pytest.mark.skipif(
    shutil.which("g++") is None or CAPABILITY not in shallow_library._REGISTER,
    reason="no C++ compiler, or neither AVX2 nor AVX-512",
)
SIZES = ((50, 40, 16, 3), (20, 20, 32, 6), (1, 2, 1, 2), (3, 2, 2, 7), (70, 33, 64, 2), (6, 9, 8, 11), (7, 13, 4, 2))
"""Neurons, points, members, vectors: whole registers and parts of one, points that leave a rest of each size."""
KINDS = [
    pytest.param(activation, bias, dtype, one, id=f"{activation}-{dtype}")
    for activation, bias, dtype, one in (
        ("tanh", False, torch.float64, True),
        ("gelu", True, torch.float64, False),
        ("relu", False, torch.float64, False),
        ("xtanh", True, torch.float32, False),
    )
]
"""Not all combinations: inductor takes ten seconds for each."""


@pytest.fixture(autouse=True, scope="module")
def compiled_and_on_one_thread() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPIKECHECK_COMPILE", "1")
        compiler.cache_clear()
        torch.set_num_threads(1)
        yield
    compiler.cache_clear()


def same(some: Tensor, other: Tensor) -> bool:
    """Zeros of either sign are one: nothing that is made of them can tell them apart."""
    return torch.equal(some.nan_to_num(nan=-1e300), other.nan_to_num(nan=-1e300))


def differing(
    activation: str, bias: bool, dtype: torch.dtype, sizes: tuple[int, int, int, int], scale: float, seed: int = 0
) -> list[int]:
    """Which of losses, gradients and products differ from inductor's."""
    width, points, columns, vectors = sizes
    draw, shift = torch.Generator().manual_seed(seed), int(bias)
    shapes = (
        (3 * width + shift, columns),
        (vectors, 3 * width + shift, columns),
        (points, 1, columns),
        (points, columns),
    )
    params, along, x, y = (torch.randn(*shape, generator=draw, dtype=dtype) for shape in shapes)
    params *= scale
    cuts = [3 * width, shift]
    at = [part.contiguous() for part in params.split(cuts)]
    ways = [part.contiguous() for part in along.split(cuts, 1)]
    inductors = compiled_shallow._kernel(forward_over_reverse, activation, bias, dtype, 1, vectors == 1)
    theirs = inductors(at[0].view(3, width, columns), at[1], ways[0].view(vectors, 3, width, columns), ways[1], x, y)
    ours = shallow_products(activation, dtype)
    assert ours is not None
    pairs = zip(ours(params, along, x, y), theirs, strict=False)
    return [place for place, pair in enumerate(pairs) if not same(*pair)]


@pytest.mark.parametrize(("activation", "bias", "dtype", "one"), KINDS)
def test_losses_gradients_and_products_have_the_bits_of_inductors(
    activation: str, bias: bool, dtype: torch.dtype, one: bool
) -> None:
    for width, points, columns, vectors in SIZES:
        sizes = (width, points, columns, 1 if one else vectors)
        for scale in (0.3, 1.0, 5.0, 40.0, 300.0):
            assert not differing(activation, bias, dtype, sizes, scale)


@settings(max_examples=40)
@given(st.integers(0, 2**31), st.floats(1e-3, 1e3), st.integers(2, 9))
def test_the_bits_agree_whatever_is_drawn(seed: int, scale: float, vectors: int) -> None:
    assert not differing("gelu", True, torch.float64, (20, 20, 16, vectors), scale, seed)


def goal_and_state() -> tuple[Objective, Tensor, Tensor]:
    goal = build_objective([Setting(width=7, points=9, steps=1_000, output_bias=True)] * 5)
    vectors = torch.randn(5, 3, 22, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return goal, goal.initial(range(5)), vectors


def test_they_are_the_products_with_autograds_hessian() -> None:
    goal, params, vectors = goal_and_state()
    *_, images = goal.gradient_and_products(params, vectors)
    for member in range(5):
        own = goal.select([member])
        hessian = torch.autograd.functional.hessian(lambda row, own=own: own.losses(row[None])[0], params[member])
        torch.testing.assert_close(images[member], vectors[member] @ hessian, rtol=1e-9, atol=1e-11)


def test_a_wrong_vector_gives_another_product() -> None:
    goal, params, vectors = goal_and_state()
    moved = vectors.clone()
    moved[2, 1, 4] += 1e-6
    (*_, images), (*_, others) = (goal.gradient_and_products(params, rows) for rows in (vectors, moved))
    differ = (images != others).any(2)
    assert differ[2, 1]
    assert differ.sum() == 1


def test_one_member_off_its_numbers_spoils_no_other() -> None:
    goal, params, vectors = goal_and_state()
    *_, sound = goal.gradient_and_products(params, vectors)
    params[3, 5], params[1, 2] = float("nan"), 1e200
    losses, _, images = goal.gradient_and_products(params, vectors)
    assert torch.equal(images[[0, 2, 4]], sound[[0, 2, 4]])
    assert torch.isnan(losses[3])


def test_where_they_cannot_be_had_inductors_kernel_multiplies(monkeypatch: pytest.MonkeyPatch) -> None:
    goal, params, vectors = goal_and_state()
    expected = goal.gradient_and_products(params, vectors)
    monkeypatch.setattr(compiled_shallow, "shallow_products", lambda *asked: None)
    found = goal.gradient_and_products(params, vectors)
    assert all(map(same, found, expected))
    assert [part.stride() for part in found] == [part.stride() for part in expected]
