"""Forks of one arm: nudged by their number, and the same again."""

from contextlib import AbstractContextManager
from typing import Any

import pytest

from spikecheck import Training
from spikecheck.core.errors import UsageError
from spikecheck.why import arms
from spikecheck.why.fork import run_fork
from spikecheck.why.scene import Context, NotApplicable
from tests.why.loops import SCENE, START, Loop, adam


def test_forks_of_one_arm_differ_and_come_again() -> None:
    training = Loop(adam).training()
    training.run(START)
    state = training.snapshot()
    zero, one, again = (run_fork(training, state, arms.PLACEBO, SCENE, number) for number in (0, 1, 0))
    assert zero == again != one
    assert zero == pytest.approx(one, rel=1e-3)


def raising(training: Training, context: Context) -> AbstractContextManager[object]:
    raise KeyError("half")


def no_context(training: Training, context: Context) -> None:
    """Forgets to return one."""


@pytest.mark.parametrize(("apply", "says"), [(raising, "KeyError: 'half'"), (no_context, "TypeError: ")])
def test_an_arm_that_raises_does_not_apply(apply: Any, says: str) -> None:
    """Regression: a mistake in one arm of one's own was a traceback, and the answer of all others was lost."""
    training = Loop(adam).training()
    state = training.snapshot()
    with pytest.raises(NotApplicable, match=f"^a fork with it raised {says}"):
        run_fork(training, state, arms.Arm("own", "?", "own", apply), SCENE, 0)


def test_a_training_that_raises_again_is_told_in_one_line() -> None:
    training = Loop(adam).training()
    state = training.snapshot()
    training._step = lambda batch: 1 / 0
    with pytest.raises(
        UsageError, match=r"^the training raised ZeroDivisionError: .*, run again from step 20; run it by itself"
    ):
        run_fork(training, state, arms.PLACEBO, SCENE, 0)
