"""Which cause the arms name: what removes the spike, and how much else an arm would remove. A pure function.

The order and its reasons: docs/decisions/0004-causes-by-forks.md.
"""

from collections.abc import Sequence

from spikecheck.core.why import ArmResult, Cause, Effect, Ranked, Signs
from spikecheck.why.arms import (
    CLIPPED,
    EMPTIED,
    FASTER_SECOND,
    FULL_PRECISION,
    HALF_RATE,
    LARGER_EPS,
    LEFT_OUT,
    OTHER_BATCHES,
    RATE_HELD,
)

_BUILT_IN = frozenset(Cause)


def ranked(arms: Sequence[ArmResult], signs: Signs) -> tuple[Ranked, ...]:
    """Every cause that holds, the most specific first; none where no arm can be claimed to remove the spike."""
    claimed = {arm.name: arm for arm in arms if arm.claimed}
    removing = {arm.name for arm in arms if arm.effect is Effect.REMOVES}
    smaller_steps = HALF_RATE.name in removing
    mechanical = smaller_steps or CLIPPED.name in removing

    def shown(cause: Cause, *several: str) -> list[Ranked]:
        names = tuple(name for name in several if name in claimed)
        return [Ranked(cause=cause, arms=names)] if names else []

    data = shown(Cause.DATA, LEFT_OUT.name, OTHER_BATCHES.name)
    data = [one for one in data if len(one.arms) == 2 and not (signs.unstable and smaller_steps)]
    own = _own(list(claimed.values()))
    return (
        *data,
        *shown(Cause.SCHEDULE, RATE_HELD.name),
        *([] if mechanical else shown(Cause.MOMENTUM, EMPTIED.name)),
        *shown(Cause.ROUNDING, FULL_PRECISION.name),
        *([] if smaller_steps else own),
        *(shown(Cause.LAG, FASTER_SECOND.name, LARGER_EPS.name) if signs.lagging else []),
        *shown(Cause.CURVATURE, HALF_RATE.name, CLIPPED.name),
        *(own if smaller_steps else []),
    )


def _own(claimed: Sequence[ArmResult]) -> list[Ranked]:
    """Causes of a user's own arms, the one with the lowest excursion left first."""
    own = sorted((arm for arm in claimed if arm.cause not in _BUILT_IN), key=lambda arm: arm.height or 0.0)
    return [Ranked(cause=arm.cause or arm.name, arms=(arm.name,)) for arm in own]
