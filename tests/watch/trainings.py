"""Small trainings in ordinary loops, each with what a Watch could disturb."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import SGD, AdamW, Optimizer

from spikecheck import Training, Watch


def plain() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1))


def dropout() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 16), nn.Dropout(0.3), nn.Tanh(), nn.Linear(16, 1))


def batch_norm() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.Tanh(), nn.Linear(16, 1))


class Sampled(nn.Module):
    """Draws from NumPy's and Python's generators, counts its passes in a buffer that it replaces."""

    def __init__(self) -> None:
        super().__init__()
        self.body = plain()
        self.passes: Tensor
        self.register_buffer("passes", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        self.passes = self.passes + 1
        return self.body(x + 0.01 * float(np.random.rand()) + 0.01 * random.random())  # noqa: NPY002


class DrawsItself(nn.Module):
    """Draws from generators of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.body = plain()
        self.of_torch = torch.Generator().manual_seed(1)
        self.of_numpy, self.of_python = np.random.default_rng(1), random.Random(1)
        self.old = np.random.RandomState(1)

    def forward(self, x: Tensor) -> Tensor:
        drawn = (
            float(torch.rand((), generator=self.of_torch))
            + self.of_numpy.random()
            + self.of_python.random()
            + self.old.rand()
        )
        return self.body(x + 0.01 * drawn)


@dataclass
class Loop:
    """A loop over drawn batches; `clip`, `accumulate`, `schedule` and `closure` are what loops do besides."""

    model: Callable[[], nn.Module] = plain
    optimizer: Callable[[Any], Optimizer] = lambda p: SGD(p, lr=0.05, momentum=0.9)
    clip: float | None = None
    accumulate: int = 1
    schedule: bool = False
    closure: bool = False
    compiled: bool = False
    scaled: bool = False
    """Whether a gradient scaler steps, which skips steps until its scale no longer overflows."""
    drawn: bool = False
    """Whether batches are drawn from the global generator, within the step."""

    def run(self, steps: int, **options: Any) -> tuple[list[Any], Watch | None]:
        """Train; everything that a Watch could disturb, and the Watch if `options` were given."""
        for seed in (torch.manual_seed, np.random.seed, random.seed):
            seed(0)
        model = self.model()
        trained: Any = torch.compile(model) if self.compiled else model
        optimizer = self.optimizer(model.parameters())
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 5, 0.5) if self.schedule else None
        watch = Watch(trained, optimizer, show=False, **options) if options else None
        generator = torch.Generator().manual_seed(1)
        losses = []
        weight = 64.0 if self.scaled else 1.0  # so that the first scales overflow
        scaler = torch.amp.GradScaler("cpu", init_scale=2.0**127, enabled=self.scaled)
        for _ in range(steps):
            batches = [self._batch(generator) for _ in range(self.accumulate)]

            def loss_of(batches: list[tuple[Tensor, Tensor]] = batches) -> Tensor:
                return torch.stack([(trained(x) - y).square().mean() for x, y in batches]).mean() * weight

            loss = self._step(optimizer, model, loss_of, scaler)
            if watch is not None:
                watch.step(loss, loss_of, batch=batches)
            if scheduler is not None:
                scheduler.step()
            losses.append(float(loss.detach()))
        state: list[Any] = [
            losses,
            model.state_dict(),
            optimizer.state_dict(),
            torch.get_rng_state(),
            random.getstate(),
        ]
        numpys: Any = np.random.get_state()  # noqa: NPY002
        state += [numpys[1:], [module.training for module in model.modules()]]
        if watch is not None:
            watch.close()
        state += [len(optimizer._optimizer_step_pre_hooks), [len(m._forward_pre_hooks) for m in trained.modules()]]
        return state, watch

    def _batch(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        x = torch.randn(32, 4, generator=None if self.drawn else generator)
        return x, x.sin().sum(1, keepdim=True)

    def _step(self, optimizer: Optimizer, model: nn.Module, loss_of: Callable[[], Tensor], scaler: Any) -> Tensor:
        def backward() -> Tensor:
            optimizer.zero_grad()
            loss = loss_of()
            scaler.scale(loss).backward()
            if self.clip is not None:
                nn.utils.clip_grad_norm_(model.parameters(), self.clip)
            return loss

        if self.closure:
            return optimizer.step(backward)  # type: ignore[arg-type, return-value]
        loss = backward()
        scaler.step(optimizer)
        scaler.update()
        return loss


LOOPS = {
    "sgd": Loop(),
    "adamw": Loop(optimizer=lambda p: AdamW(p, lr=0.01)),
    "dropout": Loop(dropout),
    "dropout, drawn batches": Loop(dropout, drawn=True),
    "batch norm": Loop(batch_norm),
    "other generators": Loop(Sampled),
    "generators of its own": Loop(DrawsItself),
    "clipped": Loop(clip=0.05),
    "accumulated": Loop(dropout, accumulate=3),
    "scheduled": Loop(schedule=True),
    "closure": Loop(closure=True),
    "lbfgs": Loop(closure=True, optimizer=lambda p: torch.optim.LBFGS(p, lr=0.1, max_iter=3)),
    "scaled": Loop(scaled=True, optimizer=lambda p: SGD(p, lr=0.05 / 64, momentum=0.9)),
    "bfloat16": Loop(lambda: plain().bfloat16(), optimizer=lambda p: SGD(p, lr=0.05)),
}


def equal(one: Any, other: Any) -> bool:
    """To the last bit, NaN included."""
    if isinstance(one, Tensor):
        return one.dtype == other.dtype and bool(torch.equal(one.nan_to_num(), other.nan_to_num()))
    if isinstance(one, np.ndarray):
        return bool(np.array_equal(one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    return bool(one == other)


def simple(**changes: Any) -> Training:
    """A net with batch normalisation and dropout on fixed batches, gradients kept between steps; parts may be replaced."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

    def step(x: Tensor) -> Tensor:
        loss = model(x).square().mean()
        loss.backward()
        optimizer.step()
        for parameter in model.parameters():
            assert parameter.grad is not None
            parameter.grad.mul_(0.9)  # carried over to the next step
        return loss

    parts = {
        "step": step,
        "batches": list(torch.randn(5, 4, 3).unbind()),
        "state": {"model": model, "optimizer": optimizer},
    }
    return Training(**{**parts, **changes})


def watched_loop(steps: int, watch: Watch, model: Any, optimizer: Any, closure: Any, early: bool = False) -> None:
    """Train on random batches; `closure` computes the loss of a look, and `early` watches before the optimizer steps."""
    generator = torch.Generator().manual_seed(0)
    for _ in range(steps):
        x = torch.randn(16, 4, generator=generator)
        loss = (model(x) - 1.0).square().mean()
        optimizer.zero_grad()
        loss.backward()
        for call in (watch.step, optimizer.step) if early else (optimizer.step, watch.step):
            call(*((loss, lambda x=x: closure(model, x)) if call == watch.step else ()))


def squared_error(model: Any, x: Tensor) -> Tensor:
    """The loss of `watched_loop`, as a correct closure computes it."""
    return (model(x) - 1.0).square().mean()
