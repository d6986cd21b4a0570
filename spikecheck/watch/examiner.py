"""Looks: how a step changed the loss of its own batch, with an error estimate.

The gradient in `p.grad` may be the loss's own, or clipped, scaled, or averaged over processes. The slope from two
forward passes, at half and whole step, does not depend on it: 4 L(half) - 3 L(before) - L(after). Its error is a
twelfth of the third derivative along the step. Checking looks compute both slopes. If they agree, other looks need
one forward pass, except when a gradient may have been clipped.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import nn

from spikecheck.core.watched import Look
from spikecheck.watch.layers import Sums
from spikecheck.watch.ranks import Apart, Ranks
from spikecheck.watch.segment import Segment
from spikecheck.watch.shards import reshard
from spikecheck.watch.trust import Trust
from spikecheck.watch.undisturbed import Generator, RandomState, undisturbed
from spikecheck.watch.walk import Closure, Walk

_RESOLVED = 0.1
"""Largest error of an overshoot that is reported: its first decimal is then right."""
_SAME = 1e-3
"""Relative difference up to which two losses count as equal. Passes without gradients may be compiled and rounded
differently."""
_NEARLY = 0.1
"""The same where a forward pass reads buffers that it changes, so that the next one returns another loss."""
_HALF_STEP_NOISE = math.sqrt(4**2 + 3**2 + 1)
"""Error of 4 L(half) - 3 L(before) - L(after) if every loss has an independent error of 1."""

OTHER_RANDOMNESS = (
    "the closure returns another loss at every call: it draws random numbers or batches, or changes what it reads"
)
ASCENDS = "the update does not descend on its own batch"
ROUNDED = "the change of the loss is lost in rounding"
NOT_FINITE = "a loss or a parameter is not finite"
NO_CLOSURE = "no closure was given"
NO_UPDATE = "the update is zero"


class NotRepeatable(Exception):
    """The closure does not return the loss of the training step; the message says why."""


@dataclass(frozen=True)
class Taken:
    """A step to examine: the parameters before it, and its sums."""

    segments: Sequence[Segment]
    sums: Sums
    gradient_changed: bool
    """Whether gradients were changed after the backward pass, such as by clipping."""
    restored: float | None
    """The slope with that change undone; None if the factor is not known."""
    one_factor: bool = True
    """Whether that change, where there is one, multiplied all gradients by one factor."""
    moved_since: bool = False
    """Whether parameters were changed after the optimizer's step, such as by clamping them: the sums are of the step alone."""

    @property
    def has_slope(self) -> bool:
        """Whether the slope of the whole way can be that of the sums, or follow from it by a factor."""
        return self.one_factor and not self.moved_since


@dataclass(frozen=True)
class _Points:
    """Losses along a step, at shares 0, 1, 1/2 and 1/4 of it."""

    before: float
    after: float
    half: float | None
    quarter: float | None = None

    def half_step_slope(self) -> float | None:
        return None if self.half is None else 4.0 * self.half - 3.0 * self.before - self.after


