"""A user's own training as an object that can be run step by step, copied and restored.

    training = Training(
        step=train_step,          # one step on one batch; returns the batch's loss
        batches=loader,
        state={"model": model, "optimizer": optimizer, "scheduler": scheduler},
        loss=loss_of,             # the loss of a batch, for measurements
    )

`step` may use mixed precision, accumulation, clipping, schedules or dropout. A training replays bit for bit if everything
that it changes is in `state`, in `batches`, or in the global random generators; `replay.first_unreplayed` checks this.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from spikecheck.core.errors import USERS_ERRORS, SpikecheckError, UsageError
from spikecheck.tensors.random_state import RandomState, random_state, set_random_state
from spikecheck.watch.batches import BatchCursor
from spikecheck.watch.holdings import check_holdings, copied, put_back, reason_of

_HELD_BACK = 256
"""Losses that stay on their device and are read together, because reading one waits for the accelerator."""


@dataclass(frozen=True)
class Step:
    """One finished step, as an observer receives it."""

    number: int
    """Number of this step, from 0."""
    batch: Any
    loss: Tensor | float
    """Returned by the training's `step`: usually the batch's loss before the update."""
    random: RandomState
    """The random state before the step, with which dropout draws the same masks again; empty where it is not needed."""


Choose = Callable[[int, Callable[[], Any]], Any]
"""Called with a step's number and a function that draws the next batch; returns the batch that the step is made with."""
Observer = Callable[[Step], None]
"""Called after every step. It must restore the global generators if it uses them; otherwise it changes the training. One
whose attribute `needs_random_state` is False gets steps without the random state, which takes 0.05 to 0.1 ms to read."""


@dataclass(frozen=True)
class Snapshot:
    """A training's state between two steps, independent of the running training."""

    steps: int
    """Number of steps made before it."""
    values: Mapping[str, Any]


class Training:
    """A training that can be run, copied, and restored to an earlier state.

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
                `state_dict` and `load_state_dict`. It restarts after its last batch.
            state: everything that a step changes, by name: modules, optimizers, schedulers, GradScalers, random generators,
                and objects of yours with `state_dict` and `load_state_dict`.
            loss: the loss of a batch as a differentiable tensor, at the current parameters; needed only for curvature and
                watching.
            about: further facts to record with this training, such as a digest of its data.

        Raises:
            UsageError: an argument cannot be used; the message names it.
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
        self._choose: Choose = _next_batch
        self._made = 0

    @property
    def steps(self) -> int:
        """Steps made so far."""
        return self._made

    @property
    def model(self) -> torch.nn.Module:
        """The only module in the state, or the one called "model".

        Raises:
            UsageError: there is none, or several and none is called "model".
        """
        model: torch.nn.Module = self._only("model", torch.nn.Module)
        return model

    @property
    def optimizer(self) -> torch.optim.Optimizer:
        """The only optimizer in the state, or the one called "optimizer"; raises like `model`."""
        optimizer: torch.optim.Optimizer = self._only("optimizer", torch.optim.Optimizer)
        return optimizer

    @property
    def has_loss(self) -> bool:
        """Whether the training was described with a `loss`."""
        return self._loss is not None

    def loss(self, batch: Any) -> Tensor:
        """The loss of a batch at the current parameters.

        Raises:
            UsageError: the training was created without `loss`.
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
        """Make steps, and return their losses.

        Args:
            steps: number of steps.
            observe: called after every step.

        Raises:
            UsageError: a step returns no loss, or there is no batch. Exceptions of `step` are not caught.
        """
        losses: list[float] = []
        pending: list[Tensor | float] = []
        for _ in range(steps):
            loss = self._one(observe)
            pending.append(loss.detach() if isinstance(loss, Tensor) else loss)
            if len(pending) == _HELD_BACK:
                losses += _numbers(pending)
        return losses + _numbers(pending)

    @contextmanager
    def batches_chosen(self, choose: Choose) -> Iterator[None]:
        """Inside, every step is made with the batch that `choose` returns: one that it draws, or any other."""
        before, self._choose = self._choose, choose
        try:
            yield
        finally:
            self._choose = before

    def snapshot(self) -> Snapshot:
        """Copy the training's whole state to the CPU."""
        values = {
            "state": {name: copied(part) for name, part in self.state.items()},
            "batches": self._batches.position(),
            "random": random_state(),
        }
        return Snapshot(self._made, values)

    def restore(self, snapshot: Snapshot) -> None:
        """Restore a snapshot of this training, or of another created in the same way.

        Raises:
            UsageError: a part refuses the state; the part's own exception is its cause.
        """
        for name, part in self.state.items():
            with _refusing(f"state[{name!r}]"):
                put_back(part, snapshot.values["state"][name])
        with _refusing("batches"):
            self._batches.go_to(snapshot.values["batches"])
        set_random_state(snapshot.values["random"])
        self._made = snapshot.steps

    def _one(self, observe: Observer | None) -> Tensor | float:
        batch = self._choose(self._made, self._batches.next)
        before = random_state() if getattr(observe, "needs_random_state", observe is not None) else {}
        loss: Tensor | float = _checked(self._step(batch), self._step)
        number, self._made = self._made, self._made + 1
        if observe is not None:
            observe(Step(number, batch, loss, before))
        return loss

    def _only(self, name: str, kind: type[Any]) -> Any:
        known = {key: part for key, part in self.state.items() if isinstance(part, kind)}
        if name in known or len(known) == 1:
            return known[name if name in known else next(iter(known))]
        raise UsageError(f"state={sorted(self.state)}: which is the {name}? call one of them {name!r}")


def _next_batch(step: int, draw: Callable[[], Any]) -> Any:
    return draw()


def _numbers(pending: list[Tensor | float]) -> list[float]:
    """Read and clear the pending losses. The last is read first, so that only this one waits for the accelerator."""
    numbers = [float(loss) for loss in reversed(pending)]
    pending.clear()
    return numbers[::-1]


def _checked(loss: Any, step: Callable[..., Any]) -> Any:
    """Check that a step returned one number."""
    if isinstance(loss, float | int) or (isinstance(loss, Tensor) and loss.numel() == 1):
        return loss
    what = f"a tensor of shape {list(loss.shape)}" if isinstance(loss, Tensor) else repr(loss)
    raise UsageError(f"step={_called(step)}: returned {what}; return the batch's loss, one number")


@contextmanager
def _refusing(name: str) -> Iterator[None]:
    """An exception of a part that is put back becomes a UsageError that names it."""
    try:
        yield
    except SpikecheckError:
        raise
    except USERS_ERRORS as error:
        raise UsageError(
            f"{name}: cannot be put back: {reason_of(error)}; its load_state_dict must take what its state_dict returns"
        ) from error


def _called(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", None) or repr(function)
