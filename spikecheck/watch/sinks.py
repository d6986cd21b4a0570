"""Other places where the figures of a watched training go."""

from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from spikecheck.core.errors import UsageError
from spikecheck.core.watched import Step


class Sink(Protocol):
    """Takes steps in their order."""

    def step(self, step: Step) -> None:
        """Take one."""

    def close(self) -> None:
        """No more will come."""


def sinks(tensorboard: str | Path | None, *, wandb: bool) -> list[Sink]:
    """Those asked for.

    Raises:
        UsageError: when a package is missing, or W&B has no run.
    """
    asked: list[Sink] = [] if tensorboard is None else [TensorBoard(Path(tensorboard))]
    return [*asked, *([WandB()] if wandb else [])]


class TensorBoard:
    """Scalars as TensorBoard events."""

    def __init__(self, folder: Path) -> None:
        try:
            writer = import_module("torch.utils.tensorboard").SummaryWriter
        except ImportError as error:
            raise UsageError(f"tensorboard={folder}: needs the package tensorboard; pip install tensorboard") from error
        self._writer: Any = writer(str(folder))

    def step(self, step: Step) -> None:
        """Write what is known of it."""
        for name, value in scalars(step).items():
            self._writer.add_scalar(name, value, step.step)

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()


class WandB:
    """Scalars in the W&B run that the user's script began."""

    def __init__(self) -> None:
        try:
            self._run: Any = import_module("wandb").run
        except ImportError as error:
            raise UsageError("wandb=True: needs the package wandb; pip install wandb") from error
        if self._run is None:
            raise UsageError("wandb=True: no run was begun; call wandb.init() before Watch")

    def step(self, step: Step) -> None:
        """Log it with a step of its own name: W&B's own counter belongs to the user."""
        self._run.log({**scalars(step), "spikecheck/step": step.step}, commit=False)

    def close(self) -> None:
        """The run is the user's to finish."""


def scalars(step: Step) -> dict[str, float]:
    """The figures of a step by name; layers are in the JSONL log alone.

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
