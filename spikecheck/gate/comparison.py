"""From two optimizers' scores to a scorecard's rows: every property in each setting by itself, and over all settings together.

What is worse in one setting and better in another would be nothing on the mean.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from spikecheck.core.scorecard import Change, Decision, Row, Scores
from spikecheck.gate.metrics import COST_MEASURES, DIVERGED, MEASURES, MEMORY, TIME, Measure
from spikecheck.stats.holm import holm, levels
from spikecheck.stats.paired import Difference
from spikecheck.stats.proportions import Counts

ALPHA = 0.05
"""Probability of any false alarm, at most, over all rows that can raise one."""
_SHARES: Mapping[str, float] = {"mean": 0.6, "count": 0.4}
"""Of ALPHA. Counts have their own: where all of four trainings diverge and none of four did, they name it."""
_ALONE = 0.05
"""Error at which a row would be called worse if it were the only one."""
_TELLING = "best loss"
"""The row whose number two trainings share only if they are one."""
_SAME = 1e-9
"""Scores that differ by no more are of the same training."""

Blocks = Mapping[str, Sequence[float | None]]
Pair = tuple[NDArray[np.float64], NDArray[np.float64]]


class _Compared(Protocol):
    """A difference, with what can be said of it at any error."""

    @property
    def mean(self) -> float: ...
    def low(self, alpha: float) -> float: ...
    def high(self, alpha: float) -> float: ...
    def p_above(self, margin: float) -> float: ...
    def p_below(self, margin: float) -> float: ...
    def detectable(self, margin: float, alpha: float) -> float: ...


@dataclass(frozen=True)
class _Known:
    """A difference that needs no sample: of trainings that are the same, or of a number that does not vary."""

    mean: float

    def low(self, alpha: float) -> float:
        return self.mean

    def high(self, alpha: float) -> float:
        return self.mean

    def p_above(self, margin: float) -> float:
        return float(self.mean <= margin)

    def p_below(self, margin: float) -> float:
        return float(self.mean >= margin)

    def detectable(self, margin: float, alpha: float) -> float:
        return margin


@dataclass(frozen=True)
class _View:
    """One row before it is judged: a measure in a setting, or over all of them where that has no name."""

    measure: Measure
    where: str
    pairs: tuple[Pair, ...]
    found: _Compared

    @property
    def family(self) -> str:
        """The rows that share an error; of none where nothing is at risk."""
        return self.measure.law if self.measure.alarms and not isinstance(self.found, _Known) else ""

    def mean(self, side: int) -> float:
        """The candidate's or the reference's, every setting weighing the same."""
        return float(np.mean([pair[side].mean() for pair in self.pairs]))


def rows(
    candidate: Scores,
    reference: Scores,
    alpha: float = ALPHA,
    measures: Sequence[Measure] = MEASURES,
    cost: Sequence[Measure] = COST_MEASURES,
) -> tuple[Row, ...]:
    """Every row that both have numbers for: of the trainings' `measures` and of `cost`, which is measured beside them."""
    views = list(_views(candidate, reference, measures, cost))
    worse = [view.found.p_above(view.measure.margin) for view in views]
    better = [view.found.p_below(-view.measure.margin) for view in views]
    tests_worse, tests_better = _tests(views, worse, alpha), _tests(views, better, alpha)
    return tuple(
        _row(view, tests_worse[place], tests_better[place], worse[place] <= _ALONE, _first(views, view, alpha), alpha)
        for place, view in enumerate(views)
    )


def decided(found: Sequence[Row], seeds: int) -> tuple[Decision, tuple[str, ...]]:
    """What a gate comes to, and where it is not decided why."""
    if any(row.fails for row in found):
        return Decision.REGRESSED, ()
    why = [f"{row.title} looks worse and is not sure" for row in found if row.looks_worse]
    trained = {row.where for row in found if row.where} or {""}
    if not any(row.alarms and row.name not in (TIME[0], MEMORY[0]) for row in found):
        why.append("no row has numbers of both")
    elif not can_name(len(trained), seeds):
        why.append(too_few(len(trained), seeds))
    return (Decision.NOT_DECIDED if why else Decision.PASSED), tuple(why)


def can_name(settings: int, seeds: int, alpha: float = ALPHA) -> bool:
    """Whether a candidate that diverges in every training would be called worse than a reference that never does."""
    trainings = settings * seeds
    return Counts(trainings, 0, trainings).p_above() <= alpha * _SHARES["count"] / _counted(settings)


def fewest_seeds(settings: int) -> int:
    """How many seeds that takes."""
    return next(seeds for seeds in range(2, 100) if can_name(settings, seeds))


def too_few(settings: int, seeds: int) -> str:
    """What is said where it does not."""
    return (
        f"seeds={seeds}: too few to name a candidate that diverges in every training; "
        f"{fewest_seeds(settings)} or more can"
    )


def level(settings: int, law: str, alpha: float = ALPHA) -> float:
    """The error at which Holm's method tests the first row, where every row has numbers and some error."""
    if law == "count":
        return alpha * _SHARES[law] / _counted(settings)
    means = sum(measure.law == "mean" and measure.alarms for measure in MEASURES)
    return alpha * _SHARES[law] / (means * _places(settings) + 1)


