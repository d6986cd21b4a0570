"""A recipe is a setting, a seed and a probe: everything that determines one record, and its digest in the store."""

import hashlib
import json
from functools import lru_cache
from typing import Self

from pydantic import Field, model_validator

from spikecheck.core.errors import SettingError
from spikecheck.core.intervention import Exchange, steps_of
from spikecheck.core.probe import Probe
from spikecheck.core.record import Record
from spikecheck.core.setting import Setting

# Raised by one whenever a change to the trainer, the solvers or the initialisation changes any bit of any run.
DYNAMICS_EPOCH = 9

MODULE_EPOCH = 3
"""Raised likewise for changes that affect only models named by MODULE:NAME."""
DRIVER_EPOCH = 4
"""Raised likewise for changes that affect only optimizers named by MODULE:NAME, including the code that drives them."""


class Environment(Record):
    """Where a record was made. Everything that may change its bits is part of its digest."""

    torch: str
    device: str = Field(description="device kind and, on CPU, its vector instruction set")
    threads: int
    epoch: int = DYNAMICS_EPOCH
    compiler: str = Field(
        "", description="name and version of the compiler, used for trainings that are long enough; empty: none"
    )
    memory: int = Field(
        0,
        ge=0,
        description="an accelerator's memory in whole GiB, which decides how many members train together; 0: the CPU",
    )

    def uncompiled(self) -> Self:
        """The environment of trainings that are not compiled."""
        return self.model_copy(update={"compiler": ""})


class Recipe(Record):
    """Everything that determines one stored record. Without a probe, the record is the training itself."""

    setting: Setting
    seed: int = Field(ge=0)
    probe: Probe | None = None

    @model_validator(mode="after")
    def _the_probe_fits(self) -> Self:
        intervention = self.setting.intervention
        steps = self.setting.steps if intervention is None else steps_of(intervention)
        if self.probe is not None and (refusal := self.probe.refusal(intervention, steps)):
            raise SettingError(refusal)
        return self

    def digest(self, environment: Environment, sources: str = "") -> str:
        """sha256 over the canonical recipe, the environment and `sources`, the digest of any code the recipe names by path."""
        came_later = {"compiler", "memory"}
        where = environment.model_dump(exclude={name for name in came_later if not getattr(environment, name)})
        parts = {"recipe": json.loads(self.canonical()), "environment": where, "sources": sources}
        text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def parent(self) -> "Recipe":
        """The training that this recipe needs first: the one that is forked or probed, or the fork whose end is probed."""
        if self.probe is None and self.setting.intervention is None:
            return self
        at_its_end = self.probe is not None and self.probe.reads_ends
        return Recipe(setting=self.setting if at_its_end else _unforked(self.setting), seed=self.seed)

    def partner(self) -> "Recipe | None":
        """The second training that an exchange needs; None for every other recipe."""
        intervention = self.setting.intervention
        if not isinstance(intervention, Exchange) or self.parent().setting == self.setting:
            return None
        return Recipe(setting=self.setting.but(intervention=None, **dict(intervention.other)), seed=self.seed)


@lru_cache(maxsize=4096)
def _unforked(setting: Setting) -> Setting:
    return setting.but(intervention=None)
