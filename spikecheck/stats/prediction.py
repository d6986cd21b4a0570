"""The prediction of a claim: a share of seeds, an average over seeds, or a difference too small to matter.

The object that judges also gives the rule's words. Each of its bounds is one-sided, with confidence `level`.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from spikecheck.core.errors import SettingError

_WORDS = (("above", ">"), ("at_least", ">="), ("below", "<"), ("at_most", "<="))

FEWEST_FOR_A_MEAN = 12
"""A mean's interval needs sums of seeds' effects that are nearly normal, which is doubtful for fewer than a dozen seeds."""


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Limits on an effect, and the confidence of its bounds.

    Raises:
        SettingError: no limit is given, a limit is not finite, no number lies within, or `level` is not in (0, 1).
    """

    above: float | None = None
    at_least: float | None = None
    below: float | None = None
    at_most: float | None = None
    level: float = 0.95
    """Confidence of each one-sided bound, in (0, 1)."""

    def __post_init__(self) -> None:
        _in_the_unit_interval("level", self.level)
        given = {name: getattr(self, name) for name, _ in _WORDS if getattr(self, name) is not None}
        if not given:
            raise SettingError(f"{type(self).__name__}(): gives no bound; set above, at_least, below or at_most")
        for name, bound in given.items():
            if not math.isfinite(bound):
                raise SettingError(f"{name}={bound!r}: give a finite number, or leave it out")
        if not self._can_hold():
            named = ", ".join(f"{name}={bound!r}" for name, bound in given.items())
            raise SettingError(f"{named}: no number lies within; the lower bound must be below the upper one")

    def held(self, score: float) -> bool:
        """Whether one effect lies within the limits."""
        return (
            (self.above is None or score > self.above)
            and (self.at_least is None or score >= self.at_least)
            and (self.below is None or score < self.below)
            and (self.at_most is None or score <= self.at_most)
        )

    @property
    def floor(self) -> float | None:
        """The lower limit, excluded or not; None where there is none."""
        return max((bound for bound in (self.above, self.at_least) if bound is not None), default=None)

    @property
    def ceiling(self) -> float | None:
        """The upper limit, excluded or not; None where there is none."""
        return min((bound for bound in (self.below, self.at_most) if bound is not None), default=None)

    def bounds(self, unit: str) -> str:
        """The limits in words."""
        said = [f"{sign} {getattr(self, name):g}" for name, sign in _WORDS if getattr(self, name) is not None]
        return f"{unit} {' and '.join(said)}"

    def toward(self, score: float) -> float:
        """The effect with its sign chosen so that larger is better; between two limits, minus the distance to their middle.

        >>> Average(below=0.0).toward(-2.0), Equivalence(at_least=-1.0, at_most=3.0).toward(2.5)
        (2.0, -1.5)
        """
        if self.floor is not None and self.ceiling is not None:
            return -abs(score - (self.floor + self.ceiling) / 2)
        return score if self.floor is not None else -score

    def beyond(self, score: float) -> float:
        """How far inside the nearest limit an effect lies, in the effect's unit; negative outside.

        >>> Average(at_most=1.0).beyond(0.25), Equivalence(at_least=-1.0, at_most=3.0).beyond(4.0)
        (0.75, -1.0)
        """
        return min(
            math.inf if self.floor is None else score - self.floor,
            math.inf if self.ceiling is None else self.ceiling - score,
        )

    def _can_hold(self) -> bool:
        """Whether any number lies within the limits."""
        lower = -math.inf if self.floor is None else self.floor
        upper = math.inf if self.ceiling is None else self.ceiling
        return lower < upper or (lower == upper and self.held(lower))


@dataclass(frozen=True, kw_only=True)
class Prediction(Bounds):
    """A *share*: the effect lies within the limits in at least the share `of_seeds` of the seeds. For laws and prevalence.

    >>> Prediction(above=0.0).held(0.1), Prediction(at_most=0.05).held(0.06)
    (True, False)
    >>> Prediction(above=0.0).says("gain of mean |cos|")
    'gain of mean |cos| > 0 in at least 80 % of the seeds (exact binomial, each bound at 95 %)'
    """

    of_seeds: float = 0.8
    """The share of seeds below which the claim counts as false, in (0, 1)."""

    def __post_init__(self) -> None:
        _in_the_unit_interval("of_seeds", self.of_seeds)
        super().__post_init__()

    @property
    def estimand(self) -> str:
        """The estimand in one word."""
        return "share"

    def says(self, unit: str) -> str:
        """The whole rule in words."""
        return (
            f"{self.bounds(unit)} in at least {100 * self.of_seeds:g} % of the seeds "
            f"(exact binomial, each bound at {100 * self.level:g} %)"
        )

    def fewest(self) -> int:
        """The smallest number n of applicable seeds with which the claim can hold: of_seeds^n <= 1 - level, if all hold.

        >>> Prediction(above=0.0).fewest()
        14
        """
        return max(1, math.ceil(math.log(1.0 - self.level) / math.log(self.of_seeds)))


