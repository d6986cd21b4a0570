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
    """Every cause that holds, the most specific first; none where no arm removes the spike."""
    removing = {arm.name: arm for arm in arms if arm.effect is Effect.REMOVES}
    smaller_steps = HALF_RATE.name in removing

    def shown(cause: Cause, *names: str) -> list[Ranked]:
        present = tuple(name for name in names if name in removing)
        return [Ranked(cause=cause, arms=present)] if present else []

    own = [
        Ranked(cause=arm.cause, arms=(arm.name,))
        for arm in removing.values()
        if arm.cause not in _BUILT_IN and arm.cause
    ]
    own.sort(key=lambda one: removing[one.arms[0]].height or 0.0)
    return (
        *_data(removing.keys(), unstable=signs.unstable and smaller_steps),
        *shown(Cause.SCHEDULE, RATE_HELD.name),
        *([] if smaller_steps or CLIPPED.name in removing else shown(Cause.MOMENTUM, EMPTIED.name)),
        *shown(Cause.ROUNDING, FULL_PRECISION.name),
        *([] if smaller_steps else own),
        *(shown(Cause.LAG, FASTER_SECOND.name, LARGER_EPS.name) if signs.lagging else []),
        *shown(Cause.CURVATURE, HALF_RATE.name, CLIPPED.name),
        *(own if smaller_steps else []),
    )


def _data(removing: object, *, unstable: bool) -> list[Ranked]:
    names = (LEFT_OUT.name, OTHER_BATCHES.name)
    holds = all(name in removing for name in names) and not unstable  # type: ignore[operator]
    return [Ranked(cause=Cause.DATA, arms=names)] if holds else []
