"""The share of its domain in which a claim holds, estimated from a random sample of settings."""

from typing import Self

from pydantic import Field, model_validator

from spikecheck.core.judgement import Judgement, Share, parts_in_order
from spikecheck.core.record import Record


class Reach(Record):
    """A random sample of the domain, each setting judged by its point estimate on its own block of seeds.

    The interval is Clopper and Pearson's over the settings that triggered. It does not cover settings off the ladders.
    """

    settings: int = Field(ge=0, description="settings sampled")
    of: int = Field(ge=1, description="settings in the domain")
    seeds: int = Field(ge=1, description="seeds in each")
    holds: int = Field(ge=0, description="settings in which the estimate is as claimed")
    triggered: int = Field(ge=0, description="settings in which enough seeds met the precondition to estimate anything")
    low: Share = Field(description="lower bound on the share of the domain's triggering settings in which it holds")
    high: Share = Field(description="upper bound; the two are a 95 % interval")
    sample: tuple[Judgement, ...] = Field((), description="setting by setting, each at the rule's level")

    @model_validator(mode="after")
    def _counts_fit(self) -> Self:
        parts_in_order("reach", ("holds", self.holds), ("triggered", self.triggered), ("settings", self.settings))
        return self

    @property
    def share(self) -> float | None:
        """Share of the triggering settings in which the claim holds, in [0, 1]; None where none triggered."""
        return self.holds / self.triggered if self.triggered else None

    @property
    def untriggered(self) -> int:
        """Number of settings with too few applicable seeds."""
        return self.settings - self.triggered
