"""Rank correlation against scipy."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import spearmanr

from spikecheck.measures.rank import spearman

LENGTH = st.shared(st.integers(2, 30), key="length")
TIED = arrays(np.float64, LENGTH, elements=st.integers(-5, 5).map(float))
ANY = arrays(np.float64, LENGTH, elements=st.floats(allow_nan=False))


@given(TIED | ANY, TIED | ANY)
def test_is_scipys_ties_and_infinities_included(a: np.ndarray, b: np.ndarray) -> None:
    assume(a.min() < a.max() and b.min() < b.max())
    assert spearman(a, b) == pytest.approx(spearmanr(a, b).statistic, abs=1e-10)


@given(TIED, TIED)
def test_only_the_order_matters(a: np.ndarray, b: np.ndarray) -> None:
    assert spearman(np.exp(a), b) == spearman(a, b) == spearman(b, a)
    assert spearman(-a, b) == -spearman(a, b)


@given(TIED)
def test_a_series_that_orders_something_agrees_with_itself(a: np.ndarray) -> None:
    assume(a.min() < a.max())
    assert spearman(a, a) == 1.0


@pytest.mark.parametrize("length", [0, 1, 5])
def test_a_constant_series_orders_nothing(length: int) -> None:
    assert spearman(np.ones(length), np.arange(float(length))) == 0.0
    assert spearman(np.arange(float(length)), np.ones(length)) == 0.0
