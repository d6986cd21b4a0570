"""The written-out gradient of a line against autograd's: the same bits."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.setting import Setting
from spikecheck.objective.analytic_line import Line
from spikecheck.objective.objective import Objective, build_objective

LINE = Setting(model="linear", target="100 sin 0.01x", points=20, interval=1.0, lr=0.01)


def autograds(goal: Objective, params: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    here = params.clone().requires_grad_()
    losses = goal.losses(here)
    (gradients,) = torch.autograd.grad(losses.sum(), here)
    return losses.detach(), gradients


@given(
    members=st.integers(1, 33),
    points=st.integers(2, 67),
    seed=st.integers(0, 2**31),
    scale=st.floats(1e-6, 1e6),
    bias=st.booleans(),
    dtype=st.sampled_from(["float64", "float32"]),
    alike=st.booleans(),
)
def test_losses_and_gradients_have_autograds_bits(
    members: int, points: int, seed: int, scale: float, bias: bool, dtype: str, alike: bool
) -> None:
    setting = LINE.but(points=points, output_bias=bias, dtype=dtype)
    # members of one ensemble may differ in the interval, and then each has points of its own
    settings = [setting if alike else setting.but(interval=1.0 + member) for member in range(members)]
    goal = build_objective(settings)
    drawn = torch.randn(members, goal.size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    params = (scale * drawn).to(goal.train.x.dtype)
    assert isinstance(goal.written_out, Line)
    for found, expected in zip(goal.gradient(params), autograds(goal, params), strict=True):
        assert torch.equal(found, expected)


def test_it_is_the_least_squares_fit_where_the_gradient_vanishes() -> None:
    goal = build_objective([LINE.but(output_bias=True)])
    x, y = goal.train.x[0, :, 0], goal.train.y[0, :, 0]
    solved = torch.linalg.lstsq(torch.stack([x, torch.ones_like(x)], 1), y[:, None]).solution.T
    _, gradient = goal.gradient(solved)
    torch.testing.assert_close(gradient, torch.zeros_like(gradient), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "setting", [Setting(width=3), LINE.but(problem="digits", loss="cross-entropy", target="classes")]
)
def test_other_models_are_not_lines(setting: Setting) -> None:
    assert not isinstance(build_objective([setting]).written_out, Line)
