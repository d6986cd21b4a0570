"""Global random generators: recorded, returned to, and left as they were."""

import random
from collections.abc import Callable

import numpy as np
import pytest
import torch

from spikecheck.tensors.random_state import random_state, random_state_kept, seed_everything, set_random_state


def drawn() -> tuple[float, float, float, float]:
    """One number of each generator, and one of those that remember half a draw."""
    return random.random(), random.gauss(), float(np.random.standard_normal()), float(torch.rand(1))  # noqa: NPY002


@pytest.fixture(autouse=True)
def _seeded() -> None:
    seed_everything(3)


def test_a_state_that_was_recorded_comes_again() -> None:
    drawn()  # now NumPy and Python remember the second of a pair of normal numbers
    state = random_state()
    first = [drawn() for _ in range(3)]
    set_random_state(state)
    assert [drawn() for _ in range(3)] == first


def test_a_seed_decides_everything() -> None:
    first = drawn()
    seed_everything(3)
    assert drawn() == first
    seed_everything(4)
    assert all(one != other for one, other in zip(drawn(), first, strict=True))
    seed_everything(2**40)  # beyond what NumPy takes


def test_what_is_drawn_inside_is_not_seen_outside() -> None:
    state = random_state()
    wanted = drawn()
    set_random_state(state)
    with random_state_kept():
        drawn()
    assert drawn() == wanted


def test_inside_it_begins_where_it_is_told() -> None:
    start = random_state()
    wanted = drawn()
    with random_state_kept(start):
        assert drawn() == wanted


def test_an_error_inside_changes_nothing_outside() -> None:
    def fails() -> None:
        with random_state_kept():
            drawn()
            raise ValueError

    _unchanged_by(fails)


def _unchanged_by(act: Callable[[], None]) -> None:
    state = random_state()
    wanted = drawn()
    set_random_state(state)
    with pytest.raises(ValueError):  # noqa: PT011
        act()
    assert drawn() == wanted
