"""Arms that change the optimizer, each against a plain loop that does the same by hand, to the bit."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from spikecheck.why import arms
from spikecheck.why.executors import Job, forked
from spikecheck.why.fork import run_fork
from spikecheck.why.scene import LEAD, Usual
from tests.why.loops import SCENE, START, Loop, Make, adam, by_arm, by_hand, nothing, sgd, void


@pytest.mark.parametrize("make", [adam, sgd])
def test_half_the_rate_whatever_the_scheduler_says(make: Make) -> None:
    def halved(loop: Loop, place: int) -> None:
        group = loop.optimizer.param_groups[0]
        scheduled = group["lr"]
        loop.before = lambda: group.update(lr=0.5 * scheduled)
        loop.after = lambda: group.update(lr=scheduled)

    assert by_arm(arms.HALF_RATE, make) == by_hand(make, halved)


def test_the_rate_held_leaves_out_a_jump_of_the_schedule() -> None:
    def held(loop: Loop, place: int) -> None:
        group = loop.optimizer.param_groups[0]
        scheduled = group["lr"]
        loop.before = lambda: group.update(lr=0.01)
        loop.after = lambda: group.update(lr=scheduled)

    assert by_hand(sgd, held) != by_hand(sgd, nothing)
    assert by_arm(arms.RATE_HELD, sgd) == by_hand(sgd, held)


def test_clipping_at_the_median_norm() -> None:
    norms: list[float] = []

    def noted(loop: Loop, place: int) -> None:
        loop.before = lambda: norms.append(float(nn.utils.clip_grad_norm_(loop.model.parameters(), float("inf"))))

    plain = by_hand(adam, noted)
    assert plain == by_hand(adam, nothing)
    median = float(np.median(norms[: SCENE.onset - START]))

    def clipped(loop: Loop, place: int) -> None:
        loop.before = lambda: void(nn.utils.clip_grad_norm_(loop.model.parameters(), median))

    assert by_hand(adam, clipped) != plain
    assert by_arm(arms.CLIPPED, adam) == by_hand(adam, clipped)


def test_a_faster_second_moment() -> None:
    def faster(loop: Loop, place: int) -> None:
        loop.optimizer.param_groups[0]["betas"] = (0.9, 0.9)

    assert by_arm(arms.FASTER_SECOND, adam) == by_hand(adam, faster)

    def slower(parameters: Any) -> torch.optim.Optimizer:
        return torch.optim.RMSprop(parameters, lr=0.001, alpha=0.99)

    def alpha(loop: Loop, place: int) -> None:
        loop.optimizer.param_groups[0]["alpha"] = 0.9

    assert by_arm(arms.FASTER_SECOND, slower) == by_hand(slower, alpha)


def test_a_larger_eps() -> None:
    def larger(loop: Loop, place: int) -> None:
        loop.optimizer.param_groups[0]["eps"] = 1e-3

    assert by_arm(arms.LARGER_EPS, adam) == by_hand(adam, larger)


def rmsprop(parameters: Any) -> torch.optim.Optimizer:
    return torch.optim.RMSprop(parameters, lr=0.001, alpha=0.9)


@pytest.mark.parametrize(("make", "slot"), [(adam, "exp_avg_sq"), (rmsprop, "square_avg")])
def test_second_moments_do_not_fall_below_what_they_were_at_the_fork(make: Make, slot: str) -> None:
    floors: list[torch.Tensor] = []

    def held(loop: Loop, place: int) -> None:
        moments = [state[slot] for state in loop.optimizer.state.values()]
        if place == 0:
            floors.extend(moment.clone() for moment in moments)
        for moment, floor in zip(moments, floors, strict=True):
            moment.copy_(torch.where(moment < floor, floor, moment))

    by_the_arm = by_arm(arms.SECOND_HELD, make)
    assert by_the_arm == by_hand(make, held)
    assert by_the_arm != by_hand(make, nothing)


def test_what_has_no_second_moment_at_the_fork_holds_none() -> None:
    for make in (sgd, adam):  # Adam has none before its first step
        training = Loop(make).training()
        reason = forked(training, training.snapshot(), Job(arms.SECOND_HELD, 0), SCENE)
        assert reason == "no optimizer here has a second moment at the fork"


@pytest.mark.parametrize(("make", "slot"), [(adam, "exp_avg"), (sgd, "momentum_buffer")])
def test_momentum_is_kept_empty_in_the_last_steps_before_the_onset(make: Make, slot: str) -> None:
    def emptied(loop: Loop, place: int) -> None:
        if SCENE.onset - LEAD <= START + place < SCENE.onset:
            for state in loop.optimizer.state.values():
                state[slot].zero_()

    assert by_arm(arms.EMPTIED, make) == by_hand(make, emptied)


@pytest.mark.parametrize(("make", "slot"), [(adam, "exp_avg"), (sgd, "momentum_buffer")])
@pytest.mark.parametrize(("before", "undone"), [(0, False), (1, True), (5, True), (LEAD, True), (LEAD + 1, False)])
def test_a_kick_of_the_momentum_is_undone_to_the_bit(make: Make, slot: str, before: int, undone: bool) -> None:
    """Regression: emptied once, 8 steps before the onset, momentum had grown again when it was kicked."""
    loop = Loop(make)
    training = loop.training()

    def kicked(batch: Any) -> Any:
        if training.steps == SCENE.onset - before:
            for state in loop.optimizer.state.values():
                state[slot].mul_(30.0)
        return loop.step(batch)

    training._step = kicked
    training.run(START)
    losses = run_fork(training, training.snapshot(), replace(arms.EMPTIED, nudged=False), SCENE, 0)
    assert (losses == by_arm(arms.EMPTIED, make)) is undone


def test_steady_rates_and_norms_are_not_held() -> None:
    training = Loop(adam).training()
    scene = replace(SCENE, usual=Usual(rates=((0.01,),), rate_varies=0.01, norms=(1.0,), norm_exceeds=0.02))
    state = training.snapshot()
    assert forked(training, state, Job(arms.RATE_HELD, 0), scene) == "the rate stays within 1.0 % of its median"
    assert forked(training, state, Job(arms.CLIPPED, 0), scene) == "no gradient norm is over 2.0 % above the median"


def test_betas_of_an_optimizer_without_a_second_moment_are_no_lag() -> None:
    """Regression: Lion's momentum forgot faster, and its spikes were said to come of a second moment that it has not."""

    class Lion(torch.optim.Optimizer):
        def __init__(self, parameters: Any) -> None:
            super().__init__(parameters, {"lr": 1e-3, "betas": (0.9, 0.99)})

        def step(self, closure: Any = None) -> Any:
            for parameter in self.param_groups[0]["params"]:
                parameter.data.sub_(parameter.grad.sign(), alpha=self.param_groups[0]["lr"])

    training = Loop(Lion).training()
    state = training.snapshot()
    reason = "no optimizer here has a second moment slower than 0.9"
    assert forked(training, state, Job(arms.FASTER_SECOND, 0), SCENE) == reason
