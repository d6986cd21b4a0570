"""Digests of batches: equal for equal content, different otherwise, whatever holds the arrays."""

from typing import Any

import numpy as np
import pytest
import torch

from spikecheck.watch.digest import digest, on_device

X = torch.arange(6.0).reshape(2, 3)


@pytest.mark.parametrize("other", [X.double().float(), X.clone().requires_grad_(), X.t().contiguous().t()])
def test_the_same_numbers_have_the_same_digest(other: torch.Tensor) -> None:
    assert digest(other) == digest(X)


@pytest.mark.parametrize("other", [X + 1, X.reshape(3, 2), [X, X], X.to(torch.int64)])
def test_other_numbers_shapes_and_types_have_another(other: Any) -> None:
    assert digest(other) != digest(X)


def test_dictionaries_lists_and_bfloat16_are_read() -> None:
    assert digest({"x": [X, (np.ones(2),)]}) == digest([X, np.ones(2)])
    assert len(digest(X.bfloat16())) == 16


def test_only_other_devices_have_to_be_waited_for() -> None:
    assert not on_device({"x": [X, 3, "text"]})
    assert on_device({"x": [X, torch.empty(2, device="meta")]})
