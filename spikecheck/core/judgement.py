"""One setting's seeds, judged: the smallest answer there is."""

from enum import StrEnum
from typing import Literal

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
    """A control says that the check cannot tell what is claimed from what is not."""


class Effect(Record):
    """The effect's averages over the applicable seeds, each with two one-sided bounds; None where so few seeds allow none."""

    unit: str
    median: float | None
    low: float | None = Field(description="lower bound on the median, by order statistics")
    high: float | None = Field(description="upper bound on the median")
    mean: float | None = None
    mean_low: float | None = Field(None, description="lower bound on the mean, Student's t, wider where skewed")
    mean_high: float | None = Field(None, description="upper bound on the mean")


class ConditionJudged(Record):
    """A further average that must be as predicted for the claim to hold, on the same seeds."""

    rule: str = Field(description="in words")
    predicts: dict[str, float | str] = Field(default_factory=dict, description="the rule as numbers")
    outcome: Outcome
    effect: Effect
    applicable: int = Field(ge=0, description="seeds in which it is a number")
    scores: tuple[float, ...] = Field((), description="those numbers")


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
    required: float | None = Field(
        description="the share that the claim requires; null where an average decides and no share is required"
    )
    level: float = Field(description="confidence of each bound")
    estimand: Literal["share", "mean", "median", "equivalence"] = Field(
        "share", description="what decides: the share of seeds that held, or the average effect"
    )
    effect: Effect
    numerical_failures: int = Field(0, ge=0, description="seeds that count neither for nor against")
    seeds: tuple[int, ...] = ()
    scores: tuple[float | None, ...] = Field((), description="the effect by seed; None where not applicable")
    companions: tuple[Companion, ...] = ()
    conditions: tuple[ConditionJudged, ...] = Field((), description="further averages that decide as well")
    would_decide: int | None = Field(
        None, description="where undecided: about how many seeds would decide if share and spread stay as they are"
    )


class Contrast(Record):
    """By how much the claim's estimate exceeds its negative control's on the seeds to which both apply."""

    outcome: Outcome = Field(description="holds: surely by more than the margin; fails: surely not")
    estimate: float | None = Field(description="difference of shares, or average of paired differences")
    low: float | None
    high: float | None
    margin: float = Field(description="what it must exceed")
    pairs: int = Field(ge=0, description="seeds to which both apply")


class FurtherControl(Record):
    """A further negative control on the same seeds: it guards the answer as the first one does."""

    says: str = Field(description="what it is")
    judgement: Judgement
    contrast: Contrast


class Answer(Record):
    """Everything that stands behind one quoted answer: a setting on fresh seeds, and what guards it."""

    role: str = Field(description="reference, weakest, counterexample, strongest, or the name of a setting beside")
    outcome: Outcome = Field(description="the judgement's, unless a control takes it back")
    reason: str = Field("", description="why it is not what the judgement alone would say")
    judgement: Judgement
    control: Judgement | None = Field(None, description="the negative control on the same seeds; null: not reached")
    contrast: Contrast | None = None
    also_not: tuple[FurtherControl, ...] = Field((), description="further negative controls, where the claim holds")
    positive: Judgement | None = Field(
        None, description="the positive control on the same seeds; null: none, or not reached"
    )
