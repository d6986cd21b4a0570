"""From two optimizers' scores to a scorecard's rows: every property over all settings together, and in each setting.

Single settings are compared too, since a property that is worse in one and better in another may cancel in the mean.
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
"""Largest probability of any false alarm, over all rows that can raise one."""
_SHARES: Mapping[str, float] = {"mean": 0.6, "count": 0.4}
"""Shares of ALPHA. Counts have enough to be called worse when all of four trainings diverge and none of the reference's."""
_ALONE = 0.05
"""Level at which a row would be called worse if it were the only one."""
_TELLING = "best loss"
"""The row whose numbers agree only if two trainings are the same."""
_WORST: Mapping[str, float] = {DIVERGED: 1.0, "final loss": 6.0}
"""What these rows have where every training diverged: nothing can be worse."""
REFERENCE_LOST = "every training of the reference diverged, so that none can be worse: give it a smaller rate"
_SAME = 1e-9
"""Largest difference between scores of the same training."""

Blocks = Mapping[str, Sequence[float | None]]
Pair = tuple[NDArray[np.float64], NDArray[np.float64]]


class _Compared(Protocol):
    """A difference of candidate and reference, with its bounds and p-values."""

    @property
    def mean(self) -> float: ...
    def low(self, alpha: float) -> float: ...
    def high(self, alpha: float) -> float: ...
    def p_above(self, margin: float) -> float: ...
    def p_below(self, margin: float) -> float: ...
    def detectable(self, margin: float, alpha: float) -> float: ...


@dataclass(frozen=True)
class _Known:
    """A difference without sampling error: between identical trainings, or of a number that does not vary."""

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
    """One row before it is judged: a measure in the setting `where`, or over all settings if that is empty."""

    measure: Measure
    where: str
    pairs: tuple[Pair, ...]
    compared: _Compared

    @property
    def family(self) -> str:
        """The family of rows that share an error; empty if the row cannot raise a false alarm."""
        return self.measure.law if self.measure.alarms and not isinstance(self.compared, _Known) else ""

    def mean(self, side: int) -> float:
        """The mean of the candidate (side 0) or the reference (side 1), with equal weights for all settings."""
        return float(np.mean([pair[side].mean() for pair in self.pairs]))


def rows(
    candidate: Scores,
    reference: Scores,
    alpha: float = ALPHA,
    measures: Sequence[Measure] = MEASURES,
    cost: Sequence[Measure] = COST_MEASURES,
) -> tuple[Row, ...]:
    """Every row for which both have numbers, in the order of the scorecard.

    `measures` are taken from the trainings and `cost` apart from them; `alpha` is the error of all rows together.
    """
    views = list(_views(candidate, reference, measures, cost))
    worse = [view.compared.p_above(view.measure.margin) for view in views]
    better = [view.compared.p_below(-view.measure.margin) for view in views]
    tests_worse, tests_better = _tests(views, worse, alpha), _tests(views, better, alpha)
    return tuple(
        _row(view, tests_worse[place], tests_better[place], worse[place] <= _ALONE, _first(views, view, alpha), alpha)
        for place, view in enumerate(views)
    )


def decided(rows: Sequence[Row], seeds: int) -> tuple[Decision, tuple[str, ...]]:
    """The decision of a gate, and the reasons if it is not decided."""
    if any(row.fails for row in rows):
        return Decision.REGRESSED, ()
    why = [f"{row.title} looks worse, but may not be" for row in rows if row.looks_worse]
    if any(row.reference >= _WORST[row.name] for row in rows if not row.where and row.name in _WORST):
        why.append(REFERENCE_LOST)
    trained = {row.where for row in rows if row.where} or {""}
    if not any(row.alarms and row.name not in (TIME[0], MEMORY[0]) for row in rows):
        why.append("no row has numbers of both")
    elif not can_name(len(trained), seeds):
        why.append(too_few(len(trained), seeds))
    return (Decision.NOT_DECIDED if why else Decision.PASSED), tuple(why)


def can_name(settings: int, seeds: int, alpha: float = ALPHA) -> bool:
    """Whether a candidate that diverges in every training would be called worse than a reference that never does."""
    trainings = settings * seeds
    return Counts(trainings, 0, trainings).p_above() <= alpha * _SHARES["count"] / _counted(settings)


def fewest_seeds(settings: int) -> int:
    """The smallest number of seeds for which `can_name` is true."""
    return next(seeds for seeds in range(2, 100) if can_name(settings, seeds))


def too_few(settings: int, seeds: int) -> str:
    """The message for too few seeds."""
    return (
        f"seeds={seeds}: too few to detect a candidate that diverges in every training; "
        f"use {fewest_seeds(settings)} or more"
    )


def level(settings: int, law: str, alpha: float = ALPHA) -> float:
    """The level at which Holm's method tests the first row of a family, if every row has numbers that vary."""
    if law == "count":
        return alpha * _SHARES[law] / _counted(settings)
    means = sum(measure.law == "mean" and measure.alarms for measure in MEASURES)
    return alpha * _SHARES[law] / (means * _places(settings) + 1)


