"""A Watch as a callback of Lightning's Trainer."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from spikecheck.session.watch import Watch


class WatchCallback(Callback):  # type: ignore[misc]
    """Watches the module that a Trainer fits: `Trainer(callbacks=[WatchCallback(log="watch.jsonl")])`.

    At a look `training_step` is called once more with the batches of the step, without gradients and with `self.log`
    silent. It must return the same loss for the same batch; what it counts besides is counted twice.
    """

    def __init__(self, **options: Any) -> None:
        """`options` are those of `spikecheck.Watch`: log, every, show, tensorboard, wandb.

        No live line is shown unless `show=True`: the Trainer has a progress bar.
        """
        self._options = {"show": False, **options}
        self._watch: Watch | None = None
        self._batches: list[tuple[Any, int]] = []
        self._losses: list[Tensor] = []
        self._steps = 0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin to watch."""
        self._steps = trainer.global_step
        self._watch = Watch(pl_module, trainer.optimizers, start=self._steps, **self._options)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Note a step, once its last batch was accumulated."""
        self._batches.append((batch, batch_idx))
        self._losses.append(_loss(outputs).detach())  # already divided by the number of accumulated batches
        if self._watch is None or trainer.global_step == self._steps:
            return
        batches, losses = self._batches, self._losses
        self._batches, self._losses, self._steps = [], [], trainer.global_step

        def loss_of() -> Tensor:
            with _silent(pl_module), trainer.precision_plugin.train_step_context():
                again = [_loss(pl_module.training_step(*one)) / trainer.accumulate_grad_batches for one in batches]
            total: Tensor = sum(again[1:], start=again[0])
            return total

        self._watch.step(sum(losses[1:], start=losses[0]), loss_of)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write what is left."""
        if self._watch is not None:
            self._watch.close()


def _loss(outputs: Any) -> Tensor:
    """What a training step returns: the loss, or a mapping that holds it."""
    loss: Tensor = outputs["loss"] if isinstance(outputs, Mapping) else outputs
    return loss


@contextmanager
def _silent(module: LightningModule) -> Iterator[None]:
    """Calls of `log` and `log_dict` do nothing."""
    names = ("log", "log_dict")
    for name in names:
        object.__setattr__(module, name, _nothing)
    try:
        yield
    finally:
        for name in names:
            object.__delattr__(module, name)


def _nothing(*_: Any, **__: Any) -> None:
    """In place of `log`."""
