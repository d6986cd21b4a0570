"""The verdict on a claim, as it is written to a report."""

from typing import Literal, Self

from pydantic import Field, model_validator

from spikecheck.core.errors import SettingError
from spikecheck.core.judgement import Answer, Contrast, Judgement, Outcome
from spikecheck.core.reach import Reach
from spikecheck.core.record import BEYOND_STEPS, Record
from spikecheck.core.scope import Scope
from spikecheck.core.setting import Setting


class Counterexample(Record):
    """A setting at which the claim fails on fresh seeds, and the command that reproduces it."""

    setting: Setting
    differs: dict[str, str | float | int | bool | None] = Field(
        description="its conditions that differ from the reference"
    )
    judgement: Judgement
    replay: str = Field(description="a copyable command line")


class Variation(Record):
    """The reference setting judged again with one number of the detector, or one cut-off, halved or doubled."""

    name: str
    judgement: Judgement


class Trace(Record):
    """A typical run for the figure: loss at selected steps, and sharpness against its stability threshold."""

    seed: int
    steps: tuple[int, ...]
    loss: tuple[float, ...]
    sharpness_steps: tuple[int, ...]
    sharpness: tuple[float, ...]
    threshold: float | None = Field(
        description="stability threshold of the sharpness, 2/lr for gradient descent; null where no formula is known"
    )
    lr: float
    onset: int | None
    peak: int | None
    recovery: int | None

    @model_validator(mode="after")
    def _can_be_drawn(self) -> Self:
        """There is a number for every step, and every step is one."""
        for name, steps in (("loss", self.steps), ("sharpness", self.sharpness_steps)):
            if len(getattr(self, name)) != len(steps):
                raise SettingError(f"typical.{name}: has {len(getattr(self, name))} numbers for {len(steps)} steps")
        moments = (step for step in (self.onset, self.peak, self.recovery) if step is not None)
        if any(abs(step) >= BEYOND_STEPS for step in (*self.steps, *self.sharpness_steps, *moments)):
            raise SettingError(f"typical.steps: has a step beyond {BEYOND_STEPS - 1}")
        return self


class Verdict(Record):
    """The complete verdict on one claim."""

    id: str
    claims_path: str = Field("", description="the --claims-path that finds the claim; empty if not needed")
    asked_with: tuple[str, ...] = Field(
        (), description="the options that verify it with another optimizer than its own"
    )
    kind: Literal["law", "tendency"]
    says: str
    where: str
    rule: str = Field(description="the decision rule in words, rendered from the object that decided")
    level: float | None = Field(
        None, description="confidence of each bound in the rule; repeated looks use a higher one"
    )
    floor: float | None = Field(None, description="one seed's effect must lie above this, or at it, to count as held")
    ceiling: float | None = Field(None, description="one seed's effect must lie below this, or at it")
    predicts: dict[str, float | str] = Field(
        default_factory=dict, description="the decision rule as numbers, from which the object that decided is rebuilt"
    )
    quotes: str = Field("", description="the source's own words")
    reading: str = Field("", description="which estimand the quoted words call for, and why")
    cannot_tell: str = Field("", description="what the check cannot show")
    domain: dict[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description="the values over which the claim is tested for generalising; the reference's first",
    )
    replicates: Outcome
    generalises: Outcome
    passed: bool
    reason: str = Field("", description="why an outcome differs from what its interval alone implies")
    reference: Judgement
    control: Judgement
    control_says: str
    contrast: Contrast | None = Field(None, description="the claim minus its negative control, on the same seeds")
    positive: Judgement | None = Field(None, description="the positive control at the reference")
    positive_says: str = ""
    answers: tuple[Answer, ...] = Field(
        (), description="every quoted answer with its controls, all on fresh seeds; the reference's first"
    )
    reach: Reach | None = Field(
        None, description="in how much of the domain it holds, from a random sample of settings"
    )
    weakest: Judgement | None = Field(None, description="the weakest setting found, on fresh seeds")
    counterexample: Counterexample | None = Field(
        None, description="the smallest one; the reference itself where it fails"
    )
    elsewhere: Judgement | None = Field(
        None, description="where the reference fails: the strongest setting found, on fresh seeds"
    )
    settings_tried: int
    settings_triggered: int
    tried: tuple[Judgement, ...] = Field((), description="the search, setting by setting")
    beside: dict[str, int] = Field(
        default_factory=dict, description="indices in `answers` of the settings off the ladders, by name"
    )
    scopes: tuple[Scope, ...] = Field((), description="maps of the claim over two ladders, every cell judged by itself")
    robustness: tuple[Variation, ...] = Field((), description="profile full: detectors and cut-offs halved and doubled")
    numerical_failures: int
    runs_trained: int
    runs_reused: int
    seconds: float
    definitions: dict[str, str]
    specification: str = Field(description="digest of the claim: thresholds, domain, arms")
    registered: str = Field("", description="whether the rule was committed before its first verdict; empty: not known")
    typical: Trace | None = None


class Report(Record):
    """The result of one `spikecheck verify`."""

    schema_: Literal["spikecheck/report@1"] = Field("spikecheck/report@1", alias="schema")
    passed: bool
    complete: bool = Field(True, description="False after Ctrl-C or a spent budget")
    stored: bool = Field(
        True, description="whether a store has what was trained, so that the command goes on where it stopped"
    )
    command: str
    profile: str
    seed: int
    shard: str = Field(
        "",
        pattern=r"^([1-9]\d*/[1-9]\d*)?$",
        description="I/N for part I of N; `spikecheck merge` joins all parts into one report",
    )
    environment: dict[str, str | int | float]
    claims: tuple[Verdict, ...]
    unreadable: dict[str, str] = Field(default_factory=dict, description="claim files that could not be read, and why")
    left_out: dict[str, str] = Field(
        default_factory=dict, description="claims that cannot be verified with the given optimizer, and why"
    )


def exit_code(report: Report, *, strict: bool = False) -> int:
    """The exit code of a report: 0, 1 or 3.

    0: every claim passes. 1: at least one fails. 3: none fails, but one is undecided, untriggered or invalid, or the report
    is partial. A claim fails if its reference setting fails, or, for a law, if a counterexample is confirmed; with `strict`,
    a tendency with a counterexample fails too. A claim file that could not be read counts as undecided, and so does a report
    without any claim.
    """
    if strict and any(verdict.generalises is Outcome.FAILS for verdict in report.claims):
        return 1
    unsettled = [verdict for verdict in report.claims if not verdict.passed]
    if any(_fails(verdict) for verdict in unsettled):
        return 1
    return 3 if unsettled or report.unreadable or not report.complete or not report.claims else 0


def _fails(verdict: Verdict) -> bool:
    law_refuted = verdict.kind == "law" and verdict.generalises is Outcome.FAILS
    return verdict.replicates is Outcome.FAILS or law_refuted
