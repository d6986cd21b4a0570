"""A range of learning rates in which each side of a gate has its best one: read from text, searched on a log grid."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from spikecheck.core.errors import SettingError, UsageError

_EXAMPLE = "--tune lr=1e-4..1e-1"
_RUNGS = 2
"""Coarse rates a decade: on half decades, the same for every range, so that a wider one trains only what is new."""
_REFINED = 2
"""Rounds in which the gaps beside the best rate are halved: an eighth of a decade is left, a factor of 1.33."""
_DECADES = (1, 12)
"""Least and most that a range may span."""
DIVERGED = 6.0
"""Mean log10 of final losses from which on every training has diverged."""


@dataclass(frozen=True)
class RateRange:
    """Learning rates from `low` to `high`."""

    low: float
    high: float

    @classmethod
    def of(cls, text: str) -> "RateRange":
        """Read lr=LOW..HIGH.

        >>> RateRange.of("lr=1e-4..1e-1")
        RateRange(low=0.0001, high=0.1)

        Raises:
            UsageError: when the text is anything else; the message has the remedy.
        """
        name, _, ends = text.partition("=")
        low, dots, high = ends.partition("..")
        if not dots or high.startswith("."):  # of three dots the last would turn 1e-1 into .1e-1
            raise UsageError(f"--tune {text!r}: give a range of rates, such as {_EXAMPLE}")
        if name.strip() != "lr":
            raise UsageError(f"--tune {text!r}: only lr is tuned, as in {_EXAMPLE}; give other numbers with --set")
        found = cls(_rate(text, low), _rate(text, high))
        if found.low >= found.high:
            raise UsageError(f"--tune {text!r}: the range is reversed or empty; give the smaller rate first")
        if not _DECADES[0] - 1e-9 <= found.decades <= _DECADES[1]:
            raise UsageError(
                f"--tune {text!r}: spans {found.decades:.2g} decades; give {_DECADES[0]} to {_DECADES[1]}, such as {_EXAMPLE}"
            )
        return found

    def __str__(self) -> str:
        return f"lr={self.low:.12g}..{self.high:.12g}"

    @property
    def decades(self) -> float:
        """How many powers of ten it spans."""
        return math.log10(self.high) - math.log10(self.low)

    @property
    def middle(self) -> float:
        """The geometric mean of its ends."""
        return _rounded(math.sqrt(self.low) * math.sqrt(self.high))

    @property
    def trainings(self) -> int:
        """Rates that are tried at most."""
        return len(self.coarse()) + 2 * _REFINED

    def coarse(self) -> tuple[float, ...]:
        """Both ends, and the half decades between them; none closer to an end than a quarter of a decade."""
        first, last = (math.log10(end) * _RUNGS for end in (self.low, self.high))
        rungs = range(math.ceil(first + 0.5), math.floor(last - 0.5) + 1)
        return (self.low, *(_rounded(10 ** (rung / _RUNGS)) for rung in rungs), self.high)

    def best(self, losses: Callable[[tuple[float, ...]], Mapping[float, float]], whose: str) -> dict[float, float]:
        """Every rate that was tried with its loss, the best one first.

        Args:
            losses: the mean log10 of final losses at each of these rates; called once a round.
            whose: "candidate" or "reference", for messages.

        Raises:
            SettingError: when every training diverges, or the best rate is an end of the range.
        """
        known = dict(losses(self.coarse()))
        best = self._inner(known, whose)
        for _ in range(_REFINED):
            known |= losses(_beside(best, sorted(known)))
            best = self._inner(known, whose)
        return {best: known[best], **known}

    def _inner(self, known: Mapping[float, float], whose: str) -> float:
        best = min(sorted(known), key=lambda rate: known[rate])
        if known[best] >= DIVERGED:
            lower = RateRange(self.low / 1_000, self.low)
            raise SettingError(
                f"--tune {self}: every training of the {whose} diverges; give smaller rates: --tune {lower}"
            )
        if best in (self.low, self.high):
            wider = RateRange(self.low / 10, self.high) if best == self.low else RateRange(self.low, self.high * 10)
            raise SettingError(
                f"--tune {self}: the best rate of the {whose}, {best:g}, is an end of the range, so a better one may lie "
                f"beyond; give --tune {wider} (what is in the store is not trained again)"
            )
        return best


def _beside(best: float, tried: list[float]) -> tuple[float, ...]:
    """The middles, in the logarithm, of the gaps on both sides of the best rate."""
    place = tried.index(best)
    return tuple(_rounded(math.sqrt(best) * math.sqrt(other)) for other in (tried[place - 1], tried[place + 1]))


def _rate(text: str, number: str) -> float:
    try:
        rate = float(number)
    except ValueError:
        raise UsageError(f"--tune {text!r}: {number.strip()!r} is no number; give a range such as {_EXAMPLE}") from None
    if not 0.0 < rate < math.inf:
        raise UsageError(f"--tune {text!r}: {number.strip()!r} is no rate; give finite numbers greater than 0")
    return rate


def _rounded(rate: float) -> float:
    """Four digits, as they are shown."""
    return float(f"{rate:.4g}")
