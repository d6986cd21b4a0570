"""The judgement of one setting's seeds: the smallest unit of a verdict."""

from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from spikecheck.core.errors import SettingError
from spikecheck.core.record import Record
from spikecheck.core.setting import Setting

Share = Annotated[float, Field(ge=0.0, le=1.0)]
"""A part of a whole."""


def parts_in_order(name: str, *counts: tuple[str, int]) -> None:
    """Demand that each of these named counts is at most the next one, which it is a part of.

    Raises:
        SettingError: one is larger.
    """
    for (part, some), (whole, every) in pairwise(counts):
        if some > every:
            raise SettingError(f"{name}.{part}: is {some}, more than {whole}, {every}")


class Outcome(StrEnum):
    """The answer to one question about a claim."""

    HOLDS = "holds"
    FAILS = "fails"
    UNDECIDED = "undecided"
    """The interval contains the required value: more seeds would decide."""
    UNTRIGGERED = "untriggered"
    """Too few seeds meet the precondition to decide anything."""
    INVALID = "invalid"
    """A control shows that the check cannot distinguish the claim from its absence."""


class Effect(Record):
    """The effect's averages over the applicable seeds, each with two one-sided bounds; None where there are too few seeds."""

    unit: str
    median: float | None
    low: float | None = Field(description="lower bound on the median, by order statistics")
    high: float | None = Field(description="upper bound on the median")
    mean: float | None = None
    mean_low: float | None = Field(None, description="lower bound on the mean, Student's t, wider where skewed")
    mean_high: float | None = Field(None, description="upper bound on the mean")


class ConditionJudged(Record):
    """An additional average, on the same seeds, that must also be as predicted for the claim to hold."""

    rule: str = Field(description="the rule in words")
    predicts: dict[str, float | str] = Field(default_factory=dict, description="the rule as numbers")
    outcome: Outcome
    effect: Effect
    applicable: int = Field(ge=0, description="seeds in which the effect is a number")
    scores: tuple[float, ...] = Field((), description="the effect by seed, where it is a number")


class Companion(Record):
    """An additional effect on the same seeds; it is reported and not judged."""

    effect: Effect
    measured: int = Field(ge=0, description="applicable seeds in which the effect is a number")
    held: int = Field(ge=0, description="seeds in which the claim's prediction would have held for this effect")

    @model_validator(mode="after")
    def _counts_fit(self) -> Self:
        parts_in_order("companion", ("held", self.held), ("measured", self.measured))
        return self


class Judgement(Record):
    """One setting's seeds, judged against the claim's prediction."""

    setting: Setting
    outcome: Outcome
    drawn: int = Field(ge=0, description="seeds trained")
    applicable: int = Field(ge=0, description="seeds in which the precondition held")
    held: int = Field(ge=0, description="applicable seeds in which the prediction held")
    low: Share = Field(description="lower bound on the share that holds")
    high: Share = Field(description="upper bound on the share that holds")
    required: Share | None = Field(
        description="the share that the claim requires; null where an average decides and no share is required"
    )
    level: Share = Field(description="confidence of each bound")
    estimand: Literal["share", "mean", "median", "equivalence"] = Field(
        "share", description="what decides: the share of seeds that held, or the average effect"
    )
    effect: Effect
    numerical_failures: int = Field(0, ge=0, description="seeds that count neither for nor against")
    seeds: tuple[int, ...] = ()
    scores: tuple[float | None, ...] = Field((), description="the effect by seed; None where not applicable")
    companions: tuple[Companion, ...] = ()
    conditions: tuple[ConditionJudged, ...] = Field((), description="additional averages that decide as well")
    would_decide: int | None = Field(
        None,
        description="if undecided: approximate number of seeds that would decide, if share and spread stay the same",
    )

    @model_validator(mode="after")
    def _counts_fit(self) -> Self:
        parts_in_order("judgement", ("held", self.held), ("applicable", self.applicable), ("drawn", self.drawn))
        return self


class Contrast(Record):
    """How much the claim's estimate exceeds its negative control's, on the seeds to which both apply."""

    outcome: Outcome = Field(description="holds: significantly above the margin; fails: significantly too small")
    estimate: float | None = Field(description="difference of shares, or average of paired differences")
    low: float | None
    high: float | None
    margin: float = Field(description="the value that the difference must exceed")
    pairs: int = Field(ge=0, description="seeds to which both apply")


class FurtherControl(Record):
    """An additional negative control on the same seeds: it guards the answer as the first one does."""

    says: str = Field(description="the control in words")
    judgement: Judgement
    contrast: Contrast


class Answer(Record):
    """The evidence for one quoted answer: a setting judged on fresh seeds, and its controls."""

    role: str = Field(
        description="reference, weakest, counterexample, strongest, or the name of a setting off the ladders"
    )
    outcome: Outcome = Field(description="the judgement's outcome, unless a control overrules it")
    reason: str = Field("", description="why the outcome differs from the judgement's")
    judgement: Judgement
    control: Judgement | None = Field(None, description="the negative control on the same seeds; null: not reached")
    contrast: Contrast | None = None
    also_not: tuple[FurtherControl, ...] = Field((), description="additional negative controls, where the claim holds")
    positive: Judgement | None = Field(
        None, description="the positive control on the same seeds; null: none, or not reached"
    )
