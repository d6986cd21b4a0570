"""What an ensemble minimises."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from spikecheck.core.errors import DataError, SettingError, UnknownName
from spikecheck.core.setting import Setting
from spikecheck.objective.objective import build_objective

Write = Callable[[str], str]

OWN_PROBLEM = """
import numpy as np
from types import SimpleNamespace
def make(setting):
    x = np.linspace(-1, 1, setting.points)[:, None]
    return SimpleNamespace(x=x, y={y})
"""


def test_setting_a_is_what_the_reference_says() -> None:
    """Width 20, biases inside only, N(0, 1/20), 20 points on [-2 pi, 2 pi], mean squared error: by hand in NumPy."""
    goal = build_objective([Setting()] * 2)
    assert (goal.members, goal.size, goal.points) == (2, 60, 20)
    params = goal.initial([0, 1])
    x = np.linspace(-2 * math.pi, 2 * math.pi, 20)
    for member in range(2):
        w, b, a = params[member].numpy().reshape(3, 20)
        errors = np.tanh(np.outer(x, w) + b) @ a - np.sin(x)
        assert float(goal.losses(params)[member]) == pytest.approx((errors**2).mean())
    starts = goal.initial([*range(2, 4)]), build_objective([Setting()] * 200).initial(range(200))
    assert float(starts[1].std()) == pytest.approx(20**-0.5, rel=0.03)


def test_every_member_has_its_own_target_and_interval() -> None:
    settings = [Setting(), Setting(target="sin 2x"), Setting(interval=1.0)]
    goal = build_objective(settings)
    params = goal.initial([5, 5, 5])
    assert torch.equal(params[0], params[1])
    for member, setting in enumerate(settings):
        alone = build_objective([setting] * 2)
        torch.testing.assert_close(goal.losses(params)[member], alone.losses(alone.initial([5, 6]))[0])


def test_the_sums_hessian_has_one_block_a_member() -> None:
    goal = build_objective([Setting(width=2, points=4), Setting(width=2, points=4, target="sin 2x")])
    params = goal.initial([0, 1]).requires_grad_()
    (gradients,) = torch.autograd.grad(goal.losses(params).sum(), params, create_graph=True)
    for member in range(2):
        (row,) = torch.autograd.grad(gradients[member].sum(), params, retain_graph=True)
        assert row[member].any() and not row[1 - member].any()


def test_taking_members_keeps_their_losses() -> None:
    settings = [Setting(), Setting(target="sin 2x"), Setting(lr=0.3)]
    goal = build_objective(settings)
    params, order = goal.initial([7, 8, 9]), [2, 0, 0, 1]
    for index in (order, torch.tensor(order)):
        taken = goal.select(index)
        assert taken.settings == tuple(settings[member] for member in order)
        assert torch.equal(taken.losses(params[order]), goal.losses(params)[order])
        assert torch.equal(
            taken.test_metrics(params[order])["test_loss"], goal.test_metrics(params)["test_loss"][order]
        )


def test_sines_hold_out_the_midpoints_of_256_cells() -> None:
    goal = build_objective([Setting(points=3, interval=1.0)] * 2)
    params = goal.initial([0, 1])
    x = torch.linspace(-math.pi, math.pi, 513, dtype=torch.float64)[1::2].view(1, 256, 1)
    expected = (goal.outputs(params, x) - x.sin()).square().mean((1, 2))
    held_out = goal.test_metrics(params)
    torch.testing.assert_close(held_out, {"test_loss": expected})


def test_float32_starts_from_the_same_draws_rounded() -> None:
    wide, narrow = build_objective([Setting()] * 2), build_objective([Setting(dtype="float32")] * 2)
    params = narrow.initial([0, 1])
    assert params.dtype == narrow.losses(params).dtype == torch.float32
    assert torch.equal(params, wide.initial([0, 1]).float())
    assert narrow.weights(params[0])[0].dtype == np.float64


def test_settings_of_different_signatures_do_not_share_an_ensemble() -> None:
    with pytest.raises(SettingError, match="split them"):
        build_objective([Setting(), Setting(width=21)])


def test_ones_own_problem_is_trained_on(write: Write) -> None:
    setting = Setting(problem=f"{write(OWN_PROBLEM.format(y='3 * x'))}:make", points=5)
    goal = build_objective([setting] * 2)
    assert goal.points == 5 and goal.train.x.shape == (1, 5, 1)
    params = goal.initial([0, 1])
    errors = goal.outputs(params, goal.train.x) - 3 * goal.train.x
    torch.testing.assert_close(goal.losses(params), errors.square().mean((1, 2)))
    assert goal.test_metrics(params) == {}


def test_a_nan_target_is_an_error_that_says_where(write: Write) -> None:
    path = f"{write(OWN_PROBLEM.format(y='np.where(x > 0.9, np.nan, x)'))}:make"
    with pytest.raises(DataError, match=rf"problem='{path}': y holds 1 values that are not finite \(of 20\), first at"):
        build_objective([Setting(problem=path)])


@pytest.mark.parametrize(
    ("setting", "error", "says"),
    [
        (Setting(problem="sinus"), UnknownName, "did you mean: sines"),
        (Setting(model="mpl"), UnknownName, "did you mean: mlp"),
        (Setting(loss="cross-entropy"), SettingError, "problem 'sines' has no classes; use loss='mse'"),
        (Setting(target="sin y"), SettingError, "target='sin y'"),
        (Setting(interval=1e308), DataError, "x holds .* not finite"),
    ],
)
def test_what_does_not_fit_is_one_line_with_a_remedy(setting: Setting, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        build_objective([setting])


@pytest.mark.parametrize(
    "arrays", ["x=np.ones((n, 1)), y=np.ones((n, 1))", "x=x, y=x, **({'x_test': x, 'y_test': x} if n > 3 else {})"]
)
def test_a_problems_size_may_not_depend_on_what_members_differ_in(write: Write, arrays: str) -> None:
    module = write(
        "import numpy as np\nfrom types import SimpleNamespace\n"
        f"def make(s):\n    n, x = int(s.interval), np.ones((5, 1))\n    return SimpleNamespace({arrays})\n"
    )
    setting = Setting(problem=f"{module}:make")
    with pytest.raises(SettingError, match="its size depends on target or interval"):
        build_objective([setting.but(interval=3.0), setting.but(interval=4.0)])
