"""The overshoot of the last tenth of a training, measured while it is made; no bit of the training changes."""

from collections.abc import Callable, Sequence
from contextlib import suppress

from torch.optim import Optimizer

from spikecheck.core import watched
from spikecheck.core.errors import UsageError
from spikecheck.watch.hooks import StepHooks
from spikecheck.watch.layers import Sums
from spikecheck.watch.training import Observer, Step, Training
from spikecheck.watch.watch import QuietWatch

_LATE = 0.1


class LateLooks:
    """Watches the last tenth of `steps` steps, with about `looks` looks in it; with 0 it never watches.

    A look costs one forward pass, or two where gradients are clipped; the first three cost four. For the smallest nets, whose
    passes are quick, it takes as long as two steps; `python studies/late_looks_cost.py` measures it.
    """

    def __init__(self, training: Training, steps: int, looks: int) -> None:
        self.overshoots: list[float] = []
        """Of the looks so far that could be resolved."""
        tenth = max(1, round(_LATE * steps))
        self._training = training
        self._first = steps - tenth if looks else steps
        self._every = max(1, tenth // max(1, looks))
        self._watch: QuietWatch | None = None

    def run(self, steps: int, observe: Observer | None = None) -> list[float]:
        """Make so many steps of the training, each seen by `observe`; their losses."""
        before = min(steps, max(0, self._first - self._training.steps))
        losses = self._training.run(before, observe) if before else []
        return losses + self._watched(steps - before, observe) if steps > before else losses

    def close(self) -> None:
        """Leave model and optimizers as they were found."""
        if self._watch is not None:
            self._watch.close()
            self._watch = None

    def _watched(self, steps: int, observe: Observer | None) -> list[float]:
        if self._watch is None:
            with suppress(UsageError):  # no model or no loss of its own: there is then no overshoot
                self._watch = _Silent(self._training, self._every, self._take)
        return self._training.run(steps, observe if self._watch is None else self._noting(observe))

    def _noting(self, observe: Observer | None) -> Observer:
        def note(step: Step) -> None:
            if self._watch is not None:
                self._watch.step(step.loss, lambda: self._training.loss(step.batch))
            if observe is not None:
                observe(step)

        return note

    def _take(self, step: watched.Step) -> None:
        if step.look is not None and step.look.overshoot is not None:
            self.overshoots.append(step.look.overshoot)


class _Silent(QuietWatch):
    """A watch that passes on its steps and warns of nothing. It detects no spikes, and has no figures of single tensors."""

    def __init__(self, training: Training, every: int, take: Callable[[watched.Step], None]) -> None:
        optimizers = [part for part in training.state.values() if isinstance(part, Optimizer)]
        super().__init__(training.model, optimizers, every=every)
        self._take = take

    def _layers(self, sums: Sums, stepped: Sequence[StepHooks]) -> dict[str, watched.LayerLook]:
        return {}

    def _pass_on(self, losses: Sequence[float], processes: int) -> None:
        unread, self._unread = self._unread, []
        for fields, _, _ in unread:
            self._take(watched.Step(**fields))

    def _warn(self, message: str, step: int) -> None:
        """Warnings are dropped: the gate trains many runs and shows the figure alone."""