@dataclass(frozen=True, kw_only=True)
class Average(Bounds):
    """An *average*: the mean or the median of the seeds' effects lies within the limits. For "can", "on average", "tends to".

    The mean has Student's interval, wider where effects are skewed; the median has the interval of the order statistics. The
    claim fails where the interval lies beyond a limit. With `worth`, it also fails where the interval lies less than `worth`
    beyond the limit: the effect is too small to matter. To hold, the estimate must reach `worth` too.

    >>> Average(above=0.0, worth=0.02, of="median").says("gain")
    'median gain > 0 (order statistics, each bound at 95 %), and the median itself >= 0.02 (fails if both bounds are less)'
    >>> Average(at_most=0.1, of="median").says("mean |cos|")
    'median of mean |cos| <= 0.1 (order statistics, each bound at 95 %)'
    """

    of: Literal["mean", "median"] = "mean"
    worth: float = 0.0
    """Smallest distance beyond its one limit at which an average matters, at least 0; must be 0 with two limits."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.of not in ("mean", "median"):
            raise SettingError(f"of={self.of!r}: give mean or median")
        if not (math.isfinite(self.worth) and self.worth >= 0.0):
            raise SettingError(f"worth={self.worth!r}: give a finite number, at least 0")
        if self.worth and None not in (self.floor, self.ceiling):
            raise SettingError(f"worth={self.worth!r}: between two limits everything counts; leave it out")

    @property
    def estimand(self) -> str:
        """The estimand in one word."""
        return self.of

    @property
    def interval(self) -> str:
        """The method of the average's interval, in words."""
        return "Student's t, wider if skewed" if self.of == "mean" else "order statistics"

    def says(self, unit: str) -> str:
        """The whole rule in words."""
        small = f", {self.worth_says}" if self.worth else ""
        bounds = self.bounds(average_of(unit, self.of))
        return f"{bounds} ({self.interval}, each bound at {100 * self.level:g} %){small}"

    @property
    def worth_says(self) -> str:
        """The condition that `worth` adds, in words; empty where it is 0."""
        if self.worth and self.floor is not None:
            return f"and the {self.of} itself >= {self.floor + self.worth:g} (fails if both bounds are less)"
        if self.worth and self.ceiling is not None:
            return f"and the {self.of} itself <= {self.ceiling - self.worth:g} (fails if both bounds are more)"
        return ""

    def fewest(self) -> int:
        """The smallest number of applicable seeds with which the claim can hold.

        >>> Average(above=0.0).fewest(), Average(above=0.0, of="median").fewest()
        (12, 5)
        """
        return FEWEST_FOR_A_MEAN if self.of == "mean" else max(2, math.ceil(math.log2(1 / (1 - self.level))))


@dataclass(frozen=True, kw_only=True)
class Equivalence(Average):
    """An *equivalence*, for "little difference": the average lies between two limits, by two one-sided tests.

    >>> Equivalence(at_least=-0.1, at_most=0.1).says("gap")
    "mean gap >= -0.1 and <= 0.1 (two one-sided tests, Student's t, wider if skewed, each at 95 %)"
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.floor is None or self.ceiling is None:
            raise SettingError("Equivalence(): takes two limits; give a lower and an upper one")

    @property
    def estimand(self) -> str:
        """The estimand in one word."""
        return "equivalence"

    def says(self, unit: str) -> str:
        """The whole rule in words."""
        bounds = self.bounds(average_of(unit, self.of))
        return f"{bounds} (two one-sided tests, {self.interval}, each at {100 * self.level:g} %)"


Estimand = Prediction | Average
_KINDS: dict[str, type[Prediction | Average]] = {"share": Prediction, "average": Average, "equivalence": Equivalence}

Number = float | str | None


def average_of(effect: str, which: str) -> str:
    """An average over seeds in words. An effect that is itself an average within a seed takes an "of".

    >>> average_of("gain", "mean"), average_of("mean |cos|", "mean"), average_of("median error", "mean")
    ('mean gain', 'mean of mean |cos|', 'mean of median error')
    """
    return f"{which} of {effect}" if effect.startswith(("mean ", "median ")) else f"{which} {effect}"


def as_record(predicts: Estimand) -> dict[str, Number]:
    """A prediction as it is stored in a report.

    >>> as_record(Prediction(above=0.0))
    {'kind': 'share', 'above': 0.0, 'level': 0.95, 'of_seeds': 0.8}
    """
    kind = next(name for name, cls in _KINDS.items() if type(predicts) is cls)
    return {"kind": kind} | {name: value for name, value in asdict(predicts).items() if value is not None}


def from_record(record: Mapping[str, Number]) -> Estimand:
    """The prediction that a report stores.

    Raises:
        SettingError: the record is not a prediction.

    >>> from_record(as_record(Average(below=1.0, worth=0.5))) == Average(below=1.0, worth=0.5)
    True
    """
    given = dict(record)
    kind = given.pop("kind", None)
    if kind not in _KINDS:
        raise SettingError(f"kind={kind!r}: give one of {', '.join(_KINDS)}")
    try:
        return _KINDS[str(kind)](**given)  # type: ignore[arg-type]
    except TypeError as error:
        raise SettingError(f"prediction {dict(record)!r}: {error}") from error


def _in_the_unit_interval(name: str, value: float) -> None:
    if not 0.0 < value < 1.0:
        raise SettingError(f"{name}={value!r}: give a number between 0 and 1, both excluded")
