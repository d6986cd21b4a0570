"""A plain loop, changed by hand at every step: what an arm must do to the bit."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from spikecheck import Training
from spikecheck.why import arms
from spikecheck.why.first_run import run_again
from spikecheck.why.fork import run_fork
from spikecheck.why.scene import Scene

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


def by_arm(arm: arms.Arm, make: Make, scene: Scene = SCENE, *, autocast: bool = False, fork: int = 0) -> list[float]:
    """The same by a fork of the arm, without its nudge; the usual rates and norms are read off the run first."""
    training = Loop(make, autocast=autocast).training()
    training.run(START)
    state = training.snapshot()
    _, usual = run_again(training, state, scene)
    return run_fork(training, state, replace(arm, nudged=False), replace(scene, usual=usual), fork)


def void(value: object) -> None:
    """Forget what a function returns."""


def nothing(loop: Loop, place: int) -> None:
    pass


def adam(parameters: Any) -> torch.optim.Optimizer:
    return torch.optim.Adam(parameters, lr=0.01)


def sgd(parameters: Any) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, lr=0.01, momentum=0.9)
