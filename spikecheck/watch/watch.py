"""Watches a training in any loop; `spikecheck.Watch` adds a live line on a terminal."""

import atexit
import logging
import re
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from platform import python_version
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

import spikecheck
from spikecheck.core.errors import USERS_ERRORS, UsageError, text_of
from spikecheck.core.watched import Header, LayerLook, Look, Step
from spikecheck.watch.digest import digest, on_device
from spikecheck.watch.examiner import Examiner
from spikecheck.watch.hooks import StepHooks, as_numbers, called_by_python, devices_of, names, unwrapped
from spikecheck.watch.layers import Sums
from spikecheck.watch.local_hook import LocalHook
from spikecheck.watch.log import LogWriter
from spikecheck.watch.losses import kept, loss_figures, number, waits
from spikecheck.watch.ranks import Apart, Ranks
from spikecheck.watch.shards import check_shards, forward_is_collective, gathering, reshard
from spikecheck.watch.signals import Signals
from spikecheck.watch.sinks import Sink, sinks
from spikecheck.watch.taking import take
from spikecheck.watch.undisturbed import RandomState, held_generators
from spikecheck.watch.walk import Closure

_UNREAD = 1_000
"""Largest number of losses left unread on an accelerator between looks."""
_LATE = 0.25
"""Seconds after which steps between looks are passed on even if no look is due. Ten passed on at once take a third of the time
that they take one by one, since a training's step in between empties the processor's caches."""
_WITHOUT = 50
"""Steps without one of the optimizer before that is told: a GradScaler skips some twenty at most until its scale fits."""
_NUMBER = re.compile(r"-?\d[\d.]*(e[-+]?\d+)?")
_LOGGER = logging.getLogger("spikecheck.watch")


