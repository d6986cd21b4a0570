"""A setting, a seed and a probe: everything that decides one record, and the digest it is stored under."""

import hashlib
import json

from pydantic import Field

from spikecheck.core.intervention import Exchange
from spikecheck.core.probe import Probe
from spikecheck.core.record import Record
from spikecheck.core.setting import Setting

# Raised by one whenever a change to the trainer, the solvers or the initialisation changes any bit of any run.
DYNAMICS_EPOCH = 5


class Environment(Record):
    """Where a record was made: whatever may change its bits belongs to its digest."""

    torch: str
    device: str = Field(description="device kind and, on CPU, its vector instruction set")
    threads: int
    epoch: int = DYNAMICS_EPOCH


class Recipe(Record):
    """What one stored record answers. Without a probe: the training itself."""

    setting: Setting
    seed: int = Field(ge=0)
    probe: Probe | None = None

    def digest(self, environment: Environment, sources: str = "") -> str:
        """sha256 over the canonical recipe, the environment and the digest of any source the recipe names by path."""
        parts = {"recipe": json.loads(self.canonical()), "environment": environment.model_dump(), "sources": sources}
        text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def parent(self) -> "Recipe":
        """The training that this recipe's fork or probe needs first."""
        return Recipe(setting=self.setting.but(intervention=None), seed=self.seed)

    def partner(self) -> "Recipe | None":
        """The further training that an exchange needs; None for everything else."""
        intervention = self.setting.intervention
        if not isinstance(intervention, Exchange):
            return None
        return Recipe(setting=self.setting.but(intervention=None, **dict(intervention.other)), seed=self.seed)
