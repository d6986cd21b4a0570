"""A user's own training as a value: one step at a time, with states that can be copied and returned to.

    training = Training(
        step=train_step,          # one step on one batch; returns the batch's loss
        batches=loader,
        state={"model": model, "optimizer": optimizer, "scheduler": scheduler},
        loss=loss_of,             # the loss of a batch, for what is measured besides
    )

What `step` does inside is the user's: mixed precision, accumulation, clipping, schedules, dropout. A training replays bit
for bit when all that it changes is in `state`, in `batches`, or in the global random generators; `replay.first_unreplayed`
says whether.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from spikecheck.core.errors import UsageError
from spikecheck.tensors.random_state import RandomState, random_state, set_random_state
from spikecheck.watch.batches import BatchCursor
from spikecheck.watch.holdings import check_holdings, copied, put_back

_HELD_BACK = 256
"""Losses that stay on their device before they are read together: reading one waits for the accelerator."""


@dataclass(frozen=True)
class Step:
    """One step that was made, as an observer sees it."""

    number: int
    """Of this step, from 0."""
    batch: Any
    loss: Tensor | float
    """As the training's `step` returned it: mostly the batch's loss before the update."""
    random: RandomState
    """The random state in which the step began, so that dropout can draw the same masks again."""


Observer = Callable[[Step], None]
"""Called after every step. What it draws from the global generators changes the training, unless it puts them back."""


@dataclass(frozen=True)
class Snapshot:
    """A training's state between two steps. Nothing in it changes when the training goes on."""

    steps: int
    """Steps made before it."""
    values: Mapping[str, Any]


