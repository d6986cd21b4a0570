"""Amounts of work: seconds on a typical core, by kind of work."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Work = Mapping[str, float]
"""Expected seconds on a typical core, by kind: training, a kind of fork or probe, reading. See `lab.batching.seconds`.

What one kind costs on this machine says little about another kind, so each is measured by itself."""

TRAINING, READING, COMPARISON = "training", "reading", "comparison with the ordinary loop"
STARTING, TIMING, MEASURING = "starting workers", "timing", "measuring memory"


@dataclass(frozen=True)
class Expected:
    """The expected work of one stage."""

    certain: Work = field(default_factory=dict)
    """Work that will be done whatever the results."""
    possible: Work = field(default_factory=dict)
    """Half of what may come in addition, such as another look: results decide whether none, some or all of it does."""

    @property
    def all(self) -> Work:
        """The most likely total."""
        return total(self.certain, self.possible)


def together(stages: Iterable[Expected]) -> Expected:
    """The work of several stages as that of one."""
    known = list(stages)
    return Expected(total(*(one.certain for one in known)), total(*(one.possible for one in known)))


def total(*works: Work) -> Work:
    """The sum of several amounts, kind by kind.

    >>> total({"training": 1.0, "jitter": 2.0}, {"training": 3.0})
    {'training': 4.0, 'jitter': 2.0}
    """
    summed: defaultdict[str, float] = defaultdict(float)
    for work in works:
        for kind, seconds in work.items():
            summed[kind] += seconds
    return dict(summed)


def times(work: Work, factor: float) -> Work:
    """A multiple of an amount.

    >>> times({"training": 1.5}, 2)
    {'training': 3.0}
    """
    return {kind: seconds * factor for kind, seconds in work.items()}
