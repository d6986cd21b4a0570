"""MNIST-1D: balanced, deterministic, and without an effect on the global random generators."""

import random

import numpy as np
import pytest
import torch

from spikecheck.core.errors import SettingError
from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.data import mnist1d as module
from spikecheck.data.mnist1d import mnist1d
from spikecheck.lab.laboratory import Laboratory
from spikecheck.objective.objective import numbers_of


@pytest.mark.parametrize("points", [10, 47, 200])
def test_signals_are_balanced_over_ten_classes(points: int) -> None:
    data = mnist1d(Setting(problem="mnist1d", points=points))
    assert tuple(data.x.shape) == (points, 40)
    assert data.x_test is not None and tuple(data.x_test.shape) == (1000, 40)
    counts = torch.bincount(data.y, minlength=10)
    assert int(counts.max() - counts.min()) <= 1


def test_a_larger_set_contains_the_smaller_and_no_test_point() -> None:
    small, large = (mnist1d(Setting(problem="mnist1d", points=points)) for points in (20, 60))
    rows = {row.numpy().tobytes() for row in large.x}
    assert {row.numpy().tobytes() for row in small.x} <= rows
    assert large.x_test is not None
    assert not rows & {row.numpy().tobytes() for row in large.x_test}


def test_generating_leaves_the_global_generators_alone() -> None:
    module._generated.cache_clear()
    np.random.seed(1)  # noqa: NPY002
    random.seed(1)
    torch.manual_seed(1)
    expected = np.random.rand(), random.random(), float(torch.rand(()))  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    random.seed(1)
    torch.manual_seed(1)
    first = module._generated()
    assert (np.random.rand(), random.random(), float(torch.rand(()))) == expected  # noqa: NPY002
    module._generated.cache_clear()
    assert all(torch.equal(a, b) for a, b in zip(first, module._generated(), strict=True))


def test_more_points_than_there_are_is_an_error_that_says_so() -> None:
    with pytest.raises(SettingError, match=r"points=4001: mnist1d has 4,000 training points"):
        mnist1d(Setting(problem="mnist1d", points=4001))


@pytest.mark.parametrize("loss", ["mse", "cross-entropy"])
def test_it_is_learned(loss: str) -> None:
    setting = Setting(problem="mnist1d", points=50, width=10, steps=60, loss=loss, lr=0.1)
    runs = Laboratory().runs([Recipe(setting=setting, seed=seed) for seed in range(3)])
    assert all(run.loss[-1] < 0.9 * run.loss[0] for run in runs.values())
    numbers = numbers_of(setting)
    assert numbers.y.shape == (50, 10)
    assert np.array_equal(numbers.y.sum(1), np.ones(50))
