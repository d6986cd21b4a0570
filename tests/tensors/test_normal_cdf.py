"""The normal distribution of compiled kernels, against scipy's."""

import numpy as np
import torch
from scipy import stats

from spikecheck.tensors.normal_cdf import normal


def test_it_is_scipys_to_rounding() -> None:
    x = np.concatenate([np.linspace(-30, 9, 20_001), [-1e3, 1e3, 0.0, -0.0, 1e-300]])
    below, density = (part.numpy() for part in normal(torch.from_numpy(x)))
    np.testing.assert_allclose(below, stats.norm.cdf(x), rtol=0, atol=3e-15)
    np.testing.assert_allclose(density, stats.norm.pdf(x), rtol=1e-12, atol=1e-300)
    tail = x < 0
    np.testing.assert_allclose(below[tail], stats.norm.cdf(x[tail]), rtol=1e-12, atol=1e-300)


def test_both_halves_make_one() -> None:
    x = torch.linspace(1e-3, 8, 1_001, dtype=torch.float64)
    np.testing.assert_allclose((normal(x)[0] + normal(-x)[0]).numpy(), 1.0, rtol=0, atol=1e-16)


def test_what_is_no_number_stays_none() -> None:
    assert bool(torch.isnan(normal(torch.tensor([float("nan")]))[0]).all())
