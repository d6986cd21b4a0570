"""Every arm against a plain loop that does the same by hand, to the bit; and nothing of an arm is left afterwards."""

from dataclasses import replace

import pytest

from spikecheck.watch.replay import _same
from spikecheck.why import arms
from spikecheck.why.executors import Job, forked
from spikecheck.why.first_run import run_again
from tests.why.loops import SCENE, START, STEPS, Loop, adam, by_arm, by_hand, nothing


def test_again_is_the_run_itself() -> None:
    assert by_arm(arms.AGAIN, adam) == by_hand(adam, nothing)


@pytest.mark.parametrize("arm", [arms.PLACEBO, *arms.ARMS, arms.SECOND_HELD], ids=lambda arm: arm.name)
def test_nothing_of_an_arm_is_left(arm: arms.Arm) -> None:
    """After a fork and `restore` the training goes on to the bit, with no hook and no changed entry left."""
    training = Loop(adam, autocast=True).training()
    training.run(START)
    state = training.snapshot()
    expected = training.run(STEPS)
    end = training.snapshot()
    _, usual = run_again(training, state, SCENE)
    forked(training, state, Job(arm, 3), replace(SCENE, usual=usual))
    group = training.optimizer.param_groups[0]
    assert (group["betas"], group["eps"]) == ((0.9, 0.999), 1e-8)
    assert not training.optimizer._optimizer_step_pre_hooks and not training.optimizer._optimizer_step_post_hooks
    training.restore(state)
    assert training.run(STEPS) == expected
    assert _same(training.snapshot().values, end.values)
