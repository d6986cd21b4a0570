"""Which cause the arms name: what removes the spike, and how much else an arm would remove. A pure function.

The order and its reasons: docs/decisions/0004-causes-by-forks.md.
"""

from collections.abc import Sequence

from spikecheck.core.why import ArmResult, Cause, Effect, Ranked, Signs
from spikecheck.why.arms import (
    ARMS,
    CLIPPED,
    EMPTIED,
    FASTER_SECOND,
    FULL_PRECISION,
    HALF_RATE,
    LARGER_EPS,
    LEFT_OUT,
    OTHER_BATCHES,
    RATE_HELD,
    SECOND_HELD,
    Arm,
)

_BUILT_IN = frozenset(Cause)
_SMALLER_STEPS = {arm.name for arm in (HALF_RATE, CLIPPED, FASTER_SECOND, LARGER_EPS)}
"""Arms that make steps smaller, as an empty momentum does; where one of them is enough, momentum is not the cause."""
_ALL_BUT_OTHERS = {arm.name for arm in ARMS} - {OTHER_BATCHES.name}
"""Where all of these were tried and leave the spike, other batches alone name the data: no other arm exchanges those long
before it."""


def ranked(arms: Sequence[ArmResult], signs: Signs) -> tuple[Ranked, ...]:
    """Every cause that holds, the most specific first; none where no arm can be claimed to remove the spike."""
    claimed = {arm.name: arm for arm in arms if arm.claimed}
    removing = {arm.name for arm in arms if arm.effect is Effect.REMOVES}
    smaller_steps = HALF_RATE.name in removing
    ruled_out = {arm.name for arm in arms if arm.effect in (Effect.LEAVES, Effect.NOT_APPLICABLE)}

    def shown(cause: Cause, *several: Arm, unless: object = False) -> list[Ranked]:
        names = tuple(arm.name for arm in several if arm.name in claimed)
        return [Ranked(cause=cause, arms=names)] if names and not unless else []

    small = SECOND_HELD.name in claimed and _may_be_small(arms)
    both = {LEFT_OUT.name, OTHER_BATCHES.name} <= set(claimed)
    own = _own(list(claimed.values()))
    return (
        *shown(Cause.DATA, LEFT_OUT, OTHER_BATCHES, unless=not both or (signs.unstable and smaller_steps)),
        *shown(Cause.SCHEDULE, RATE_HELD),
        *shown(Cause.MOMENTUM, EMPTIED, unless=removing & _SMALLER_STEPS),
        *shown(Cause.ROUNDING, FULL_PRECISION),
        *([] if smaller_steps else own),
        *shown(Cause.LAG, FASTER_SECOND, LARGER_EPS, unless=not signs.lagging),
        *shown(Cause.DECAYED, SECOND_HELD, LARGER_EPS, unless=not small),
        *shown(Cause.CURVATURE, HALF_RATE, CLIPPED),
        *(own if smaller_steps else []),
        *shown(Cause.DATA, OTHER_BATCHES, unless=_ALL_BUT_OTHERS - ruled_out or signs.unstable),
    )


def asks_whether_held(arms: Sequence[ArmResult], signs: Signs) -> bool:
    """Whether `SECOND_HELD` must be forked: a larger eps removes the spike, and nothing so far says why.

    So large an eps may as well have stopped the training, and that arm tells which.
    """
    return _may_be_small(arms) and all(one.cause == Cause.CURVATURE for one in ranked(arms, signs))


def _may_be_small(arms: Sequence[ArmResult]) -> bool:
    """Whether only eps removes the spike, of what could do so if the second moment had become too small."""
    effects = {arm.name: arm.effect for arm in arms}
    return (
        any(arm.claimed and arm.name == LARGER_EPS.name for arm in arms)
        and effects.get(HALF_RATE.name) is Effect.LEAVES
        and Effect.REMOVES not in (effects.get(FASTER_SECOND.name), effects.get(EMPTIED.name))
    )


def ranked_of_a_fall(arms: Sequence[ArmResult], signs: Signs) -> tuple[Ranked, ...]:
    """Every cause that holds for a fall of the loss: none of an instability, which raises it."""
    claimed = {arm.name: arm for arm in arms if arm.claimed}
    named = ((Cause.DATA, OTHER_BATCHES), (Cause.SCHEDULE, RATE_HELD), (Cause.ROUNDING, FULL_PRECISION))
    shown = [Ranked(cause=cause, arms=(arm.name,)) for cause, arm in named if arm.name in claimed]
    return (*shown, *_own(list(claimed.values())))


def _own(claimed: Sequence[ArmResult]) -> list[Ranked]:
    """Causes of a user's own arms, the one with the lowest excursion left first."""
    own = sorted((arm for arm in claimed if arm.cause not in _BUILT_IN), key=lambda arm: arm.height or 0.0)
    return [Ranked(cause=arm.cause or arm.name, arms=(arm.name,)) for arm in own]
