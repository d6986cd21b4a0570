"""Every arm against a plain loop that does the same by hand, to the bit; and nothing of an arm is left afterwards."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from spikecheck import Training
from spikecheck.watch.replay import _same
from spikecheck.why import arms
from spikecheck.why.executors import Job, forked
from spikecheck.why.first_run import run_again
from spikecheck.why.fork import run_fork
from spikecheck.why.scene import LEAD, Scene, Usual

START, STEPS = 20, 30
SCENE = Scene(start=START, onset=START + 16, over=START + 20, end=START + STEPS, level=1.0, spread=0.1)
Make = Callable[[Any], torch.optim.Optimizer]
Change = Callable[["Loop", int], None]


class Loop:
    """A plain loop: a net, an optimizer, a schedule with a jump, batches by number."""

    def __init__(self, make: Make, *, autocast: bool = False) -> None:
        torch.manual_seed(0)
        self.dropout = nn.Dropout(0.2)
        self.model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), self.dropout, nn.Linear(8, 1))
        self.optimizer = make(self.model.parameters())
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: 10.0 if START + 10 <= step < START + 14 else 1.0
        )
        generator = torch.Generator().manual_seed(1)
        self.batches = [
            (torch.randn(16, 4, generator=generator), torch.randn(16, 1, generator=generator)) for _ in range(600)
        ]
        self.autocast = autocast
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None

    def loss_of(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=self.autocast):
            out = self.model(batch[0])
        return (out.float() - batch[1]).square().mean()

    def step(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """What a user writes."""
        self.optimizer.zero_grad()
        loss = self.loss_of(batch)
        loss.backward()
        self.before()
        self.optimizer.step()
        self.after()
        self.scheduler.step()
        return loss

    def training(self) -> Training:
        state = {"model": self.model, "optimizer": self.optimizer, "scheduler": self.scheduler}
        return Training(step=self.step, batches=self.batches, state=state, loss=self.loss_of)


def by_hand(
    make: Make, change: Change, numbers: Callable[[int], int] = lambda n: n, *, autocast: bool = False
) -> list[float]:
    """The losses from the fork on of a plain loop that is changed at every step by hand."""
    loop = Loop(make, autocast=autocast)
    for number in range(START):
        loop.step(loop.batches[number])
    losses = []
    for place in range(STEPS):
        change(loop, place)
        losses.append(float(loop.step(loop.batches[numbers(START + place)]).detach()))
    return losses


def by_arm(arm: arms.Arm, make: Make, scene: Scene = SCENE, *, autocast: bool = False) -> list[float]:
    """The same by the arm, without its nudge; the usual rates and norms are read off the run first."""
    training = Loop(make, autocast=autocast).training()
    training.run(START)
    state = training.snapshot()
    _, usual = run_again(training, state, scene)
    return run_fork(training, state, replace(arm, nudged=False), replace(scene, usual=usual), 0)


def void(value: object) -> None:
    """Forget what a function returns."""


def nothing(loop: Loop, place: int) -> None:
    pass


def adam(parameters: Any) -> torch.optim.Optimizer:
    return torch.optim.Adam(parameters, lr=0.01)


def sgd(parameters: Any) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, lr=0.01, momentum=0.9)


def test_again_is_the_run_itself() -> None:
    assert by_arm(arms.AGAIN, adam) == by_hand(adam, nothing)


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

    def rmsprop(parameters: Any) -> torch.optim.Optimizer:
        return torch.optim.RMSprop(parameters, lr=0.001, alpha=0.99)

    def alpha(loop: Loop, place: int) -> None:
        loop.optimizer.param_groups[0]["alpha"] = 0.9

    assert by_arm(arms.FASTER_SECOND, rmsprop) == by_hand(rmsprop, alpha)


def test_a_larger_eps() -> None:
    def larger(loop: Loop, place: int) -> None:
        loop.optimizer.param_groups[0]["eps"] = 1e-3

    assert by_arm(arms.LARGER_EPS, adam) == by_hand(adam, larger)


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


def test_batches_left_out_are_replaced_by_the_next() -> None:
    first, left = SCENE.onset - LEAD // 2, len(SCENE.left_out)
    assert (first, left) == (START + 12, 8)

    def numbers(number: int) -> int:
        return number if number < first else number + left

    assert by_arm(arms.LEFT_OUT, adam) == by_hand(adam, nothing, numbers)


def test_other_batches_are_later_ones_of_the_loader() -> None:
    assert by_arm(arms.OTHER_BATCHES, adam) == by_hand(adam, nothing, lambda number: number + STEPS)


def test_full_precision_leaves_autocast_out() -> None:
    whole = by_hand(adam, nothing)
    assert by_hand(adam, nothing, autocast=True) != whole

    def off(loop: Loop, place: int) -> None:
        loop.autocast = False

    assert by_arm(arms.FULL_PRECISION, adam, autocast=True) == by_hand(adam, off, autocast=True)


@pytest.mark.parametrize(
    ("arm", "make", "says"),
    [
        (arms.FASTER_SECOND, sgd, "no optimizer here has a second moment slower than 0.9"),
        (arms.LARGER_EPS, sgd, "no optimizer here has an eps below 1e-3"),
        (arms.EMPTIED, lambda p: torch.optim.SGD(p, lr=0.1), "no optimizer here keeps momentum"),
        (arms.FULL_PRECISION, adam, "no step computes in lower precision by torch.autocast"),
    ],
)
def test_an_arm_that_does_not_apply_says_why(arm: arms.Arm, make: Make, says: str) -> None:
    training = Loop(make).training()
    training.run(START)
    state = training.snapshot()
    assert forked(training, state, Job(arm, 0), replace(SCENE, usual=Usual(rates=((0.1,),), norms=(1.0,)))) == says


def test_steady_rates_and_norms_are_not_held() -> None:
    training = Loop(adam).training()
    scene = replace(SCENE, usual=Usual(rates=((0.01,),), rate_varies=0.01, norms=(1.0,), norm_exceeds=0.02))
    state = training.snapshot()
    assert forked(training, state, Job(arms.RATE_HELD, 0), scene) == "the rate stays within 1.0 % of its median"
    assert forked(training, state, Job(arms.CLIPPED, 0), scene) == "no gradient norm is over 2.0 % above the median"


@pytest.mark.parametrize("arm", [arms.PLACEBO, *arms.ARMS], ids=lambda arm: arm.name)
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


def test_forks_of_one_arm_differ_and_come_again() -> None:
    training = Loop(adam).training()
    training.run(START)
    state = training.snapshot()
    zero, one, again = (run_fork(training, state, arms.PLACEBO, SCENE, number) for number in (0, 1, 0))
    assert zero == again != one
    assert zero == pytest.approx(one, rel=1e-3)


def test_an_arm_of_ones_own_and_one_that_raises() -> None:
    @contextmanager
    def without_dropout(training: Training, context: object) -> Iterator[None]:
        (dropout,) = (module for module in training.model.modules() if isinstance(module, nn.Dropout))
        before, dropout.p = dropout.p, 0.0
        yield
        dropout.p = before

    def broken(training: Training, context: object) -> Any:
        raise RuntimeError("no such layer\nand more")

    def off(loop: Loop, place: int) -> None:
        loop.dropout.p = 0.0

    assert by_arm(arms.Arm("no dropout", "?", "dropout", without_dropout), adam) == by_hand(adam, off)
    training = Loop(adam).training()
    job = Job(arms.Arm("broken", "?", "broken", broken), 0)
    assert forked(training, training.snapshot(), job, SCENE) == "the fork raised RuntimeError: no such layer"
