"""Trainings whose loss rises for a reason that no arm changes: an answer must name no cause.

    spikecheck diagnose --workload studies.uncaused_worlds:mlp ...

docs/causes.md defines them; it was written before any was diagnosed. The workload mlp with Adam, as
`studies.planted_causes` has it without a cause.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from spikecheck.core.errors import UnknownName
from spikecheck.tensors.seeding import generator_of
from spikecheck.watch.training import Training
from studies.planted_causes import mlp as without_a_cause
from studies.planted_causes import onset_of
from studies.planted_parts import Clock, Window
from workloads.parts import MakeOptimizer

_LENGTH = 20
"""Steps that a rise lasts, where it is not the weights that are displaced."""
_OFFSET = 1.0
"""Added to a loss of about 0.01."""
_DROPPED = 0.6
"""Share of hidden neurons set to zero, in place of 0.1."""
_DISPLACED = 0.5
"""Standard deviation by which each weight is changed, relative."""
_HIGH_IN_FOUR = 3
"""Of four trainings, those whose loss rises by chance."""


@dataclass
class Coin:
    """What chance decided, as a part of the training's state."""

    high: bool = False

    def state_dict(self) -> dict[str, bool]:
        """What was decided last."""
        return {"high": self.high}

    def load_state_dict(self, state: dict[str, bool]) -> None:
        """Go on from there."""
        self.high = state["high"]


@dataclass
class Raised:
    """A training, and the window in which its loss rises."""

    training: Training
    seed: int
    window: Window
    coin: Coin = field(default_factory=Coin)

    @property
    def step(self) -> int:
        """The number of the step that is being made."""
        clock: Clock = self.training.state["clock"]
        return clock.made

    @property
    def now(self) -> bool:
        """Whether it lies in the window."""
        return self.step in self.window


Before = Callable[[Raised], float]
"""Called before a step; returns what is added to the loss that the step reports, without a gradient."""


def mlp(
    make_optimizer: MakeOptimizer | None, seed: int, device: str, *, cause: str = "offset", onset: int = 0
) -> Training:
    """The workload mlp, tiny, whose loss rises for a reason that no arm changes.

    Args:
        make_optimizer: called with the named parameters; None for Adam at rate 0.003.
        seed: of the training, of the step at which the rise begins, and of what it draws.
        device: such as "cpu" or "cuda".
        cause: a name in `WORLDS`.
        onset: step at which the rise begins; 0 for one that the seed draws.
    """
    if cause not in WORLDS:
        raise UnknownName("cause", cause, WORLDS)
    training = without_a_cause(make_optimizer, seed, device)
    raised = Raised(training, seed, Window(onset or onset_of(seed), _LENGTH))

    def step(batch: Any) -> Tensor:
        added = WORLDS[cause](raised)
        loss: Tensor = training._step(batch)
        return loss + added

    return Training(
        step=step,
        batches=training._batches._source,
        state={**training.state, "coin": raised.coin},
        loss=training._loss,
        about={**training.about, "cause": cause, "onset": raised.window.onset},
    )


def _offset(raised: Raised) -> float:
    return _OFFSET if raised.now else 0.0


def _dropout(raised: Raised) -> float:
    for module in raised.training.model.modules():
        if isinstance(module, nn.Dropout):
            module.p = _DROPPED if raised.now else 0.1
    return 0.0


def _displaced(raised: Raised) -> float:
    if raised.step == raised.window.onset:
        generator = generator_of(raised.seed, "displaced")
        with torch.no_grad():
            for weight in raised.training.model.parameters():
                weight.mul_(1.0 + _DISPLACED * torch.randn(weight.shape, generator=generator).to(weight.device))
    return 0.0


def _chance(raised: Raised) -> float:
    if raised.step == raised.window.onset:
        raised.coin.high = _drawn(raised.training.model) < _HIGH_IN_FOUR
    return _OFFSET if raised.now and raised.coin.high else 0.0


def _drawn(model: nn.Module) -> int:
    """0, 1, 2 or 3, by the last bits of the weights: other weights draw anew."""
    weights = next(model.parameters()).detach().cpu().contiguous()
    return hashlib.sha256(weights.numpy().tobytes()).digest()[0] % 4


WORLDS: Mapping[str, Before] = {
    "offset": _offset,
    "dropout": _dropout,
    "displaced": _displaced,
    "chance": _chance,
}
