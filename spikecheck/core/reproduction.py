"""A recorded judgement made again: what a report's line records of it, and how well it is reproduced.

Three degrees. *Bitwise*: the same outcome, and every seed's effect has the same bits. *Statistically*: the same outcome, and
the recorded estimate lies within the new judgement's interval. Both use the same seeds, so that a difference beyond the
interval is more than sampling error. *Not*: anything else.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from pydantic import Field

from spikecheck.core.errors import UsageError
from spikecheck.core.judgement import Judgement, Outcome
from spikecheck.core.record import Record
from spikecheck.core.replay_lines import replay_line
from spikecheck.core.setting import Setting

_DIGITS = 8
"""Hexadecimal digits of a digest: two lists agree by chance once in 4e9 pairs."""
_DIGEST = rf"^[0-9a-f]{{{_DIGITS}}}$"


class Recorded(Record):
    """A judgement's outcome, the estimate that decided it, and digests of its seeds and of their effects.

    >>> Recorded(outcome="fails", estimate=0.0425, seeds="3fa2b01c", effects="1f9ac03b").text()
    'fails,0.0425,3fa2b01c,1f9ac03b'
    >>> read("fails,0.0425,3fa2b01c,1f9ac03b").estimate
    0.0425
    """

    outcome: Outcome
    estimate: float | None = Field(description="the share of seeds, or the average effect; None where no seed applies")
    seeds: str = Field(pattern=_DIGEST, description="seeds follow from setting, root seed and number, and tell an edit")
    effects: str = Field(pattern=_DIGEST, description="equal only if every seed's effect has the same bits")

    @classmethod
    def of(cls, judgement: Judgement) -> Self:
        """The recorded part of a judgement."""
        estimate, _, _ = decisive(judgement)
        seeds, effects = _digest(judgement.seeds), _digest(judgement.scores)
        return cls(outcome=judgement.outcome, estimate=estimate, seeds=seeds, effects=effects)

    def text(self) -> str:
        """OUTCOME,ESTIMATE,SEEDS,EFFECTS. Six digits of the estimate are enough for a comparison with an interval."""
        estimate = "none" if self.estimate is None else f"{self.estimate:.6g}"
        return f"{self.outcome},{estimate},{self.seeds},{self.effects}"


def read(text: str) -> Recorded:
    """Read what `Recorded.text` wrote.

    Raises:
        UsageError: the text is something else.
    """
    try:
        outcome, said, seeds, effects = text.split(",")
        estimate = None if said == "none" else float(said)
        return Recorded(outcome=Outcome(outcome), estimate=estimate, seeds=seeds, effects=effects)
    except (ValueError, UsageError) as error:
        form = "OUTCOME,ESTIMATE,SEEDS,EFFECTS"
        raise UsageError(f"--gave {text!r}: is not {form}; copy it whole from the report's line") from error


def compared_line(claim: Sequence[str], judgement: Judgement, reference: Setting, seed: int) -> str:
    """The shell command that makes a judgement again and says whether it reproduces."""
    line = replay_line(claim, judgement.setting, reference, seed, judgement.drawn)
    return f"{line} --gave {Recorded.of(judgement).text()}"


def _digest(values: Sequence[float | None]) -> str:
    """The start of sha256 over the values as JSON, which writes a float with as many digits as its bits need."""
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:_DIGITS]


def decisive(judgement: Judgement) -> tuple[float | None, float | None, float | None]:
    """Estimate, lower and upper bound of what decides: share, median, or mean (also for an equivalence)."""
    if judgement.estimand == "share":
        share = judgement.held / judgement.applicable if judgement.applicable else None
        return share, judgement.low, judgement.high
    effect = judgement.effect
    if judgement.estimand == "median":
        return effect.median, effect.low, effect.high
    return effect.mean, effect.mean_low, effect.mean_high


class Degree(StrEnum):
    """How well a judgement is reproduced."""

    BITWISE = "bitwise"
    STATISTICALLY = "statistically"
    NOT = "not"


@dataclass(frozen=True)
class Reproduction:
    """The comparison of a recorded judgement with the one made now."""

    recorded: Recorded
    now: Judgement
    differs: tuple[str, ...] | None = None
    """What differs between then and now; None where only a report's line is known, which names no environment."""

    @property
    def same_seeds(self) -> bool:
        """Whether the seeds are the recorded ones; others mean that the recorded setting or root seed was edited."""
        return self.recorded.seeds == _digest(self.now.seeds)

    @property
    def degree(self) -> Degree:
        """How well the recorded judgement is reproduced."""
        if not self.same_seeds or self.recorded.outcome is not self.now.outcome:
            return Degree.NOT
        if self.recorded.effects == _digest(self.now.scores):
            return Degree.BITWISE
        return Degree.STATISTICALLY if self._within() else Degree.NOT

    def _within(self) -> bool:
        estimate, low, high = decisive(self.now)
        if self.recorded.estimate is None or estimate is None:
            return self.recorded.estimate is estimate
        return low is not None and high is not None and low <= self.recorded.estimate <= high