def not_compared(
    candidate: Scores, reference: Scores, measures: Sequence[Measure] = (*MEASURES, *COST_MEASURES)
) -> tuple[str, ...]:
    """The rows that cannot be compared, each with the side that has no number for it: silence would pass for health."""
    told = []
    for measure in measures:
        sides = {"the candidate": candidate, "the reference": reference}
        lacking = [name for name, side in sides.items() if not _has_numbers(side, measure.name)]
        if lacking:
            told.append(f"{measure.name}: no number of {' and '.join(lacking)}")
    return tuple(told)


def _has_numbers(scores: Scores, row: str) -> bool:
    return any(value is not None for values in scores.values.get(row, {}).values() for value in values)


# ---- what is compared ------------------------------------------------------------------------------------------------------


def _views(
    candidate: Scores, reference: Scores, measures: Sequence[Measure], cost: Sequence[Measure]
) -> Iterator[_View]:
    """Of every measure all settings together, then each by itself where there are several."""
    same = _same_trainings(candidate, reference, measures)
    for measure in (*measures, *cost):
        pairs = _paired(candidate.values.get(measure.name, {}), reference.values.get(measure.name, {}))
        if pairs:
            yield _view(measure, "", pairs, same)
        if len(pairs) > 1:
            for name, pair in pairs.items():
                yield _view(measure, name, {name: pair}, same)


def _view(measure: Measure, where: str, pairs: Mapping[str, Pair], same: frozenset[str]) -> _View:
    differences = [own - other for own, other in pairs.values()]
    found: _Compared
    if measure.law == "exact" or pairs.keys() <= same:
        found = _Known(float(np.mean([block.mean() for block in differences])))
    elif measure.law == "count":
        own, other = (sum(int(pair[side].sum()) for pair in pairs.values()) for side in (0, 1))
        found = Counts(own, other, sum(map(len, differences)))
    else:
        found = Difference.of(differences)
    return _View(measure, where, tuple(pairs.values()), found)


def _same_trainings(candidate: Scores, reference: Scores, measures: Sequence[Measure]) -> frozenset[str]:
    """The settings in which every number of every training is the same, its best loss among them.

    No spikes in either would not make two trainings one.
    """
    differing = set()
    for measure in measures:
        own, other = candidate.values.get(measure.name, {}), reference.values.get(measure.name, {})
        differing |= {name for name in own.keys() | other.keys() if not _alike(own.get(name, ()), other.get(name, ()))}
    return frozenset(candidate.values.get(_TELLING, {}).keys() - differing)


def _alike(own: Sequence[float | None], other: Sequence[float | None]) -> bool:
    return len(own) == len(other) and all(
        a == b or (a is not None and b is not None and abs(a - b) <= _SAME) for a, b in zip(own, other, strict=True)
    )


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


# ---- how sure it is --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Test:
    """A p-value adjusted for all rows, to be held against ALPHA, and the error at which the row itself was tested."""

    p: float
    at: float


def _tests(views: Sequence[_View], p_values: Sequence[float], alpha: float) -> list[_Test]:
    """Holm's method in every family of rows; a row of no family stands for itself."""
    tests = [_Test(p, alpha) for p in p_values]
    for law, share in _SHARES.items():
        places = [place for place, view in enumerate(views) if view.family == law]
        own = [p_values[place] for place in places]
        for place, p, at in zip(places, holm(own), levels(own, alpha * share), strict=True):
            tests[place] = _Test(min(1.0, p / share), at)
    return tests


def _first(views: Sequence[_View], view: _View, alpha: float) -> float:
    """The error at which the first row of its family is tested: what alone is worse has to be named at it."""
    fellows = sum(other.family == view.family for other in views)
    return alpha * _SHARES[view.family] / fellows if view.family else alpha


def _row(view: _View, worse: _Test, better: _Test, alone: bool, first: float, alpha: float) -> Row:
    measure, found = view.measure, view.found
    low, high = found.low(worse.at), found.high(better.at)
    change = Change.UNDECIDED
    if -measure.margin <= low and high <= measure.margin:
        change = Change.SAME
    elif worse.p <= alpha:
        change = Change.WORSE
    elif better.p <= alpha:
        change = Change.BETTER
    lost = measure.name == DIVERGED and found.mean > measure.margin
    return Row(
        name=measure.name,
        where=view.where,
        unit=measure.unit,
        candidate=view.mean(0),
        reference=view.mean(1),
        difference=found.mean,
        low=_finite(low),
        high=_finite(high),
        margin=measure.margin,
        p_worse=worse.p,
        p_better=better.p,
        detectable=_finite(found.detectable(measure.margin, first)),
        pairs=sum(len(own) for own, _ in view.pairs),
        change=change,
        alarms=measure.alarms,
        looks_worse=measure.alarms and change is Change.UNDECIDED and (alone or lost),
    )


def _counted(settings: int) -> int:
    return sum(measure.law == "count" for measure in MEASURES) * _places(settings)


def _places(settings: int) -> int:
    """Each setting, and where there are several all of them together."""
    return settings + 1 if settings > 1 else 1


def _finite(number: float) -> float | None:
    return float(number) if np.isfinite(number) else None
