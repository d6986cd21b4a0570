"""Arms that take one eigendirection of the Hessian out of every update: the sharpest, and as its twin the next.

    spikecheck diagnose --workload sines --arm spikecheck.why.direction_arms:top --arm spikecheck.why.direction_arms:second

A step that is too large for the curvature overshoots along v_1, the eigenvector of the largest eigenvalue. Without motion
along v_1 such a spike must be gone, and without motion along v_2 it must come again. Eigenvectors are those of the
preconditioned Hessian of the step's own batch, so that Adam's v_1 is the direction in which Adam is unstable.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from spikecheck.core.errors import SettingError, UsageError
from spikecheck.curvature.directional import ModelCurvature, flattened, model_curvature
from spikecheck.curvature.eigenpairs import EigenPairs, track
from spikecheck.curvature.eigenpairs import top as top_pairs
from spikecheck.curvature.torch_threshold import Rule, rule_now
from spikecheck.watch.training import Training
from spikecheck.why.arms import Arm
from spikecheck.why.scene import Context, NotApplicable

_PAIRS = 2


def top() -> Arm:
    """The arm without motion along v_1."""
    return Arm("v_1 left out", "without motion along the sharpest direction?", "motion along v_1", without_top)


def second() -> Arm:
    """Its twin, without motion along v_2."""
    return Arm("v_2 left out", "without motion along the next direction?", "motion along v_2", without_second)


@contextmanager
def without_top(training: Training, context: Context) -> Iterator[None]:
    """Every update without its part along v_1."""
    with _left_out(training, 0):
        yield


@contextmanager
def without_second(training: Training, context: Context) -> Iterator[None]:
    """Every update without its part along v_2."""
    with _left_out(training, 1):
        yield


@contextmanager
def _left_out(training: Training, rank: int) -> Iterator[None]:
    if not training.has_loss:
        raise NotApplicable("the training has no loss=FUNCTION, so its curvature cannot be measured")
    removal = _Removal(training, rank)
    hooks = (
        removal.optimizer.register_step_pre_hook(lambda *_: removal.before()),
        removal.optimizer.register_step_post_hook(lambda *_: removal.after()),
    )
    try:
        with training.batches_chosen(removal.chosen):
            yield
    finally:
        for hook in hooks:
            hook.remove()


class _Removal:
    """Takes an eigendirection out of one update after the other."""

    def __init__(self, training: Training, rank: int) -> None:
        try:
            self.optimizer, self._model = training.optimizer, training.model
        except UsageError as error:
            raise NotApplicable(str(error)) from error
        self._loss, self._rank = training.loss, rank
        self._weights = [weight for weight in self._model.parameters() if weight.requires_grad]
        self._batch: Any = None
        self._start: list[Tensor] = []
        self._pairs: EigenPairs | None = None

    def chosen(self, step: int, draw: Callable[[], Any]) -> Any:
        """The batch that would come anyway."""
        self._batch = draw()
        return self._batch

    def before(self) -> None:
        """Note where the step begins."""
        self._start = [weight.detach().clone() for weight in self._weights]

    def after(self) -> None:
        """Undo the update's part along the direction where the step began, by the moments that the step divided by."""
        end = [weight.detach().clone() for weight in self._weights]
        _set(self._weights, self._start)
        local = model_curvature(self._model, self._loss, [self._batch])
        update = flattened(end, local.gradients) - flattened(self._start, local.gradients)
        part = self._part(local, update)[0]  # its products need the weights where the step began
        _set(self._weights, end)
        _subtract(self._weights, part)

    def _part(self, local: ModelCurvature, update: Float[Tensor, "1 P"]) -> Float[Tensor, "1 P"]:
        """The update's part along the eigenvector of this rank, in the optimizer's coordinates."""
        try:
            rule = rule_now(self.optimizer, self._model, local.gradients)
        except SettingError as error:
            raise NotApplicable(str(error)) from error
        seen = _as_seen(local, rule)
        pairs = min(_PAIRS, update.shape[1])
        self._pairs = top_pairs(seen, pairs) if self._pairs is None else track(seen, self._pairs)
        root = torch.ones_like(update) if rule.preconditioner is None else rule.preconditioner.sqrt()
        vector = self._pairs.vectors[:, self._rank]
        along = torch.where(root.isinf(), 0.0, update * root)  # what is infinite has a rate of 0 and does not move
        return (along * vector).sum() * vector / root


def _as_seen(local: ModelCurvature, rule: Rule) -> ModelCurvature:
    """The curvature in the optimizer's own coordinates."""
    decayed = local if rule.decay is None else local.decayed(rule.decay)
    return decayed if rule.preconditioner is None else decayed.preconditioned(rule.preconditioner)


def _set(weights: list[torch.nn.Parameter], values: list[Tensor]) -> None:
    with torch.no_grad():
        for weight, value in zip(weights, values, strict=True):
            weight.copy_(value)


def _subtract(weights: list[torch.nn.Parameter], flat: Tensor) -> None:
    with torch.no_grad():
        for weight, piece in zip(weights, torch.split(flat, [weight.numel() for weight in weights]), strict=True):
            weight.sub_(piece.view_as(weight).to(weight))
