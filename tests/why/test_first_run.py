"""The first run made once more: its losses, and what was usual before the onset."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from spikecheck import Training
from spikecheck.why.first_run import first_difference, run_again
from tests.why.loops import SCENE, START, STEPS, Loop

RATE = 0.05


@pytest.mark.parametrize(
    ("losses", "others", "place"),
    [
        ([1.0, 2.0], [1.0, 2.0], None),
        ([1.0, 2.0], [1.0, math.nextafter(2.0, 3.0)], 1),
        ([math.nan, 2.0], [math.nan, 2.0], None),
        ([0.0], [-0.0], 0),
    ],
)
def test_losses_are_compared_bit_by_bit(losses: list[float], others: list[float], place: int | None) -> None:
    assert first_difference(losses, others) == place


def test_the_losses_come_again_and_what_was_usual_is_that_of_a_plain_loop() -> None:
    """The schedule of `Loop` multiplies the rate by 10 in four of the sixteen steps before the onset."""
    training = Loop(lambda p: torch.optim.SGD(p, lr=RATE)).training()
    training.run(START)
    state = training.snapshot()
    first = training.run(STEPS)
    again, usual = run_again(training, state, SCENE)
    assert again == first

    loop, norms, rates = Loop(lambda p: torch.optim.SGD(p, lr=RATE)), list[float](), list[float]()

    def note() -> None:
        gradients = [p.grad for p in loop.model.parameters() if p.grad is not None]
        norms.append(float(np.sqrt(sum(float(g.double().square().sum()) for g in gradients))))
        rates.append(loop.optimizer.param_groups[0]["lr"])

    loop.before = note
    for batch in loop.batches[: START + STEPS]:
        loop.step(batch)
    before = slice(START, SCENE.onset)
    assert [list(group) for group in usual.rates] == [pytest.approx([np.median(rates[before])])]
    assert usual.rate_varies == pytest.approx(9.0)
    assert usual.norms == pytest.approx((np.median(norms[before]),), rel=1e-5)
    assert usual.norm_exceeds == pytest.approx(max(norms[START:]) / np.median(norms[before]) - 1.0, rel=1e-4)
    assert not usual.autocast


def test_autocast_is_noticed() -> None:
    training = Loop(lambda p: torch.optim.SGD(p, lr=RATE), autocast=True).training()
    training.run(START)
    assert run_again(training, training.snapshot(), SCENE)[1].autocast


def test_nothing_is_usual_of_an_optimizer_that_makes_no_step() -> None:
    loop = Loop(lambda p: torch.optim.SGD(p, lr=RATE))
    idle = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    state = {"model": loop.model, "optimizer": loop.optimizer, "scheduler": loop.scheduler, "idle": idle}
    training = Training(step=loop.step, batches=loop.batches, state=state, loss=loop.loss_of)
    training.run(START)
    usual = run_again(training, training.snapshot(), replace(SCENE, end=START + 2))[1]
    assert (usual.rates, usual.norms, usual.rate_varies) == ((), (), 0.0)
