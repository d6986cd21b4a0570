"""From two optimizers' scores to a scorecard's rows: every property over all settings together, and in each by itself.

What is worse in one setting and better in another would be nothing on the mean.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from spikecheck.core.run import Run
from spikecheck.core.scorecard import Change, Row, Scores
from spikecheck.gate.rows import MARGINS, MEASURES, MEMORY, TIME, Measure
from spikecheck.stats.holm import holm
from spikecheck.stats.paired import Difference, compare

ALPHA = 0.05
"""Probability of any false alarm, at most, over all rows that can raise one."""


def _no_run(run: Run) -> None:
    """Nothing that a training tells: measured beside it."""


_COST = (
    Measure(*TIME, margin=MARGINS[TIME[0]], of=_no_run),
    Measure(*MEMORY, margin=MARGINS[MEMORY[0]], of=_no_run, exact=True),
)
Blocks = Mapping[str, Sequence[float | None]]


def rows(candidate: Scores, reference: Scores, alpha: float = ALPHA) -> tuple[Row, ...]:
    """Every row that both have numbers for, in the order of the scorecard."""
    found = [
        (measure, where, pairs, compare([own - other for own, other in pairs], measure.margin))
        for measure in (*MEASURES, *_COST)
        for where, pairs in _views(
            _paired(candidate.values.get(measure.name, {}), reference.values.get(measure.name, {}))
        )
    ]
    alarming = [place for place, (measure, *_) in enumerate(found) if measure.alarms]
    worse = _adjusted([_p_values(m, d)[0] for m, _, _, d in found], alarming)
    better = _adjusted([_p_values(m, d)[1] for m, _, _, d in found], alarming)
    return tuple(
        Row(
            name=measure.name,
            where=where,
            unit=measure.unit,
            candidate=_mean([own for own, _ in pairs]),
            reference=_mean([other for _, other in pairs]),
            difference=difference.mean,
            low=difference.low,
            high=difference.high,
            margin=measure.margin,
            p_worse=worse[place],
            p_better=better[place],
            pairs=difference.pairs,
            change=_change(measure, difference, worse[place], better[place], alpha),
            alarms=measure.alarms,
        )
        for place, (measure, where, pairs, difference) in enumerate(found)
    )


def not_compared(candidate: Scores, reference: Scores) -> tuple[str, ...]:
    """The rows that cannot be compared, each with the side that has no number for it: silence would pass for health."""
    told = []
    for measure in (*MEASURES, *_COST):
        sides = {"the candidate": candidate, "the reference": reference}
        lacking = [name for name, side in sides.items() if not _has_numbers(side, measure.name)]
        if lacking:
            told.append(f"{measure.name}: no number of {' and '.join(lacking)}")
    return tuple(told)


def _has_numbers(scores: Scores, row: str) -> bool:
    return any(value is not None for values in scores.values.get(row, {}).values() for value in values)


def _change(measure: Measure, found: Difference, p_worse: float, p_better: float, alpha: float) -> Change:
    """Alike where the whole interval lies within the margin; worse or better where the difference is surely beyond it."""
    if -measure.margin <= found.low and found.high <= measure.margin:
        return Change.SAME
    if p_worse <= alpha:
        return Change.WORSE
    return Change.BETTER if p_better <= alpha else Change.UNDECIDED


Pair = tuple[np.ndarray, np.ndarray]


def _views(pairs: Mapping[str, Pair]) -> Iterator[tuple[str, list[Pair]]]:
    """All settings together, then each by itself where there are several."""
    if pairs:
        yield "", list(pairs.values())
    if len(pairs) > 1:
        yield from ((name, [pair]) for name, pair in pairs.items())


def _paired(own: Blocks, other: Blocks) -> dict[str, Pair]:
    """By setting, the seeds for which both have a number."""
    pairs = {}
    for name, values in own.items():
        both = [
            (mine, theirs)
            for mine, theirs in zip(values, other.get(name, ()), strict=False)
            if mine is not None and theirs is not None
        ]
        if both:
            mine, theirs = np.array(both, dtype=np.float64).T
            pairs[name] = mine, theirs
    return pairs


def _p_values(measure: Measure, found: Difference) -> tuple[float, float]:
    """That it is no worse, and no better. What does not vary from seed to seed needs no sample: any difference is sure."""
    if not measure.exact:
        return found.p_above, found.p_below
    return float(found.mean <= measure.margin), float(found.mean >= -measure.margin)


def _adjusted(p_values: Sequence[float], alarming: Sequence[int]) -> list[float]:
    """Holm's, over the rows that can raise an alarm; the others stand for themselves."""
    adjusted = list(p_values)
    for place, p in zip(alarming, holm([p_values[place] for place in alarming]), strict=True):
        adjusted[place] = p
    return adjusted


def _mean(blocks: Sequence[np.ndarray]) -> float:
    return float(np.mean([block.mean() for block in blocks]))
