"""The step that a look measures, joined over the processes that train together."""

import math
from collections.abc import Iterator, Sequence
from functools import reduce
from operator import add

from spikecheck.watch.examiner import Taken
from spikecheck.watch.hooks import StepHooks
from spikecheck.watch.joined_sums import joined, joined_norm
from spikecheck.watch.layers import Sums
from spikecheck.watch.ranks import Apart, Ranks
from spikecheck.watch.segment import Segment
from spikecheck.watch.shards import is_sharded
from spikecheck.watch.witness import ratio

_SAME = ("update", "weights")
"""Totals that are equal to the last bit in processes that make one step together, beside the slope."""


def take(ranks: Ranks, loss: float, hooks: Sequence[StepHooks], sums: Sequence[Sums]) -> tuple[float, Taken]:
    """The loss before the step and what is known of the step: of all processes, or of this one where they differ."""
    if ranks.together:
        sums = [_whole(one, step) for one, step in zip(sums, hooks, strict=True)]
    together = reduce(add, sums)
    pieces = [step.made_and_met() for step in hooks]
    whole = [[] if _is_part(step) else made for step, (made, _) in zip(hooks, pieces, strict=True)]
    loss, means = _joint(ranks, loss, together, whole)
    changed = [
        step.gradient_changed or (ranks.size == 1 and made != met)  # processes average what each of them made
        for step, (made, met) in zip(hooks, pieces, strict=True)
    ]
    factors = [
        _factor(step, mean or made, met) if other else 1.0
        for other, step, mean, (made, met) in zip(changed, hooks, means, pieces, strict=True)
    ]
    return loss, Taken(
        segments=_apart([step.segment for step in hooks if step.segment is not None]),
        sums=together,
        gradient_changed=any(changed),
        restored=_restored(sums, factors),
        one_factor=ranks.size > 1 or all(step.one_factor(one) for step, one in zip(hooks, sums, strict=True)),
        # Several processes have to make the same passes, and each would see its own part of the parameters alone.
        moved_since=ranks.size == 1 and any(step.moved_since() for step in hooks),
    )


def _apart(segments: Sequence[Segment]) -> Sequence[Segment]:
    """Segments of steps in the order in which they were made, with no parameter in two of them."""
    for number, segment in enumerate(segments):
        segment.leave_out(segments[:number])
    return segments


def _whole(sums: Sums, hooks: StepHooks) -> Sums:
    parameters = hooks.parameters()
    return joined(sums, parameters) if any(map(is_sharded, parameters)) else sums


def _joint(
    ranks: Ranks, loss: float, sums: Sums, pieces: Sequence[Sequence[float]]
) -> tuple[float, Sequence[Sequence[float]]]:
    """Means of the losses, and of gradients as each process's backward pass made them."""
    totals = [*(sums.total(name) for name in _SAME), math.fsum(sums.slope)]
    try:
        joint = ranks.joint([*totals, loss, *(value for piece in pieces for value in piece)])
    except Apart:
        return loss, pieces
    if not all(joint.same[: len(totals)]):
        ranks.part("the processes make different steps")
        return loss, pieces
    values = iter(joint.means[len(totals) :])
    return next(values), [[next(values) for _ in piece] for piece in pieces]


def _is_part(hooks: StepHooks) -> bool:
    return hooks.followed is not None and is_sharded(hooks.followed)


def _factor(hooks: StepHooks, made: Sequence[float], met: Sequence[float]) -> float | None:
    """The factor that undoes a change of the gradients after the backward pass, such as clipping; None if unknown."""
    parameter = hooks.followed
    if parameter is None:
        return None
    if _is_part(hooks):
        return ratio(joined_norm(made, parameter), joined_norm(met, parameter))
    return ratio(math.hypot(*made), math.hypot(*met))


def _restored(sums: Sequence[Sums], factors: Sequence[float | None]) -> float | None:
    """The slope with gradients as the backward pass made them; None where a factor is not known."""
    return None if None in factors else math.fsum(_restored_each(sums, factors))


def _restored_each(sums: Sequence[Sums], factors: Sequence[float | None]) -> Iterator[float]:
    for one, factor in zip(sums, factors, strict=True):
        yield (factor or 0.0) * math.fsum(one.slope)
