"""A choice of points in which every class has its share."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.errors import SettingError
from spikecheck.data.subsets import balanced, chosen


@given(st.lists(st.integers(0, 4), min_size=1, max_size=40), st.data())
def test_a_balanced_choice_takes_from_every_class_in_turn(labels: list[int], data: st.DataObject) -> None:
    points = data.draw(st.integers(1, len(labels)))
    classes = torch.tensor(labels)
    chosen = balanced(classes, points)
    assert len(set(chosen.tolist())) == points
    taken = torch.bincount(classes[chosen], minlength=5)
    there = torch.bincount(classes, minlength=5)
    fullest = int(taken.max())
    assert all(int(t) >= min(int(n), fullest - 1) for t, n in zip(taken, there, strict=True))


def test_a_larger_choice_contains_the_smaller_and_takes_what_stands_first() -> None:
    classes = torch.tensor([1, 1, 0, 1, 0, 2, 1])
    assert [balanced(classes, points).tolist() for points in (2, 3, 5)] == [[0, 2], [0, 2, 5], [0, 1, 2, 4, 5]]


def test_more_points_than_there_are_is_an_error_that_says_so() -> None:
    assert chosen("p", torch.tensor([0, 1]), 2).tolist() == [0, 1]
    with pytest.raises(SettingError, match=r"points=1001: p has 1,000 training points; use at most that many"):
        chosen("p", torch.zeros(1_000, dtype=torch.int64), 1_001)
