"""What a claim predicts, and of how many seeds: the one rule by which everything is judged."""

import math
from dataclasses import dataclass

from spikecheck.core.errors import SettingError

_WORDS = (("above", ">"), ("at_least", ">="), ("below", "<"), ("at_most", "<="))


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """A seed's effect lies within the bounds, in at least the share `of_seeds` of the seeds, at confidence `level`.

    >>> Prediction(above=0.0).held(0.1), Prediction(at_most=0.05).held(0.06)
    (True, False)
    >>> Prediction(above=0.0).says("gain of mean |cos|")
    'gain of mean |cos| > 0 in at least 80 % of the seeds (exact binomial, each bound at 95 %)'
    """

    above: float | None = None
    at_least: float | None = None
    below: float | None = None
    at_most: float | None = None
    of_seeds: float = 0.8
    """The share of seeds below which the claim counts as false, in (0, 1)."""
    level: float = 0.95
    """Confidence of each one-sided bound on that share, in (0, 1)."""

    def __post_init__(self) -> None:
        for name in ("of_seeds", "level"):
            value = getattr(self, name)
            if not 0.0 < value < 1.0:
                raise SettingError(f"{name}={value!r}: give a number between 0 and 1, both excluded")
        given = {name: getattr(self, name) for name, _ in _WORDS if getattr(self, name) is not None}
        if not given:
            raise SettingError("Prediction(): gives no bound; set above, at_least, below or at_most")
        for name, bound in given.items():
            if not math.isfinite(bound):
                raise SettingError(f"{name}={bound!r}: give a finite number, or leave it out")
        if not self._can_hold():
            named = ", ".join(f"{name}={bound!r}" for name, bound in given.items())
            raise SettingError(f"{named}: no number lies within; the lower bound must be below the upper one")

    def held(self, score: float) -> bool:
        """Whether one seed's effect lies within the bounds."""
        return (
            (self.above is None or score > self.above)
            and (self.at_least is None or score >= self.at_least)
            and (self.below is None or score < self.below)
            and (self.at_most is None or score <= self.at_most)
        )

    @property
    def floor(self) -> float | None:
        """The lower bound, whether or not it is excluded; None where there is none."""
        return max((bound for bound in (self.above, self.at_least) if bound is not None), default=None)

    @property
    def ceiling(self) -> float | None:
        """The upper bound, whether or not it is excluded; None where there is none."""
        return min((bound for bound in (self.below, self.at_most) if bound is not None), default=None)

    def bounds(self, unit: str) -> str:
        """The bounds on one seed's effect in words."""
        said = [f"{sign} {getattr(self, name):g}" for name, sign in _WORDS if getattr(self, name) is not None]
        return f"{unit} {' and '.join(said)}"

    def says(self, unit: str) -> str:
        """The whole rule in words."""
        return (
            f"{self.bounds(unit)} in at least {100 * self.of_seeds:g} % of the seeds "
            f"(exact binomial, each bound at {100 * self.level:g} %)"
        )

    def fewest(self) -> int:
        """The fewest applicable seeds with which the claim could hold: all of them, and p0^n <= 1 - level.

        >>> Prediction(above=0.0).fewest()
        14
        """
        return max(1, math.ceil(math.log(1.0 - self.level) / math.log(self.of_seeds)))

    def _can_hold(self) -> bool:
        """Whether any number lies within the bounds."""
        lower = -math.inf if self.floor is None else self.floor
        upper = math.inf if self.ceiling is None else self.ceiling
        return lower < upper or (lower == upper and self.held(lower))
