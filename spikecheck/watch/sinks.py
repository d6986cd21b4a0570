"""Writes the figures of a watched training to TensorBoard and W&B."""

from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from spikecheck.core.errors import UsageError
from spikecheck.core.watched import Step


class Sink(Protocol):
    """Receives steps in order."""

    def step(self, step: Step) -> None:
        """Receive a step."""

    def close(self) -> None:
        """Called after the last step."""


def sinks(tensorboard: str | Path | None, *, wandb: bool) -> list[Sink]:
    """Open the sinks.

    Args:
        tensorboard: a folder for TensorBoard events; None for no events.
        wandb: whether to log to the current W&B run.

    Raises:
        UsageError: a package is missing, or W&B has no run.
    """
    opened: list[Sink] = [] if tensorboard is None else [TensorBoard(Path(tensorboard))]
    return [*opened, *([WandB()] if wandb else [])]


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
    """Scalars in the user's current W&B run."""

    def __init__(self) -> None:
        try:
            self._run: Any = import_module("wandb").run
        except ImportError as error:
            raise UsageError("wandb=True: needs the package wandb; pip install wandb") from error
        if self._run is None:
            raise UsageError("wandb=True: no run was begun; call wandb.init() before Watch")

    def step(self, step: Step) -> None:
        """Log the step under `spikecheck/step`, because W&B's own step counter belongs to the user."""
        self._run.log({**scalars(step), "spikecheck/step": step.step}, commit=False)

    def close(self) -> None:
        """Do nothing: the user finishes the run."""


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
