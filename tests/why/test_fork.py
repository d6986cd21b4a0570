"""Forks of one arm: nudged by their number, and the same again."""

import pytest

from spikecheck.why import arms
from spikecheck.why.fork import run_fork
from tests.why.loops import SCENE, START, Loop, adam


def test_forks_of_one_arm_differ_and_come_again() -> None:
    training = Loop(adam).training()
    training.run(START)
    state = training.snapshot()
    zero, one, again = (run_fork(training, state, arms.PLACEBO, SCENE, number) for number in (0, 1, 0))
    assert zero == again != one
    assert zero == pytest.approx(one, rel=1e-3)
