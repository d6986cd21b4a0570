"""Writes the figures of a watched training to TensorBoard and W&B."""

import logging
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from spikecheck.core.errors import UsageError
from spikecheck.core.watched import Step

_LOGGER = logging.getLogger("spikecheck.watch")
_OVERWRITTEN = 100
"""Consecutive steps whose figures W&B kept no row for, before a warning."""


class Sink(Protocol):
    """Receives steps in order."""

    def step(self, step: Step) -> None:
        """Receive a step."""

    def close(self) -> None:
        """Called after the last step."""


def sinks(tensorboard: str | Path | None, *, wandb: Any) -> list[Sink]:
    """The requested sinks.

    Raises:
        UsageError: a package is missing, or W&B has no run.
    """
    wanted: list[Sink] = [] if tensorboard is None else [TensorBoard(Path(tensorboard))]
    if wandb is True:
        return [*wanted, WandB(_current_run())]
    return wanted if wandb is False or wandb is None else [*wanted, OwnWandB(wandb)]


class TensorBoard:
    """Scalars as TensorBoard events."""

    def __init__(self, folder: Path) -> None:
        try:
            writer = import_module("torch.utils.tensorboard").SummaryWriter
        except ImportError as error:
            raise UsageError(f"tensorboard={folder}: needs the package tensorboard; pip install tensorboard") from error
        self._writer: Any = writer(str(folder))

    def step(self, step: Step) -> None:
        """Write the step's figures."""
        for name, value in scalars(step).items():
            self._writer.add_scalar(name, value, step.step)

    def close(self) -> None:
        """Write buffered events and close the file."""
        self._writer.close()


class WandB:
    """Scalars in the W&B run that the user's script began.

    W&B's counter of steps belongs to the user, so no row is begun here: the figures join the row that the user's next
    `log` completes, and where several steps share a row the last one's stay.
    """

    def __init__(self, run: Any) -> None:
        self._run = run
        self._row, self._in_row = run.step, 0
        _by_own_step(run)

    def step(self, step: Step) -> None:
        """Add it to the current row."""
        self._run.log(_row(step), commit=False)
        self._in_row = self._in_row + 1 if self._run.step == self._row else 1
        self._row = self._run.step
        if self._in_row == _OVERWRITTEN:
            _LOGGER.warning(
                "wandb=True: %d steps share one row of W&B, which keeps the last; log in your loop, or give the watch a"
                ' run of its own, wandb=wandb.init(reinit="create_new")',
                _OVERWRITTEN,
            )

    def close(self) -> None:
        """Do nothing: the user finishes the run."""


class OwnWandB:
    """Scalars in a W&B run for them alone: a row a step."""

    def __init__(self, run: Any) -> None:
        """Take over a run.

        Raises:
            UsageError: when it is none.
        """
        if not callable(getattr(run, "log", None)) or not callable(getattr(run, "define_metric", None)):
            raise UsageError(
                f"wandb={run!r}: is no run of W&B; give True for the current one, or what wandb.init returns"
            )
        self._run = run
        _by_own_step(run)

    def step(self, step: Step) -> None:
        """Log it as a row."""
        self._run.log(_row(step))

    def close(self) -> None:
        """Do nothing: the user finishes the run."""


def _current_run() -> Any:
    try:
        run: Any = import_module("wandb").run
    except ImportError as error:
        raise UsageError("wandb=True: needs the package wandb; pip install wandb") from error
    if run is None:
        raise UsageError("wandb=True: no run was begun; call wandb.init() before Watch")
    return run


def _by_own_step(run: Any) -> None:
    """Charts of these figures alone have the training's step as their axis."""
    run.define_metric("spikecheck/*", step_metric="spikecheck/step")


def _row(step: Step) -> dict[str, float]:
    return {**scalars(step), "spikecheck/step": step.step}


def scalars(step: Step) -> dict[str, float]:
    """The figures of a step by name, without layers, which only the JSONL log contains.

    >>> scalars(Step(step=3, loss=2.0, lr=(0.1,)))
    {'spikecheck/loss': 2.0, 'spikecheck/lr': 0.1}
    """
    look = step.look
    values = {"loss": step.loss, "lr": step.lr[0] if step.lr else None}
    if look is not None:
        values |= {
            name: getattr(look, name) for name in ("overshoot", "slope", "change", "update_norm", "gradient_norm")
        }
    return {f"spikecheck/{name}": value for name, value in values.items() if value is not None}
