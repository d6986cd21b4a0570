"""What an arm does differently from the run that it is forked from."""

from typing import Annotated, Literal

from pydantic import Field

from spikecheck.core.record import Record
from spikecheck.core.spike import SpikeDefinition

Landmark = Literal["before_onset", "onset"]


class Fork(Record):
    """A fork starts from the exact state of its parent at a landmark of the parent's first spike."""

    at: Landmark = "before_onset"
    horizon: int = Field(ge=1, description="parent's steps that the fork covers in learning rate x steps")
    definition: SpikeDefinition = SpikeDefinition()


class Continue(Fork):
    """Goes on unchanged: the spiking arm of a pair of twins, so that both cover the same horizon."""

    kind: Literal["continue"] = "continue"


class LowerRate(Fork):
    """Goes on at `factor` times the learning rate for 1/`factor` as many steps: the calm twin."""

    kind: Literal["lower_rate"] = "lower_rate"
    factor: float = Field(gt=0.0, le=1.0)


class FreezeOutside(Fork):
    """Moves along the parent's top eigendirection at the fork and nowhere else."""

    kind: Literal["freeze_outside"] = "freeze_outside"


Intervention = Annotated[Continue | LowerRate | FreezeOutside, Field(discriminator="kind")]


def steps_of(intervention: Continue | LowerRate | FreezeOutside) -> int:
    """Steps the fork trains: its horizon, stretched where the rate is lowered so that lr x steps stays equal."""
    factor = intervention.factor if isinstance(intervention, LowerRate) else 1.0
    return round(intervention.horizon / factor)
