"""A problem's numbers, and what is refused of them."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from spikecheck.core.errors import DataError
from spikecheck.data.dataset import checked

X, Y = np.ones((4, 2)), np.ones((4, 1), dtype=np.float32)
LABELS = np.array([0, 2, 1, 0], dtype=np.int32)


def test_arrays_become_float64_and_int64_tensors() -> None:
    data = checked(SimpleNamespace(x=X, y=LABELS, x_test=X[:2], y_test=torch.tensor([5, 1])), "p")
    assert (data.x.dtype, data.y.dtype) == (torch.float64, torch.int64)
    assert data.classified and data.outputs == 6  # the held-out classes count
    plain = checked(SimpleNamespace(x=X, y=Y), "p")
    assert (plain.classified, plain.outputs, plain.x_test) == (False, 1, None)
    assert plain.y.dtype == torch.float64


@pytest.mark.parametrize("name", ["x", "y", "x_test", "y_test"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_counted_and_placed(name: str, bad: float) -> None:
    arrays: dict[str, Any] = {"x": X.copy(), "y": Y.copy(), "x_test": X.copy(), "y_test": Y.copy()}
    arrays[name][[1, 3], 0] = bad
    size = arrays[name].size
    says = rf"problem='p': {name} holds 2 values that are not finite \(of {size}\), first at \(1, 0\); correct or drop"
    with pytest.raises(DataError, match=says):
        checked(SimpleNamespace(**arrays), "p")


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"y": Y}, "returned no x"),
        ({"x": X}, "returned no y"),
        ({"x": X, "y": Y, "x_test": X}, "x_test and y_test come together"),
        ({"x": X, "y": Y[:3]}, r"x \[4, 2\] and y \[3, 1\] do not fit"),
        ({"x": X[:, 0], "y": Y}, r"x \[4\] and y"),
        ({"x": X, "y": Y[:, 0]}, "do not fit"),
        ({"x": X[:0], "y": Y[:0]}, "do not fit"),
        ({"x": X, "y": LABELS - 1}, "y holds 2 negative classes"),
        ({"x": X, "y": Y, "x_test": X[:, :1], "y_test": Y}, r"x_test \[4, 1\] against \[4, 2\]"),
        ({"x": X, "y": Y, "x_test": X, "y_test": LABELS}, r"y_test \[4\] against \[4, 1\]"),
        ({"x": "text", "y": Y}, "x is no array of numbers"),
        ({"x": [["a"]], "y": Y}, "x is no array of numbers"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(arrays: dict[str, Any], says: str) -> None:
    with pytest.raises(DataError, match=says):
        checked(SimpleNamespace(**arrays), "p")
