"""Forks where they run: what an arm that cannot be used says."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from spikecheck import Training
from spikecheck.why import arms
from spikecheck.why.executors import Job, forked
from spikecheck.why.scene import Usual
from tests.why.loops import SCENE, START, Loop, Make, adam, by_arm, by_hand, sgd


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
    assert forked(training, training.snapshot(), job, SCENE) == "a fork with it raised RuntimeError: no such layer"
