"""The result of a regression gate, and the scores that are kept as a baseline, as they are written to files."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from spikecheck.core.errors import SettingError
from spikecheck.core.record import BEYOND_STEPS, Record
from spikecheck.core.setting import Options, Setting

FIRST_STEPS = "first steps"
"""The row that tells another update rule, of a gate on a workload."""


class Change(StrEnum):
    """How a candidate compares with its reference in one row."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "same"
    """The whole interval lies within the margin: equivalence is shown, not just the lack of a difference."""
    UNDECIDED = "undecided"


class OptimizerSpec(Record):
    """An optimizer with its learning rate, options and other conditions."""

    optimizer: str
    lr: float
    options: Options = ()
    conditions: dict[str, str | float | int | bool | None] = Field(
        default_factory=dict, description="other conditions that were set: momentum, schedule, clip, batch, …"
    )


class Row(Record):
    """One property of training, candidate against reference; a smaller number is better."""

    name: str
    where: str = Field("", description="the setting it was measured in; empty: all of them together")
    unit: str
    candidate: float = Field(description="mean over seeds; for all settings together, then the mean over settings")
    reference: float
    difference: float
    low: float | None = Field(
        description="the bound that decides whether it is worse; null where there are too few pairs"
    )
    high: float | None = Field(description="the bound that decides whether it is better")
    margin: float = Field(description="differences within it count as none")
    p_worse: float = Field(
        description="p-value of being worse by no more than the margin; adjusted for all rows (Holm)"
    )
    p_better: float
    detectable: float | None = Field(
        None, description="the difference that would be detected with 80 % power; null where none would be"
    )
    pairs: int = Field(description="pairs of trainings; where time is measured, pairs of blocks of steps")
    change: Change
    alarms: bool = Field(True, description="whether the gate fails where this row is worse; a description does not")
    either_way: bool = Field(
        False, description="whether a smaller number is as bad as a larger one: the sides only differ"
    )
    looks_worse: bool = Field(
        False,
        description="undecided, and worse by more than its margin if it were the only row: the gate does not pass",
    )

    @property
    def title(self) -> str:
        """The row's name and setting, which distinguish it from every other row."""
        return f"{self.name} in {self.where}" if self.where else self.name

    @property
    def fails(self) -> bool:
        """Whether the gate fails because of this row."""
        return self.alarms and self.change is Change.WORSE


class SuiteSetting(Record):
    """One setting of the gate, by name, as the candidate trains in it."""

    name: str
    setting: Setting


class WorkloadPlace(Record):
    """A user's own training, as the gate makes it."""

    name: str
    workload: str = Field(description="gpt, modular, resnet, mlp or MODULE:FUNCTION")
    steps: int
    options: dict[str, str | float | int | bool | None] = Field(default_factory=dict)


def _kind_of_place(value: Any) -> str:
    known = value if isinstance(value, Mapping) else getattr(value, "__dict__", {})
    return "workload" if "workload" in known else "setting"


AnyPlace = Annotated[
    Annotated[SuiteSetting, Tag("setting")] | Annotated[WorkloadPlace, Tag("workload")], Discriminator(_kind_of_place)
]


class Band(Record):
    """The training loss over the seeds of one setting; null where it is not finite.

    A training's loss at a step is the largest of the stretch that ends there, so that thinning removes no spike.
    """

    steps: tuple[int, ...] = Field(description="the last step of each stretch")
    median: tuple[float | None, ...]
    low: tuple[float | None, ...] = Field(description="exceeded by nine of ten seeds")
    high: tuple[float | None, ...] = Field(description="exceeded by one of ten seeds")

    @model_validator(mode="after")
    def _has_a_number_for_every_step(self) -> Self:
        for name in ("median", "low", "high"):
            if len(getattr(self, name)) != len(self.steps):
                raise SettingError(f"curves.{name}: has {len(getattr(self, name))} numbers for {len(self.steps)} steps")
        if any(abs(step) >= BEYOND_STEPS for step in self.steps):
            raise SettingError(f"curves.steps: has a step beyond {BEYOND_STEPS - 1}")
        return self


class Scores(Record):
    """Every seed's numbers by row and setting, in the order of the seeds; null where a training has no value."""

    values: dict[str, dict[str, tuple[float | None, ...]]]
    curves: dict[str, Band] = Field(default_factory=dict, description="the loss by setting; empty in older baselines")


class Baseline(Record):
    """The scores of an optimizer, to be compared with later ones."""

    schema_: Literal["spikecheck/baseline@1"] = Field("spikecheck/baseline@1", alias="schema")
    reason: str
    command: str
    environment: dict[str, str | int | float]
    contestant: OptimizerSpec
    suite: str = Field(
        description="digest of the settings without the optimizer, of the seeds and of the measured quantities"
    )
    seeds: int
    root: int
    places: tuple[AnyPlace, ...]
    conditions: dict[str, str | float | int | bool | None] = Field(
        default_factory=dict, description="conditions that differ from the default suite, as they were given"
    )
    rows: tuple[str, ...] | None = Field(
        None, description="the rows that --rows named; empty where none were named, null in older baselines"
    )
    scores: Scores
    digest: str = Field(description="digest of all other fields: an edited baseline is refused")


class TunedRate(Record):
    """How the learning rate of one side was found, on seeds that nothing is compared on."""

    best: float
    seeds: int
    rates: tuple[float, ...] = Field(description="all that were tried, from the smallest")
    losses: tuple[float, ...] = Field(description="mean log10 of the final loss at each; 6 stands for a divergence")


class Decision(StrEnum):
    """The decision of a gate."""

    PASSED = "passed"
    REGRESSED = "regressed"
    NOT_DECIDED = "undecided"
    """Nothing is significantly worse, but something appears worse, or no difference could have been detected."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        """The word of older scorecards."""
        return cls.NOT_DECIDED if value == "not decided" else None


class Scorecard(Record):
    """The result of one `spikecheck gate`."""

    schema_: Literal["spikecheck/gate@1"] = Field("spikecheck/gate@1", alias="schema")
    passed: bool
    decision: Decision
    undecided: tuple[str, ...] = Field((), description="why the gate is not decided")
    command: str
    environment: dict[str, str | int | float]
    candidate: OptimizerSpec
    reference: OptimizerSpec
    against: str = Field(description="the reference: an optimizer trained next to the candidate, or a baseline file")
    alpha: float = Field(description="largest probability of any false alarm, over all rows")
    places: tuple[AnyPlace, ...]
    seeds: int
    root: int
    rows: tuple[Row, ...] = Field(
        description="rows of all settings together, each followed by those of single settings"
    )
    not_compared: tuple[str, ...] = Field((), description="rows for which one side has no number, and which side")
    tuned: dict[str, TunedRate] = Field(
        default_factory=dict, description="how the rates of candidate and reference were found, where they were tuned"
    )
    curves: dict[str, dict[str, Band]] = Field(
        default_factory=dict, description="the loss of candidate and of reference, by setting"
    )
    runs_trained: int
    runs_reused: int
    seconds: float

    @property
    def regressed(self) -> bool:
        """Whether something is significantly worse."""
        return self.decision is Decision.REGRESSED