class QuietWatch:
    """Watches a training in any loop, and never changes or ends it. Warnings go to Python's logging.

    A look, every `every` steps, passes the step's own batch forward once more and measures how the update changed its
    loss. `overshoot` is 1 - change / slope, where the slope is the dot product of gradient and update. At 0 the loss is
    linear along the update; at 1 the step does not lower its batch's loss; above 1 it raises it. For gradient descent
    along an eigendirection of the Hessian it is learning rate x eigenvalue / 2, so that 1 is the stability threshold.

    >>> model = nn.Linear(3, 1)
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    >>> watch = QuietWatch(model, optimizer)
    >>> x, y = torch.randn(8, 3), torch.randn(8, 1)
    >>> for _ in range(3):
    ...     loss = (model(x) - y).square().mean()
    ...     optimizer.zero_grad()
    ...     loss.backward()
    ...     optimizer.step()
    ...     watch.step(loss, lambda: (model(x) - y).square().mean())
    >>> watch.close()

    The training is the same to the last bit with and without Watch. After an error inside Watch it warns once and stops
    watching.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: Optimizer | Sequence[Optimizer],
        *,
        log: str | Path | None = None,
        every: int = 10,
        start: int = 0,
        tensorboard: str | Path | None = None,
        wandb: Any = False,
    ) -> None:
        """Start watching.

        Args:
            model: the module that is trained; it may be compiled or wrapped in DistributedDataParallel.
            optimizer: the optimizer whose `step` the loop calls, or several.
            log: a JSONL file to append to; None for no log. Of several processes only the first writes.
            every: steps between looks, at least 1. A look costs about one forward pass.
            start: the number of the first step; give it when a training is resumed.
            tensorboard: a folder to write TensorBoard events to as well; needs the package tensorboard.
            wandb: True adds the figures to the rows that the loop logs to the current W&B run; a run, as `wandb.init`
                returns it, gets a row a step. Needs the package wandb.

        Raises:
            UsageError: an argument cannot be used.
        """
        self._optimizers = [unwrapped(one) for one in _several(optimizer)]
        _check(model, every, start)
        self._model, self._every, self._step = model, every, start
        self._names = names(model, self._optimizers)
        check_shards(model)
        self._ranks = Ranks()
        devices, generators = devices_of(model), held_generators(model)
        masks = RandomState(devices, generators)
        self._examiner = Examiner(
            model, devices, masks, generators=generators, ranks=self._ranks, gathering=gathering(model)
        )
        self._unread: list[tuple[dict[str, Any], Any, tuple[Any, ...]]] = []
        """Fields of the steps that were not passed on, their losses, and their learning rates."""
        self._began = self._read_at = time.monotonic()
        self._sinks: list[Sink] = [] if self._ranks.rank else sinks(tensorboard, wandb=wandb)
        self._signals = Signals()
        self._writer = self._open(log)
        self._stopped = self._paused = self._owed = self._ever_stepped = False
        self._began_at = start
        self._told: set[str] = set()
        self._hooks = [StepHooks(one, self._is_due, self._guarded) for one in self._optimizers]
        self._forward_hooks: list[Any] = []
        self._forward_seen = False
        self._guarded(self._expect)()
        self._guarded(self._check_log)()
        atexit.register(_close, weakref.ref(self))

    def step(self, loss: Tensor | float, closure: Closure | None = None, *, batch: Any = None) -> None:
        """Record a step; call it after `optimizer.step()`.

        Args:
            loss: the loss of this step's batch at the parameters before the step: one number.
            closure: recomputes that loss, for the same batch and in the same mode. It is called only at looks, without
                gradients. Without it no overshoot is measured.
            batch: the batch, whose digest is logged, or a name for it.
        """
        self._guarded(self._note)(loss, closure, batch)

    def close(self) -> None:
        """Write what is left and take the hooks away; the training may go on."""
        self._guarded(self._read_last)()
        self._stop()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Not watch the steps made in the body of the `with` block, after which the training must be where it was."""
        self._guarded(self._read)()
        self._paused = True
        self._forget()
        try:
            yield
        finally:
            self._forget()
            self._paused = False
            self._guarded(self._expect)()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # The following methods are called through `_guarded` only.

    def _note(self, loss: Tensor | float, closure: Closure | None, batch: Any) -> None:
        due = self._is_due()
        look = self._look(loss, closure) if due else None
        stepped = any(hooks.stepped for hooks in self._hooks)
        self._owed = due and not stepped
        lr = tuple(rate for hooks in self._hooks for rate in hooks.lr)
        now = time.monotonic()
        fields = {
            "step": self._step,
            "skipped": not stepped,
            "batch": None if batch is None or (on_device(batch) and not due) else digest(batch),
            "seconds": round(now - self._began, 3),
            "look": look,
        }
        self._unread.append((fields, kept(loss), lr))
        self._check_steps(stepped)
        if due or len(self._unread) >= _UNREAD or (self._reads_between(now) and not waits(loss)):
            self._read()
        self._forget()
        self._step += 1
        self._forward_seen = False
        self._expect()

    def _forget(self) -> None:
        for hooks in self._hooks:
            hooks.forget()

    def _expect(self) -> None:
        """If the next step is due for a look, save the random state and register hooks before its passes."""
        if self._is_due():
            self._examiner.masks = self._random_state()
            for hooks in self._hooks:
                hooks.expect()

    def _look(self, loss: Tensor | float, closure: Closure | None) -> Look | None:
        """A look at the step just made; None where the optimizer made none."""
        reshard(self._examiner.gathering)
        stepped = sorted((hooks for hooks in self._hooks if hooks.segment is not None and hooks.stepped), key=_turn)
        sums = [one for hooks in stepped if (one := hooks.sums()) is not None]
        self._ranks.begin(self._step, closure is not None, sum(len(one.sizes) for one in sums))
        if self._ranks.size > 1 and not self._ranks.together and forward_is_collective(self._model):
            raise UsageError(
                "a forward pass of this model needs all processes: give each a Watch, with the same every and start"
            )
        if not sums:
            return None
        self._names = names(self._model, self._optimizers)  # raises where the model was rebuilt
        before, taken = take(self._ranks, number(loss), stepped, sums)
        self._examiner.masks_known = self._forward_seen
        self._examiner.trust.averaged = self._ranks.size > 1 and not self._ranks.together
        look = self._examiner.look(before, closure, taken)
        if self._examiner.draws_own_masks and not self._forward_hooks:
            self._watch_forward()  # from the next look on, the random state is the right one
        elif self._examiner.trust.obstacle:
            self._tell(f"no overshoot can be given: {self._examiner.trust.obstacle}")
        return look.model_copy(update={"layers": self._layers(taken.sums, stepped)})

    def _layers(self, sums: Sums, stepped: Sequence[StepHooks]) -> dict[str, LayerLook]:
        """Figures of each parameter tensor, by name."""
        labels = [self._names.get(id(parameter)) for hooks in stepped for parameter in hooks.parameters()]
        return sums.looks(labels)

    def _watch_forward(self) -> None:
        """Read the random state at the start of the training's forward pass: loading data may use it between steps.

        A loop may call a method of the model, so the pass starts in whichever of its modules is called first.
        """
        hook = LocalHook(self._guarded(self._note_masks))
        self._forward_hooks = [one.register_forward_pre_hook(hook) for one in called_by_python(self._model)]

    def _note_masks(self) -> None:
        if self._is_due() and not self._forward_seen and self._model.training and torch.is_grad_enabled():
            self._forward_seen = True
            self._examiner.masks = self._random_state()

    def _random_state(self) -> RandomState:
        return RandomState(self._examiner.devices, self._examiner.generators)

    def _reads_between(self, now: float) -> bool:
        """Whether losses that wait for no device are passed on between looks: to a sink at every step, else after a while."""
        return not self._ranks.together and (bool(self._sinks) or now - self._read_at >= _LATE)

    def _read(self) -> None:
        """Bring the losses of the steps since the last look here, and pass the steps on."""
        losses = [number(loss) for _, loss, _ in self._unread]
        try:
            joint = self._ranks.joint(losses).means
        except Apart:
            joint = losses
        self._pass_on(joint, self._ranks.size if self._ranks.together else 1)

    def _read_last(self) -> None:
        """As `_read`, at the end."""
        losses = [number(loss) for _, loss, _ in self._unread]
        joint = self._ranks.last(losses)
        self._pass_on(losses if joint is None else joint, 1 if joint is None else self._ranks.size)

    def _pass_on(self, losses: Sequence[float], processes: int) -> None:
        unread, self._unread = self._unread, []
        self._read_at = time.monotonic()
        for loss, (fields, _, lr) in zip(losses, unread, strict=True):
            known = Step(**fields, lr=as_numbers(lr), processes=processes, **loss_figures(loss))
            if self._writer is not None:
                self._writer.write(known)
            for sink in self._sinks:
                sink.step(known)
            for warned in self._signals.take(known):
                self._warn(warned.says, known.step)

    def _is_due(self) -> bool:
        return not (self._stopped or self._paused) and (self._owed or self._step % self._every == 0)

    def _check_log(self) -> None:
        if self._writer is not None and self._writer.shared:
            self._tell("another Watch writes to the same log, and of two steps with one number the later counts; close it, "
                       "or give each a log of its own")  # fmt: skip

    def _check_steps(self, stepped: bool) -> None:
        """Warn where the optimizer's step was never called, as where another one's is."""
        self._ever_stepped = self._ever_stepped or stepped
        if not self._ever_stepped and self._step - self._began_at == _WITHOUT:
            which = " and ".join(type(hooks.optimizer).__name__ for hooks in self._hooks)
            self._tell(
                f"in {_WITHOUT} steps {which}.step() was not called, so nothing was measured; give Watch the optimizer whose "
                "step() your loop calls, and call watch.step after it"
            )

    def _open(self, log: str | Path | None) -> LogWriter | None:
        if log is None or self._ranks.rank:
            return None
        numbers = sum(p.numel() for o in self._optimizers for g in o.param_groups for p in g["params"])
        header = Header(
            versions={"spikecheck": spikecheck.__version__, "torch": torch.__version__, "python": python_version()},
            model=type(self._model).__name__,
            optimizer=" and ".join(type(one).__name__ for one in self._optimizers),
            parameters=numbers,
            every=self._every,
            started=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        return LogWriter(Path(log), header)

    def _guarded(self, work: Callable[..., None]) -> Callable[..., None]:
        """Wrap a method so that an error in it warns once and stops watching, but not the training."""

        def guarded(*arguments: Any) -> None:
            if self._stopped:
                return
            try:
                work(*arguments)
            except USERS_ERRORS as error:
                with suppress(Exception):  # the warning itself may fail, for instance on a closed stream
                    self._tell(f"watching stops, the training goes on: {type(error).__name__}: {text_of(error)}")
                self._stop()

        return guarded

    def _tell(self, message: str) -> None:
        """Warn once for each kind of message; numbers in it do not count."""
        kind = _NUMBER.sub("", message)
        if kind not in self._told:
            self._told.add(kind)
            self._warn(message, self._step)

    def _warn(self, message: str, step: int) -> None:
        """Where warnings go; of several processes only the first warns."""
        if not self._ranks.rank:
            _LOGGER.warning("step %d: %s", step, message)

    def _stop(self) -> None:
        self._stopped = True
        self._ranks.part("")
        for hooks in self._hooks:
            hooks.remove()
        for hook in self._forward_hooks:
            hook.remove()
        self._unread.clear()
        for sink in self._sinks:
            with suppress(Exception):  # one that failed may fail again
                sink.close()
        self._sinks = []
        if self._writer is not None:
            writer, self._writer = self._writer, None
            writer.close()


def _turn(hooks: StepHooks) -> int:
    return hooks.turn


def _several(optimizer: Any) -> list[Any]:
    return list(optimizer) if isinstance(optimizer, Iterable) else [optimizer]


def _check(model: object, every: Any, start: Any) -> None:
    if not isinstance(model, nn.Module):
        raise UsageError(f"model={type(model).__name__}: is no torch.nn.Module")
    for name, value, least in (("every", every, 1), ("start", start, 0)):
        if not isinstance(value, int) or value < least:
            raise UsageError(f"{name}={value!r}: give a whole number of at least {least}")


def _close(watch: "weakref.ref[QuietWatch]") -> None:
    alive = watch()
    if alive is not None:
        alive.close()
