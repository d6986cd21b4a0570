"""Handwritten digits: the split, and the two losses on it."""

import pytest
import torch
from torch.nn import functional

from spikecheck.core.errors import SettingError
from spikecheck.core.setting import Setting
from spikecheck.data.digits import digits, few_digits
from spikecheck.objective.objective import build_objective

SETTING = Setting(problem="digits", loss="cross-entropy", width=6)


def test_the_split_is_fixed_complete_and_stratified() -> None:
    data, again = digits(SETTING), digits(SETTING.but(width=7, lr=0.5))
    assert data.x_test is not None and data.y_test is not None
    assert data.x.shape == (1347, 64) and data.x_test.shape == (450, 64)
    assert torch.equal(data.x, again.x) and torch.equal(data.y, again.y)
    whole = torch.bincount(torch.cat([data.y, data.y_test]))
    assert whole.sum() == 1797
    assert ((torch.bincount(data.y) - 1347 / 1797 * whole).abs() <= 1).all()


def test_pixels_are_centred_on_the_training_images() -> None:
    data = digits(SETTING)
    torch.testing.assert_close(data.x.mean(0), torch.zeros(64, dtype=torch.float64))
    assert 0.9 < float(data.x.max() - data.x.min()) <= 2
    assert data.x_test is not None
    assert float(data.x_test.mean(0).abs().max()) > 1e-3  # not centred on itself


def test_all_members_share_one_copy_of_the_images() -> None:
    goal = build_objective([SETTING, SETTING.but(target="sin 2x"), SETTING.but(lr=0.5)])
    assert goal.train.x.shape == (1, 1347, 64)
    assert goal.select([2, 0]).train.x.data_ptr() == goal.train.x.data_ptr()


def test_cross_entropy_and_accuracy_are_torchs() -> None:
    goal = build_objective([SETTING] * 2)
    params = goal.initial([3, 4]) * 5
    outputs, data = goal.outputs(params, goal.train.x), digits(SETTING)
    assert data.x_test is not None and data.y_test is not None
    tested = goal.outputs(params, data.x_test[None])
    held_out = goal.test_metrics(params)
    for member in range(2):
        assert goal.losses(params)[member].item() == pytest.approx(
            functional.cross_entropy(outputs[member], data.y).item()
        )
        assert held_out["test_loss"][member].item() == pytest.approx(
            functional.cross_entropy(tested[member], data.y_test).item()
        )
        right = (tested[member].argmax(1) == data.y_test).double().mean().item()
        assert held_out["test_accuracy"][member].item() == pytest.approx(right)


def test_squared_errors_are_against_one_hot_targets() -> None:
    goal = build_objective([SETTING.but(loss="mse")] * 2)
    params = goal.initial([3, 4])
    data = digits(SETTING)
    expected = functional.mse_loss(goal.outputs(params, goal.train.x)[1], functional.one_hot(data.y, 10).double())
    assert goal.losses(params)[1].item() == pytest.approx(expected.item())
    assert data.x_test is not None and data.y_test is not None
    classes = goal.outputs(params, data.x_test[None])[1].argmax(1)
    right = torch.eq(classes, data.y_test).double().mean().item()
    assert goal.test_metrics(params)["test_accuracy"][1].item() == pytest.approx(right)


@pytest.mark.parametrize("points", [10, 200, 1_787])
def test_few_digits_are_tested_on_all_the_others(points: int) -> None:
    data = few_digits(Setting(problem="few-digits", points=points))
    assert data.x_test is not None and data.y_test is not None
    assert len(data.x) == points and len(data.x) + len(data.x_test) == 1_797
    assert set(data.y.tolist()) == set(data.y_test.tolist()) == set(range(10))
    whole = torch.cat([data.x, data.x_test])
    rows = {tuple(row) for row in (whole - whole.min(0).values).mul(16).round().tolist()}
    everything = torch.cat([digits(SETTING).x, digits(SETTING).x_test])  # type: ignore[list-item]
    assert rows == {tuple(row) for row in (everything - everything.min(0).values).mul(16).round().tolist()}


@pytest.mark.parametrize("points", [9, 1_788, 5_000])
def test_few_digits_leave_ten_images_on_either_side(points: int) -> None:
    with pytest.raises(SettingError, match=f"points={points}: few-digits shares 1,797 .* give 10 to 1,787"):
        few_digits(Setting(problem="few-digits", points=points))
