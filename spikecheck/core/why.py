"""Why a training's loss spiked, as it is reported: arms, their forks, and the cause that they name."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from spikecheck.core.record import Record

HIGHEST = 1e6
"""Spreads that stand for a loss that is not finite; finite heights count as no larger."""


class Cause(StrEnum):
    """What made a loss spike. An arm of a user's own may name another."""

    DATA = "data"
    SCHEDULE = "schedule"
    MOMENTUM = "momentum"
    ROUNDING = "rounding"
    LAG = "second moment lags"
    DECAYED = "second moment too small"
    CURVATURE = "step too large for the curvature"


class Effect(StrEnum):
    """What an arm did to the spike, by its sequential test."""

    REMOVES = "removes it"
    LEAVES = "leaves it"
    UNDECIDED = "not decided"
    NOT_APPLICABLE = "does not apply"


class Outcome(StrEnum):
    """How the question ended."""

    CAUSE = "cause"
    BENIGN = "benign"
    """The spike, or every one, was over in a few steps and cost nothing."""
    NO_SPIKE = "no spike"
    """None was found; or, at a step that a user names, a rise that is within the noise."""
    NO_CAUSE = "no arm removes it"
    CHAOTIC = "chaotic"
    """The placebo's forks do not spike again."""
    NOT_REPRODUCIBLE = "not reproducible"
    STOPPED = "stopped"
    """The budget was spent, or Ctrl-C pressed, before the arms were judged."""


class Spike(Record):
    """The spike that is explained."""

    onset: int = Field(description="first step of the excursion")
    peak: int
    over: int | None = Field(description="first step of the calm after it; null where the loss stayed up")
    height: float = Field(
        description="of the peak above the level, in spreads; 1e6 stands for a loss that is not finite"
    )
    level: float = Field(description="median of the losses before")
    spread: float = Field(description="their robust spread")
    loss: float | None = Field(description="at the peak; null where it is not finite")
    benign: bool


class Fork(Record):
    """One training from the fork on."""

    number: int = Field(description="seeds the nudge of its weights")
    height: float = Field(description="of its excursion, mean of five losses, in spreads; at most 1e6")
    spikes: bool = Field(description="whether the detector raises an alarm, or the height is at least half the run's")
    removed: bool | None = Field(description="whether the spike is gone; null for placebo and again")
    late: float | None = Field(description="median of its last losses; null where one is not finite")
    losses: tuple[float | None, ...] = Field(description="of every step since the fork; null where not finite")


class ArmResult(Record):
    """One arm's forks."""

    name: str
    question: str
    cause: str | None = Field(description="what it names where it removes the spike; null for placebo and again")
    remedy: str = Field("", description="what a user would change")
    effect: Effect
    reason: str = Field("", description="why it does not apply")
    forks: tuple[Fork, ...] = ()
    hits: int = Field(0, description="forks without the spike; for placebo and again, with it")
    low: float = Field(0.0, description="lower end of the 95 % interval of their share, Clopper-Pearson")
    high: float = 1.0
    p: float = Field(1.0, description="of removing it no more often than the placebo, valid whenever one stops")
    p_holm: float = Field(1.0, description="p after Holm's correction over the arms that apply")
    claimed: bool = Field(False, description="whether p_holm is at most 5 %")
    height: float | None = Field(None, description="median over its forks, in spreads")
    cost: float | None = Field(None, description="median late loss less that of the placebo")

    @property
    def tested(self) -> bool:
        """Whether it asks for a cause, unlike placebo and again."""
        return self.cause is not None


class LayerSign(Record):
    """One layer before the onset."""

    name: str
    surprise: float = Field(
        description="root mean square of |g|/√v over 8 steps, v the second moment: the largest in the 32 before the onset"
    )
    usual: float = Field(description="the largest of such means over the steps before those 32, 8 by 8")


class Signs(Record):
    """What was measured along the training before the onset."""

    overshoot: float | None = Field(None, description="median of the steps just before the onset; above 1: unstable")
    overshoots: tuple[tuple[int, float], ...] = Field((), description="step and overshoot, where it was resolved")
    layers: tuple[LayerSign, ...] = Field((), description="the most lagging first")
    missing: str = Field("", description="why nothing was measured")

    @property
    def unstable(self) -> bool:
        """Whether the steps just before the onset overshot: 1 is the threshold of stability."""
        return self.overshoot is not None and self.overshoot > 1.0

    @property
    def lagging(self) -> LayerSign | None:
        """The layer whose second moment under-estimates the squared gradient most, if any does."""
        behind = [layer for layer in self.layers if layer.surprise > 1.0 and layer.surprise >= 1.5 * layer.usual]
        return max(behind, key=lambda layer: layer.surprise, default=None)


class Ranked(Record):
    """A cause that holds, and the arms that show it."""

    cause: str
    arms: tuple[str, ...]


class Fall(Record):
    """The loss was lower before the spike than before that, and the spike is its return."""

    step: int = Field(description="at which forks begin; the loss fell about there")
    earlier: float = Field(description="median of the losses before that step")
    between: float = Field(description="median of the losses from there to the onset")
    now: float = Field(description="median of the losses since")


class Answer(Record):
    """Why a training's loss spiked."""

    schema_: Literal["spikecheck/why@1"] = Field("spikecheck/why@1", alias="schema")
    outcome: Outcome
    sentence: str = Field(description="the answer in words")
    cause: str | None = None
    causes: tuple[Ranked, ...] = Field((), description="all that hold, the most specific first")
    spike: Spike | None = None
    others: tuple[int, ...] = Field((), description="onsets of further spikes")
    highest: tuple[int, float] | None = Field(
        None, description="where there is no spike: step and height, in spreads, of the highest excursion"
    )
    start: int | None = Field(None, description="step at which the forks begin")
    end: int | None = Field(None, description="step before which they end")
    batches: tuple[int, int] | None = Field(None, description="first and last step of the batches that were left out")
    fall: Fall | None = Field(
        None,
        description="where the spike is a return; if a cause is named, the arms' counts and heights are of the fall",
    )
    differs_at: int | None = Field(None, description="first step at which the training, made again, was not the same")
    arms: tuple[ArmResult, ...] = ()
    signs: Signs = Field(default_factory=lambda: Signs())  # noqa: PLW0108 - mypy's plugin wants a callable of no argument
    losses: tuple[tuple[int, float | None], ...] = Field((), description="of the first run around the spike")
    notes: tuple[str, ...] = Field((), description="what the answer cannot tell")
    workload: str = ""
    seed: int | None = None
    command: str = ""
    seconds: float = 0.0
    environment: dict[str, str | int | float] = Field(default_factory=dict)

    def arm(self, name: str) -> ArmResult:
        """The arm of that name.

        Raises:
            KeyError: when there is none.
        """
        return {one.name: one for one in self.arms}[name]

    @property
    def remedies(self) -> tuple[ArmResult, ...]:
        """Arms that were shown to remove the spike, the cheapest first."""
        shown = [one for one in self.arms if one.claimed and one.remedy]
        return tuple(sorted(shown, key=lambda one: (one.cost is None, one.cost or 0.0)))
