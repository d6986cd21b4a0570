"""Cells that are numbers, and others."""

import math

import pytest

from spikecheck.watch.numbers import is_number, number


@pytest.mark.parametrize("cell", ["-nan(ind)", "nan", "NaN", "-nan", "nan(snan)", "1.#QNAN", "-1.#IND", float("nan")])
def test_every_nan_is_one(cell: object) -> None:
    """Regression: the loss of a training on Windows that diverged was left out of its log."""
    assert math.isnan(number(cell) or 0.0)


@pytest.mark.parametrize(
    ("cell", "value"), [("1.#INF", math.inf), ("-1.#INF00", -math.inf), (" 2e3 ", 2000.0), (3, 3.0)]
)
def test_numbers(cell: object, value: float) -> None:
    assert number(cell) == value


@pytest.mark.parametrize("cell", [None, True, "", "2.5*", "nan(", "#", "loss", [1], 10**400])
def test_what_is_none(cell: object) -> None:
    assert not is_number(cell)
