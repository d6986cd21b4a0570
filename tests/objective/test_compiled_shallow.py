"""Compiled passes against the uncompiled ones and autograd, and that no member's bits tell its place or its companions."""

import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
import torch
from torch import Tensor

from spikecheck.core.errors import UsageError
from spikecheck.core.recipe import Environment, Recipe
from spikecheck.core.setting import Setting
from spikecheck.lab.laboratory import Laboratory
from spikecheck.models.mlp import MLP
from spikecheck.objective import compiled_shallow
from spikecheck.objective.analytic_shallow import Shallow
from spikecheck.objective.compiled_shallow import Fused
from spikecheck.objective.compiles import SHALLOW_FROM as LONG
from spikecheck.objective.objective import Objective, build_objective
from spikecheck.tensors.compiler import compiler

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="torch finds no C++ compiler here")

ACTIVATIONS = ("tanh", "relu", "gelu", "xtanh")


@pytest.fixture(autouse=True)
def asked_for(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SPIKECHECK_COMPILE", "1")
    compiler.cache_clear()
    yield
    compiler.cache_clear()


def goal_of(setting: Setting, members: int) -> tuple[Objective, Fused, Tensor]:
    torch.set_num_threads(1)
    goal = build_objective([setting] * members)
    assert isinstance(goal.model, MLP)
    return goal, Fused(goal.model, goal.train.x, goal.train.y, members), goal.initial(range(members))


def vectors_for(params: Tensor, count: int) -> Tensor:
    shape = (len(params), count, params.shape[1])
    return torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=params.dtype)


@pytest.mark.parametrize(("activation", "bias"), [(name, name == "tanh") for name in ACTIVATIONS])
def test_losses_gradients_and_products_are_those_of_autograd(activation: str, bias: bool) -> None:
    setting = Setting(width=6, points=9, activation=activation, output_bias=bias, steps=10)
    goal, way, params = goal_of(setting, 5)
    vectors = vectors_for(params, 3)
    here = params.clone().requires_grad_()
    losses = goal.losses(here)
    (gradients,) = torch.autograd.grad(losses.sum(), here, create_graph=True)
    images = torch.stack([torch.autograd.grad(gradients, here, v, retain_graph=True)[0] for v in vectors.unbind(1)], 1)
    for found in (way.gradient(params), way.gradient_and_products(params, vectors)):
        for mine, theirs in zip(found, (losses, gradients, images), strict=False):
            torch.testing.assert_close(mine, theirs.detach(), rtol=1e-12, atol=1e-13)


def test_one_kernel_serves_all_sizes_down_to_one_of_everything() -> None:
    for width, points, members, count in ((1, 2, 1, 1), (3, 2, 2, 2), (70, 33, 100, 1)):
        goal, way, params = goal_of(Setting(width=width, points=points, steps=10), members)
        vectors = vectors_for(params, count)
        for mine, theirs in zip(
            way.gradient_and_products(params, vectors), goal.gradient_and_products(params, vectors), strict=True
        ):
            torch.testing.assert_close(mine, theirs, rtol=1e-11, atol=1e-12)
    assert compiled_shallow._kernel.cache_info().currsize <= 2 * len(ACTIVATIONS) * 4


@pytest.mark.parametrize(("width", "points", "dtype"), [(6, 9, "float64"), (20, 20, "float32")])
def test_a_members_bits_depend_on_neither_place_nor_companions(width: int, points: int, dtype: str) -> None:
    setting = Setting(width=width, points=points, dtype=dtype, steps=10)
    _, way, params = goal_of(setting, 64)
    vectors = vectors_for(params, 3)
    whole = way.gradient_and_products(params, vectors)
    shuffled = torch.randperm(64, generator=torch.Generator().manual_seed(2))
    for chosen in (torch.arange(1), torch.arange(3), torch.arange(40), shuffled):
        few = Fused(way.model, way.x, way.y, len(chosen))
        for mine, all_of_them in zip(few.gradient_and_products(params[chosen], vectors[chosen]), whole, strict=True):
            assert torch.equal(mine, all_of_them[chosen])
        assert torch.equal(few.gradient(params[chosen])[1], way.gradient(params)[1][chosen])
        one_alone = few.gradient_and_products(params[chosen], vectors[chosen, 1:2])[2]
        assert torch.equal(one_alone, whole[2][chosen, 1:2])  # nor on how many vectors there are


def test_one_member_off_its_numbers_spoils_no_other() -> None:
    _, way, params = goal_of(Setting(width=6, points=9, steps=10), 8)
    spoiled = params.clone()
    spoiled[3] = float("nan")
    spoiled[5] = 1e200
    rest = [0, 1, 2, 4, 6, 7]
    assert torch.equal(way.gradient(spoiled)[1][rest], way.gradient(params)[1][rest])
    assert torch.isnan(way.gradient(spoiled)[0][3])


def test_which_way_ran_is_in_the_digest_of_what_is_compiled_and_of_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipes = [Recipe(setting=Setting(steps=steps), seed=0) for steps in (LONG, LONG - 1)]
    with_it = [Laboratory()._cache.digest(recipe) for recipe in recipes]
    monkeypatch.setattr("spikecheck.lab.device.compiler", lambda: "")
    without = [Laboratory()._cache.digest(recipe) for recipe in recipes]
    assert with_it[0] != without[0]
    assert with_it[1] == without[1]
    where = Environment(torch="2", device="cpu", threads=1, compiler="g++ 12")
    assert recipes[0].digest(where) != recipes[0].digest(where.uncompiled())


def test_nothing_is_compiled_where_it_is_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKECHECK_COMPILE", "0")
    assert compiler() == ""
    assert type(build_objective([Setting(steps=LONG)]).written_out) is Shallow


def test_nothing_is_compiled_without_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    monkeypatch.delenv("SPIKECHECK_COMPILE")
    assert not build_objective([Setting(steps=LONG)]).multiplies


def test_nobody_waits_for_the_compiler_who_does_not_compile() -> None:
    line = "import sys, spikecheck.session.verify; sys.exit('torch._inductor' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", line], check=False).returncode == 0


def test_what_torch_cannot_compile_is_said_with_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def failing(*_: object) -> None:
        raise RuntimeError("ld returned 1")

    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))  # where no kernel is recorded yet
    with warnings.catch_warnings(action="ignore"):  # torch warns of itself where its compiler is imported first
        import_module("torch._inductor.compile_fx")
    monkeypatch.setattr("torch._inductor.compile_fx.compile_fx_inner", failing)
    monkeypatch.setattr(compiled_shallow, "shallow_products", lambda *asked: None)  # where there is no C++ of our own
    compiled_shallow._kernel.cache_clear()
    objective, rows = build_objective([Setting(width=7, steps=LONG)]), torch.zeros(1, 21, dtype=torch.float64)
    with pytest.raises(UsageError, match="set SPIKECHECK_COMPILE=0 to disable compiling"):
        objective.gradient_and_products(rows, rows[:, None])
