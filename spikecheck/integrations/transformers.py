"""A Watch as a callback of the Hugging Face Trainer."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from spikecheck.session.watch import Watch


class WatchCallback(TrainerCallback):  # type: ignore[misc]
    """Watches the model that a Trainer trains: `Trainer(…, callbacks=[WatchCallback(log="watch.jsonl")])`.

    The model's own forward passes tell the batches and their losses, so the model must return a loss. At a look it is
    called once more with the same inputs, without gradients.
    """

    def __init__(self, **options: Any) -> None:
        """`options` are those of `spikecheck.Watch`: log, every, show, tensorboard, wandb.

        No live line is shown unless `show=True`: the Trainer has a progress bar.
        """
        self._options = {"show": False, **options}
        self._watch: Watch | None = None
        self._handle: Any = None
        self._passes: list[tuple[tuple[Any, ...], Mapping[str, Any]]] = []
        self._losses: list[Tensor] = []

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Begin to watch."""
        model = kwargs["model"]
        self._watch = Watch(model, kwargs["optimizer"], start=state.global_step, **self._options)
        self._handle = model.register_forward_hook(self._note, with_kwargs=True)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Note a step."""
        model, passes, losses = kwargs["model"], self._passes, self._losses
        self._passes, self._losses = [], []
        if self._watch is None or not losses:
            return

        def loss_of() -> Tensor:
            return torch.stack([_loss(model(*given, **named)) for given, named in passes]).mean()

        self._watch.step(torch.stack(losses).mean(), loss_of)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Write what is left, and leave the model as it was found."""
        if self._watch is not None:
            self._watch.close()
        if self._handle is not None:
            self._handle.remove()

    def _note(self, model: nn.Module, given: tuple[Any, ...], named: Mapping[str, Any], output: Any) -> None:
        """A forward pass of the training; those of an evaluation and of a look are without gradients."""
        if model.training and torch.is_grad_enabled():
            self._passes.append((given, dict(named)))
            self._losses.append(_loss(output).detach())


def _loss(output: Any) -> Tensor:
    loss: Tensor = output["loss"] if isinstance(output, Mapping) else output[0]
    return loss.float()