class Training:
    """A training that can be run, copied, and returned to an earlier state.

    >>> weight = torch.nn.Linear(1, 1)
    >>> sgd = torch.optim.SGD(weight.parameters(), lr=0.1)
    >>> def step(x):
    ...     sgd.zero_grad()
    ...     loss = (weight(x) - 1).square().mean()
    ...     loss.backward()
    ...     sgd.step()
    ...     return loss
    >>> training = Training(step=step, batches=[torch.ones(2, 1)], state={"model": weight, "optimizer": sgd})
    >>> before = training.snapshot()
    >>> losses = training.run(3)
    >>> training.restore(before)
    >>> training.run(3) == losses
    True
    """

    def __init__(
        self,
        *,
        step: Callable[[Any], Tensor | float],
        batches: Any,
        state: Mapping[str, Any],
        loss: Callable[[Any], Tensor] | None = None,
        about: Mapping[str, str | int | float] | None = None,
    ) -> None:
        """Describe a training.

        Args:
            step: makes one step on one batch, and returns the batch's loss: a tensor of one number, or a number.
            batches: a list, a DataLoader, a function that returns a new iterator for every epoch, or an object with
                `state_dict` and `load_state_dict`. Started anew after its last batch.
            state: everything that a step changes, by name: modules, optimizers, schedulers, GradScalers, random generators,
                and objects of yours with `state_dict` and `load_state_dict`.
            loss: the loss of a batch as a differentiable tensor, at the present parameters; needed for curvature and for
                watching alone.
            about: what a record of this training should say besides, such as a digest of its data.

        Raises:
            UsageError: when an argument cannot be used; the message names it.
        """
        for name, function in (("step", step), ("loss", loss)):
            if not callable(function) and not (name == "loss" and function is None):
                raise UsageError(f"{name}={function!r}: is not callable; give a function of one batch")
        if not state:
            raise UsageError("state={}: holds nothing; give at least the model and the optimizer, by name")
        check_holdings(state)
        for name, value in (about or {}).items():
            if not isinstance(value, str | int | float):
                raise UsageError(f"about[{name!r}]={value!r}: is a {type(value).__name__}; give text or a number")
        self.state, self.about = dict(state), dict(about or {})
        self._step: Callable[[Any], Any] = step
        self._loss = loss
        self._batches = BatchCursor(batches)
        self._made = 0

    @property
    def steps(self) -> int:
        """Steps made so far."""
        return self._made

    @property
    def model(self) -> torch.nn.Module:
        """The only module in the state, or the one called "model".

        Raises:
            UsageError: when there is none, or it is not clear which.
        """
        model: torch.nn.Module = self._only("model", torch.nn.Module)
        return model

    @property
    def optimizer(self) -> torch.optim.Optimizer:
        """The only optimizer in the state, or the one called "optimizer"; raises as `model`."""
        optimizer: torch.optim.Optimizer = self._only("optimizer", torch.optim.Optimizer)
        return optimizer

    def loss(self, batch: Any) -> Tensor:
        """The loss of a batch at the present parameters.

        Raises:
            UsageError: when the training was described without a `loss`.
        """
        if self._loss is None:
            raise UsageError("loss=None: this training does not say how a batch's loss is computed; give loss=FUNCTION")
        return self._loss(batch)

    @property
    def gives_loss(self) -> bool:
        """Whether it says how the loss of a batch is computed."""
        return self._loss is not None

    def epoch(self, most: int) -> list[Any]:
        """Take the next batches from the source, up to the end of its epoch and at most so many; no step is made on them.

        Raises:
            UsageError: when there is none.
        """
        return self._batches.epoch(most)

    def run(self, steps: int, observe: Observer | None = None) -> list[float]:
        """Make so many steps; the losses that they returned.

        Raises:
            UsageError: when a step returns no loss, or there is no batch. What `step` raises is not caught.
        """
        losses: list[float] = []
        pending: list[Tensor | float] = []
        for _ in range(steps):
            loss = self._one(observe)
            pending.append(loss.detach() if isinstance(loss, Tensor) else loss)
            if len(pending) == _HELD_BACK:
                losses += _numbers(pending)
        return losses + _numbers(pending)

    def snapshot(self) -> Snapshot:
        """A copy of everything the training holds, on the CPU."""
        values = {
            "state": {name: copied(part) for name, part in self.state.items()},
            "batches": self._batches.position(),
            "random": random_state(),
        }
        return Snapshot(self._made, values)

    def restore(self, snapshot: Snapshot) -> None:
        """Return to a state that this training, or another made in the same way, was in."""
        for name, part in self.state.items():
            put_back(part, snapshot.values["state"][name])
        self._batches.go_to(snapshot.values["batches"])
        set_random_state(snapshot.values["random"])
        self._made = snapshot.steps

    def _one(self, observe: Observer | None) -> Tensor | float:
        batch = self._batches.next()
        before = None if observe is None else random_state()
        loss: Tensor | float = _checked(self._step(batch), self._step)
        number, self._made = self._made, self._made + 1
        if observe is not None and before is not None:
            observe(Step(number, batch, loss, before))
        return loss

    def _only(self, name: str, kind: type[Any]) -> Any:
        known = {key: part for key, part in self.state.items() if isinstance(part, kind)}
        if name in known or len(known) == 1:
            return known[name if name in known else next(iter(known))]
        raise UsageError(f"state={sorted(self.state)}: which is the {name}? call one of them {name!r}")


def _numbers(pending: list[Tensor | float]) -> list[float]:
    """Read them, and forget them: one that is on an accelerator is waited for, so the last is read first."""
    numbers = [float(loss) for loss in reversed(pending)]
    pending.clear()
    return numbers[::-1]


def _checked(loss: Any, step: Callable[..., Any]) -> Any:
    """What a step returned, if that is one number."""
    if isinstance(loss, float | int) or (isinstance(loss, Tensor) and loss.numel() == 1):
        return loss
    what = f"a tensor of shape {list(loss.shape)}" if isinstance(loss, Tensor) else repr(loss)
    raise UsageError(f"step={_called(step)}: returned {what}; return the batch's loss, one number")


def _called(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", None) or repr(function)
