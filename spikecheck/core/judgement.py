"""One setting's seeds, judged: the smallest answer there is."""

from enum import StrEnum

from pydantic import Field

from spikecheck.core.record import Record
from spikecheck.core.setting import Setting


class Outcome(StrEnum):
    """The answer to one question about a claim."""

    HOLDS = "holds"
    FAILS = "fails"
    UNDECIDED = "undecided"
    """The interval covers the required share: more seeds would tell."""
    UNTRIGGERED = "untriggered"
    """The precondition is too rare to decide on."""
    INVALID = "invalid"
    """The negative control did not fail: the check does not tell what is claimed from what is not."""


class Effect(Record):
    """The effect's median over the applicable seeds with its bootstrap interval; None where no seed applied."""

    unit: str
    median: float | None
    low: float | None
    high: float | None


class Companion(Record):
    """A further effect on the same seeds, reported beside the one that decides and not judged."""

    effect: Effect
    measured: int = Field(ge=0, description="applicable seeds in which it is a number")
    held: int = Field(ge=0, description="seeds in which the claim's prediction would have held for it")


class Judgement(Record):
    """One setting's seeds, judged by the claim's prediction."""

    setting: Setting
    outcome: Outcome
    drawn: int = Field(ge=0, description="seeds trained")
    applicable: int = Field(ge=0, description="seeds in which the precondition held")
    held: int = Field(ge=0, description="applicable seeds in which the prediction held")
    low: float = Field(description="lower bound on the share that holds")
    high: float = Field(description="upper bound on the share that holds")
    required: float = Field(description="the share that the claim requires")
    level: float = Field(description="confidence of each bound")
    effect: Effect
    numerical_failures: int = Field(0, ge=0, description="seeds that count neither for nor against")
    seeds: tuple[int, ...] = ()
    scores: tuple[float | None, ...] = Field((), description="the effect by seed; None where not applicable")
    companions: tuple[Companion, ...] = ()