@dataclass
class Examiner:
    """Examines steps of one training."""

    model: nn.Module
    devices: Sequence[torch.device]
    masks: RandomState
    """Random state at the start of the training's forward pass, as far as it is known."""
    generators: Sequence[Generator] = ()
    """Random generators of the model's own."""
    draws_own_masks: bool = False
    """Whether the closure is random and `masks` was not the random state of the training step."""
    masks_known: bool = False
    """Whether `masks` is read in the training's own forward pass."""
    graph: bool = False
    """Whether the closure's loss has derivatives in it."""
    trust: Trust = field(default_factory=Trust)
    ranks: Ranks = field(default_factory=Ranks)
    gathering: Sequence[nn.Module] = ()
    """Modules that gather their parameters for a pass, and would keep them."""

    def look(self, loss: float, closure: Closure | None, taken: Taken) -> Look:
        """Examine a step. Parameters, buffers and random states are restored afterwards.

        Args:
            loss: the batch's loss before the step.
            closure: recomputes that loss; None if the user gave none.
            taken: the step.
        """
        update, gradient = (_finite(taken.sums.total(name)) for name in ("update", "gradient"))
        gradient = gradient if taken.sums.has_gradient else None
        return Look(update_norm=update, gradient_norm=gradient, **self._overshoot(loss, closure, taken))

    def _overshoot(self, loss: float, closure: Closure | None, taken: Taken) -> dict[str, Any]:
        obstacle = _obstacle(loss, closure, taken.sums)
        if obstacle or closure is None:
            return {"unresolved": obstacle}
        try:
            with undisturbed(self.model, self.devices, self.generators) as put_back:
                walk = Walk(
                    closure, self.masks, taken.segments, self.ranks.mean, partial(self._passed, put_back), self.graph
                )
                figures = self._measured(loss, walk, taken)
                self.graph = walk.graph
                return figures
        except Apart as reason:
            return {"unresolved": str(reason)}
        except NotRepeatable as reason:
            self.trust.obstacle = str(reason)
            return {"unresolved": str(reason)}
        finally:
            for segment in reversed(taken.segments):
                segment.restore()

    def _passed(self, put_back: Callable[[], bool]) -> None:
        """After a forward pass: the next one reads the same."""
        self.trust.changes_buffers = put_back() or self.trust.changes_buffers
        reshard(self.gathering)

    def _measured(self, loss: float, walk: Walk, taken: Taken) -> dict[str, Any]:
        checks, own = self.trust.next_checks(), math.fsum(taken.sums.slope)
        clipped = self.trust.may_be_clipped(taken.sums.total("gradient"), changed=taken.gradient_changed)
        if self.trust.obstacle and not checks:
            raise NotRepeatable(self.trust.obstacle)
        needs_half = self._slope(taken, clipped=clipped) is None
        points = self._checked(loss, walk) if checks else self._points(loss, walk, needs_half=needs_half)
        if not math.isfinite(points.after + (points.half or 0.0)):
            return {"unresolved": NOT_FINITE}
        half_step = points.half_step_slope()
        if half_step is not None and points.quarter is not None:
            if taken.has_slope:
                self.trust.compare_slopes(own, taken.restored, half_step, may_be_clipped=clipped)
            self.trust.compare_losses(loss, points.before, half_step)
            slope = self._slope(taken, clipped=clipped)
            self.trust.note_deviation(points.before, points.quarter, points.half or 0.0, points.after, slope)
        slope = self._slope(taken, clipped=clipped)
        if slope is None and half_step is not None:
            return self._judged(points, half_step, walk.eps, half_step=True)
        return self._judged(points, own if slope is None else slope, walk.eps, half_step=False)

    def _slope(self, taken: Taken, *, clipped: bool) -> float | None:
        """The slope by the gradient; None where it cannot be trusted."""
        if not taken.has_slope:
            return None
        return self.trust.slope(math.fsum(taken.sums.slope), taken.restored, may_be_clipped=clipped)

    def _points(self, loss: float, walk: Walk, *, needs_half: bool) -> _Points:
        """Compute only the losses that are needed."""
        after = walk.loss()
        before = loss if self.trust.given_loss else walk.loss_at(0.0)
        return _Points(before, after, walk.loss_at(0.5) if needs_half else None)

    def _checked(self, loss: float, walk: Walk) -> _Points:
        """Compute all four losses, and check that the closure repeats the given one.

        Raises:
            NotRepeatable: the closure does not return the given loss at the parameters before the step.
        """
        after, before = walk.loss(), walk.loss_at(0.0)
        drifts = self.trust.changes_buffers and not _same(before, loss) and walk.drifts()
        if not _same(before, loss, _NEARLY if drifts else _SAME):
            repeats = _same(walk.loss(), before)
            self.draws_own_masks = not _same(walk.loss(same_masks=False), before)
            random = not repeats or (self.draws_own_masks and not self.masks_known)
            raise NotRepeatable(_mismatch(loss, before, after, random=random, draws=self.draws_own_masks))
        self.trust.obstacle = None
        return _Points(before, after, quarter=walk.loss_at(0.25), half=walk.loss_at(0.5))

    def _judged(self, points: _Points, slope: float, eps: float, *, half_step: bool) -> dict[str, Any]:
        """The overshoot, if its error is small enough, or the reason why there is none."""
        noise = self.trust.noise(max(abs(points.before), abs(points.after)), eps)
        slope_noise = noise * _HALF_STEP_NOISE if half_step else 0.0
        change = points.after - points.before
        if abs(slope) <= 2.0 * max(noise, slope_noise):
            return {"unresolved": ROUNDED}
        figures = {"slope": slope, "change": change, "slope_from": "half step" if half_step else "gradient"}
        if slope >= 0.0:
            return {**figures, "unresolved": ASCENDS}
        error = math.hypot(math.sqrt(2.0) * noise, change / slope * slope_noise) / abs(slope)
        if error > _RESOLVED:
            return {**figures, "unresolved": ROUNDED}
        return {**figures, "overshoot": 1.0 - change / slope, "error": error}


def _obstacle(loss: float, closure: Closure | None, sums: Sums) -> str | None:
    """A reason against measuring that is known before any forward pass; None if there is none."""
    if closure is None:
        return NO_CLOSURE
    if not math.isfinite(loss + sums.total("update") + sums.total("weights")):
        return NOT_FINITE
    return None if sums.total("update") else NO_UPDATE


def _mismatch(given: float, before: float, after: float, *, random: bool, draws: bool) -> str:
    if not math.isfinite(before) and math.isfinite(given):
        return f"the closure returned {before} where watch.step was given the loss {given:.6g}"
    if random:
        return OTHER_RANDOMNESS
    if _same(after, given):
        late = f"the loss after the step, {given:.6g} (it was {before:.6g} before)"
        return f"watch.step was given {late}; call it after optimizer.step()"
    two = f"the closure returned {before:.6g} where watch.step was given the loss {given:.6g}"
    same = "pass the same batch, in the same mode"
    if draws:
        return f"{two}; {same}, and draw random numbers inside the model only"
    return f"{two}; {same}, and change parameters after that loss by one optimizer.step() only"


def _same(one: float, other: float, tolerance: float = _SAME) -> bool:
    return math.isclose(one, other, rel_tol=tolerance, abs_tol=1e-12)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
