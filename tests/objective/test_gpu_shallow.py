"""`Shallow`'s passes on a GPU: gradients and products against autograd, and how neurons are distributed over lanes."""

import os

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spikecheck.core.setting import Setting
from spikecheck.objective.gpu_shallow import WIDEST, Layout, ShallowGpu, triton_version
from spikecheck.objective.objective import build_objective

pytest.importorskip("triton", reason="Triton has no build for this platform")

DEVICE = "cpu" if os.environ["TRITON_INTERPRET"] == "1" else "cuda"
SHAPES: list[dict[str, object]] = [
    {},
    {"activation": "relu"},
    {"activation": "gelu", "output_bias": True},
    {"activation": "xtanh"},
    {"width": 11, "points": 7},
    {"width": 1, "dtype": "float32"},
]


@pytest.mark.parametrize("changes", SHAPES)
def test_gradients_and_products_are_autograds(changes: dict[str, object]) -> None:
    """Members have targets of their own, and vectors K = 3."""
    setting = Setting(width=6, points=9, steps=10).but(**changes)
    targets = ("sin x", "sin x + sin 4x", "sin 2x", "sin x", "sin 2x")
    goal = build_objective([setting.but(target=target) for target in targets], DEVICE)
    passes = ShallowGpu(goal.model, goal.train.x, goal.train.y, len(targets))  # type: ignore[arg-type]
    params = goal.initial(range(len(targets)))
    vectors = torch.randn(len(targets), 3, goal.size, generator=torch.Generator().manual_seed(1)).to(params)
    here = params.detach().requires_grad_()
    losses = goal.losses(here)
    (grads,) = torch.autograd.grad(losses.sum(), here, create_graph=True)
    images = torch.stack([torch.autograd.grad(grads, here, v, retain_graph=True)[0] for v in vectors.unbind(1)], 1)
    expected = (losses.detach(), grads.detach(), images)
    tolerance = 1e-9 if params.dtype == torch.float64 else 2e-4
    for ours in (passes.gradient(params), passes.gradient_and_products(params, vectors)):
        for mine, theirs in zip(ours, expected, strict=False):
            torch.testing.assert_close(mine, theirs, rtol=tolerance, atol=tolerance)


@given(st.integers(1, 4_096))
@settings(deadline=None)
def test_a_layout_holds_all_neurons_and_wastes_few_lanes(width: int) -> None:
    found = Layout.of(width)
    lanes = found.group * found.groups
    assert width <= lanes < width * 5 / 4
    assert found.groups <= 8
    assert found.group & (found.group - 1) == 0
    assert found.together * found.group == 32 * found.warps


def test_a_width_beyond_the_registers_is_not_taken() -> None:
    def fits(**changes: object) -> bool:
        setting = Setting(points=4, steps=10).but(**changes)
        goal = build_objective([setting])
        return ShallowGpu.fits(goal.model, setting.loss)  # type: ignore[arg-type]

    assert fits(width=WIDEST)
    assert not fits(width=WIDEST + 1)
    assert not fits(width=4, depth=2)


def test_the_version_is_the_installed_packages() -> None:
    import triton

    assert triton_version() == triton.__version__