def not_compared(
    candidate: Scores, reference: Scores, measures: Sequence[Measure] = (*MEASURES, *COST_MEASURES)
) -> tuple[str, ...]:
    """The rows that cannot be compared, each with the side that has no number for it, so that none is dropped silently."""
    missing = []
    for measure in measures:
        sides = {"the candidate": candidate, "the reference": reference}
        lacking = [name for name, side in sides.items() if not _has_numbers(side, measure.name)]
        if lacking and (
            measure.alarms or len(lacking) == 1
        ):  # a description that neither side has is not reported as missing
            missing.append(f"{measure.name}: no number of {' and '.join(lacking)}")
    return tuple(missing)


def _has_numbers(scores: Scores, row: str) -> bool:
    return any(value is not None for values in scores.values.get(row, {}).values() for value in values)


# ---- the differences -------------------------------------------------------------------------------------------------------


def _views(
    candidate: Scores, reference: Scores, measures: Sequence[Measure], cost: Sequence[Measure]
) -> Iterator[_View]:
    """For every measure the row of all settings together, then, if there are several, the row of each setting."""
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
    if measure.either_way:
        differences = [np.abs(block) for block in differences]
    compared: _Compared
    if measure.law == "exact" or pairs.keys() <= same:
        compared = _Known(float(np.mean([block.mean() for block in differences])))
    elif measure.law == "count":
        own, other = (sum(int(pair[side].sum()) for pair in pairs.values()) for side in (0, 1))
        compared = Counts(own, other, sum(map(len, differences)))
    else:
        compared = Difference.of(differences)
    return _View(measure, where, tuple(pairs.values()), compared)


def _same_trainings(candidate: Scores, reference: Scores, measures: Sequence[Measure]) -> frozenset[str]:
    """The settings in which all numbers of all trainings agree, including the best loss.

    The best loss must be among them: two different trainings without spikes agree in all rows about spikes. A row that one
    side lacks altogether, as an older baseline may, says nothing.
    """
    differing = set()
    for measure in measures:
        own, other = candidate.values.get(measure.name, {}), reference.values.get(measure.name, {})
        both = own.keys() | other.keys() if own and other else set()
        differing |= {name for name in both if not _alike(own.get(name, ()), other.get(name, ()))}
    return frozenset(candidate.values.get(_TELLING, {}).keys() - differing)


def _alike(own: Sequence[float | None], other: Sequence[float | None]) -> bool:
    return len(own) == len(other) and all(
        a == b or (a is not None and b is not None and abs(a - b) <= _SAME) for a, b in zip(own, other, strict=True)
    )


def _paired(own: Blocks, other: Blocks) -> dict[str, Pair]:
    """Pairs of numbers by setting, for the seeds for which both sides have a number."""
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


# ---- their significance ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Test:
    """A p-value adjusted for all rows, to compare with ALPHA, and the level at which the row itself was tested."""

    p: float
    at: float


def _tests(views: Sequence[_View], p_values: Sequence[float], alpha: float) -> list[_Test]:
    """Holm's method in every family of rows; a row without a family is tested by itself."""
    tests = [_Test(p, alpha) for p in p_values]
    for law, share in _SHARES.items():
        places = [place for place, view in enumerate(views) if view.family == law]
        own = [p_values[place] for place in places]
        for place, p, at in zip(places, holm(own), levels(own, alpha * share), strict=True):
            tests[place] = _Test(min(1.0, p / share), at)
    return tests


def _first(views: Sequence[_View], view: _View, alpha: float) -> float:
    """The level of the first test in the row's family: a row that is the only one to be worse must be detected at it."""
    fellows = sum(other.family == view.family for other in views)
    return alpha * _SHARES[view.family] / fellows if view.family else alpha


def _row(view: _View, worse: _Test, better: _Test, alone: bool, first: float, alpha: float) -> Row:
    measure, compared = view.measure, view.compared
    low, high = compared.low(worse.at), compared.high(better.at)
    change = Change.UNDECIDED
    if -measure.margin <= low and high <= measure.margin:
        change = Change.SAME
    elif worse.p <= alpha:
        change = Change.WORSE
    elif better.p <= alpha:
        change = Change.BETTER
    lost = measure.name == DIVERGED and compared.mean > measure.margin
    return Row(
        name=measure.name,
        where=view.where,
        unit=measure.unit,
        candidate=view.mean(0),
        reference=view.mean(1),
        difference=compared.mean,
        low=_finite(low),
        high=_finite(high),
        margin=measure.margin,
        p_worse=worse.p,
        p_better=better.p,
        detectable=_finite(compared.detectable(measure.margin, first)),
        pairs=sum(len(own) for own, _ in view.pairs),
        change=change,
        alarms=measure.alarms,
        either_way=measure.either_way,
        looks_worse=measure.alarms and change is Change.UNDECIDED and (alone or lost),
    )


def _counted(settings: int) -> int:
    return sum(measure.law == "count" for measure in MEASURES) * _places(settings)


def _places(settings: int) -> int:
    """Number of rows for each measure: one a setting and, if there are several, one for all of them together."""
    return settings + 1 if settings > 1 else 1


def _finite(number: float) -> float | None:
    return float(number) if np.isfinite(number) else None
