"""Small trainings whose spike has a known cause, as workloads that worker processes find."""

import math
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

import torch
from torch import Tensor, nn

from spikecheck.tensors.seeding import generator_of
from spikecheck.watch.batches import NumberedBatches
from spikecheck.watch.training import Training
from workloads.gpt import gpt

AT, EARLY, LASTS = 400, 45, 6
"""The plant's first step, that of an early one, and how many steps it lasts."""
KICK = 100.0
"""Times itself, for a momentum that is kicked."""
Batch = tuple[Tensor, Tensor]


def planted(
    make_optimizer: Callable[[Iterable[Any]], torch.optim.Optimizer] | None,
    seed: int,
    device: str,
    *,
    plant: str = "nothing",
    noise: float = 0.0,
) -> Training:
    """A small net that learns a fixed random function of noisy points, under Adam.

    `plant` is "nothing", "batches" (labels of six batches drawn at random, far too large), "early" (the same at once),
    "batch" (of one batch), "rate" (times 100 for six steps), "momentum" (100 times itself, once), or "counter" (weights
    times -2 when this object has made so many steps, which no state holds).
    `noise` is drawn outside every generator that a training puts back.
    """
    torch.manual_seed(seed)
    teacher = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 1))
    first = nn.Linear(8, 32)
    model = nn.Sequential(first, nn.Tanh(), nn.Linear(32, 1))
    optimizer = (make_optimizer or (lambda p: torch.optim.Adam(p, lr=3e-3)))(model.parameters())
    jump = 100.0 if plant == "rate" else 1.0
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: jump if AT <= step < AT + LASTS else 1.0)
    unseeded = torch.Generator()
    unseeded.seed()
    made = count(1)

    def drawn(number: int) -> Batch:
        generator = generator_of(seed, "planted", number)
        x = torch.randn(32, 8, generator=generator)
        with torch.no_grad():
            y = teacher(x) + 0.3 * torch.randn(32, 1, generator=generator)
        begins, lasts = {"batches": (AT, LASTS), "early": (EARLY, LASTS), "batch": (AT, 1)}.get(plant, (math.inf, 0))
        bad = begins <= number < begins + lasts
        return x, 5.0 * torch.randn(32, 1, generator=generator) if bad else y

    def loss_of(batch: Batch) -> Tensor:
        x, y = batch
        if noise:
            x = x + noise * torch.randn(x.shape, generator=unseeded)
        return (model(x) - y).square().mean()

    def step(batch: Batch) -> Tensor:
        optimizer.zero_grad()
        if next(made) == AT and plant == "counter":
            with torch.no_grad():
                first.weight.mul_(-2.0)
        loss = loss_of(batch)
        loss.backward()
        if plant == "momentum" and scheduler.last_epoch == AT:
            for slots in optimizer.state.values():
                slots["exp_avg"].mul_(KICK)
        optimizer.step()
        scheduler.step()
        return loss

    return Training(
        step=step,
        batches=NumberedBatches(drawn),
        state={"model": model, "optimizer": optimizer, "scheduler": scheduler},
        loss=loss_of,
    )


def gpt_with_jump(make_optimizer: Any, seed: int, device: str, *, size: str = "tiny", steps: int = 800) -> Training:
    """The workload gpt, its rate 30 times as high for ten steps in the middle."""
    training = gpt(make_optimizer, seed, device, size=size, steps=steps)
    scheduler, middle = training.state["scheduler"], steps // 2
    (usual,) = scheduler.lr_lambdas
    scheduler.lr_lambdas = [lambda step: usual(step) * (30.0 if middle <= step < middle + 10 else 1.0)]
    return training
