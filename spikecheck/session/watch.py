"""`spikecheck.Watch`: a watched training with what is shown of it."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self

from rich.console import Console
from torch import nn
from torch.optim import Optimizer

from spikecheck.core.errors import SpikecheckError, UsageError
from spikecheck.core.events import Observer, ignore
from spikecheck.core.why import Answer
from spikecheck.report.watch_line import WatchLine
from spikecheck.watch.training import Step, Training
from spikecheck.watch.watch import QuietWatch
from spikecheck.why.afterwards import explain_log
from spikecheck.why.arms import ARMS, Arm
from spikecheck.why.keeping import MOST, Keeping
from spikecheck.why.ring import EVERY


class Watch(QuietWatch):
    """Watches a training in any loop: two lines, and nothing about the training changes.

    At a look, every `every` steps, the step's own batch is passed forward once more and the update is compared with
    what it did to the loss: `overshoot` is 1 - change / slope, with the slope the gradient times the update. 0: the
    loss is linear along the update; 1: the step stops lowering its batch's loss; above 1: it raises it. For gradient
    descent along an eigendirection of the Hessian it is learning rate x eigenvalue / 2, so that 1 is the stability
    threshold.

    Parameters and training are the same to the last bit with and without. An error inside Watch is reported once, and
    watching stops.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: Optimizer | Sequence[Optimizer],
        *,
        log: str | Path | None = None,
        every: int = 10,
        start: int = 0,
        show: bool | Literal["auto"] = "auto",
        tensorboard: str | Path | None = None,
        wandb: Any = False,
    ) -> None:
        """Begin to watch.

        Args:
            model: the module that is trained, compiled or wrapped in DistributedDataParallel or not.
            optimizer: the optimizer whose `step` the loop calls, or several.
            log: a JSONL file to append to; None keeps no log. Of several processes only the first writes.
            every: steps between looks, at least 1. A look costs one forward pass, or two where the
                gradients are not those of the given loss, times one factor.
            start: the number of the first step, at least 0; give it when a training is resumed.
            show: whether a live line is shown on standard error; "auto" does on a terminal. Warnings are shown there
                too, and without it go to the logger "spikecheck.watch".
            tensorboard: a folder to write TensorBoard events to as well; needs the package tensorboard.
            wandb: True adds the figures to the rows that the loop logs to the current W&B run; a run, as `wandb.init`
                returns it, gets a row a step. Needs the package wandb.

        Raises:
            UsageError: when an argument cannot be used, before any training.
        """
        super().__init__(model, optimizer, log=log, every=every, start=start, tensorboard=tensorboard, wandb=wandb)
        console = Console(stderr=True)
        self._training: Training | None = None
        self._keeping: Keeping | None = None
        self._kept_in: tuple[Path, Path] | None = None
        """Log and states, from which a spike can be explained."""
        self._line = WatchLine(console) if _shows(show, console) else None
        if self._line is not None:
            self._sinks.append(self._line)

    @classmethod
    def of(
        cls,
        training: Training,
        *,
        states: str | Path | None = None,
        states_every: int = EVERY,
        states_most: int = MOST,
        **options: Any,
    ) -> Self:
        """Watch a `Training`, and keep states of it from which a spike can be explained afterwards.

        Give `made` to its `run`:

            with spikecheck.Watch.of(training, log="watch.jsonl", states="states") as watch:
                training.run(10_000, observe=watch.made)

        Args:
            training: between two steps. Its `loss` is needed for the overshoot.
            states: a folder for its states; None keeps none. What they may take on disk and in memory is said at once.
            states_every: steps between two states; more where writing one takes over a thirtieth of the time.
            states_most: files at once: the last three, or as many as reach 256 steps back, and one from before each of the
                first spikes.
            options: `log`, `every`, `show`, `tensorboard` and `wandb`, as of `Watch` itself.

        Raises:
            UsageError: when an argument cannot be used, or the training's state cannot be kept in files.
        """
        optimizers = [part for part in training.state.values() if isinstance(part, Optimizer)]
        watch = cls(training.model, optimizers, start=training.steps, **options)
        watch._training = training
        if states is not None:
            try:
                watch._begin_keeping(Keeping(training, Path(states), states_every, states_most))
                if options.get("log") is not None:
                    watch._kept_in = Path(options["log"]), Path(states)
            except SpikecheckError:
                watch.close()
                raise
        return watch

    def made(self, step: Step) -> None:
        """Record a step of the training that `of` was given.

        Raises:
            UsageError: when the watch was not made by `of`.
        """
        if self._training is None:
            raise UsageError("made: this watch has no training; make it by Watch.of(training), or call step")
        loss = self._training.loss if self._training.has_loss else None
        self.step(step.loss, None if loss is None else lambda: loss(step.batch))
        if self._keeping is not None:
            self._guarded(self._keep)()

    made.needs_random_state = False  # type: ignore[attr-defined]  # looks read it themselves

    def why(
        self,
        at: int | None = None,
        *,
        arms: Sequence[Arm] = ARMS,
        budget: float | None = None,
        observe: Observer = ignore,
    ) -> Answer:
        """Find the cause of a spike, between two steps of the training, which continues afterwards unchanged.

            training.run(5_000, observe=watch.made)
            print(watch.why().sentence)
            training.run(5_000, observe=watch.made)

        An observer of the run may call it as well, after `made`.

        Args:
            at: a step of the spike to explain; None for the first that is not benign.
            arms: what is tried, beside the placebo.
            budget: seconds after which no further fork is made; None for no limit.
            observe: receives the events of the work.

        Raises:
            UsageError: the watch was not made by `of` with a log and states, or no spike is at `at`.
        """
        if self._training is None or self._kept_in is None:
            raise UsageError(
                "why: this watch cannot make the training's steps again; make it by "
                'Watch.of(training, log="watch.jsonl", states="states")'
            )
        with self.paused():
            return explain_log(self._training, *self._kept_in, at=at, arms=arms, budget=budget, observe=observe)

    def _begin_keeping(self, keeping: Keeping) -> None:
        self._keeping = keeping
        self._sinks.append(keeping)
        self._warn(keeping.says, self._step)

    def _keep(self) -> None:
        """If a state cannot be written, no more states are kept, but watching continues."""
        if self._keeping is not None:
            try:
                self._keeping.after_step()
            except SpikecheckError as error:
                self._keeping = None
                self._tell(f"no more states are kept, but watching continues: {error}")

    def _warn(self, message: str, step: int) -> None:
        if getattr(self, "_line", None) is None:
            super()._warn(message, step)
        else:
            self._line.warn(f"step {step:,}: {message}")  # type: ignore[union-attr]


def _shows(show: bool | Literal["auto"], console: Console) -> bool:
    """Whether a live line is shown: by default on a terminal, and in the first process only."""
    on_terminal = console.file.isatty() and not console.is_dumb_terminal and not os.environ.get("CI")
    first = os.environ.get("RANK", "0").strip("0 ") == ""
    return first and (on_terminal if show == "auto" else show)
