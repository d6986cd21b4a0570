"""What a gate would train and could find, before it is held."""

from pydantic import Field

from spikecheck.core.record import Record
from spikecheck.core.scorecard import AnyPlace


class Finds(Record):
    """The smallest difference that is found with 80 % power, in one setting or over all of them."""

    where: str
    trainings: int = Field(description="of each side")
    spreads: float = Field(description="beyond the margin, in standard deviations of a pair's difference")
    spiking: int | None = Field(
        description="of so many trainings that spike or diverge where none of the reference's does; null where not even all"
    )


class GateOutlook(Record):
    """A gate that was not held yet."""

    places: tuple[AnyPlace, ...]
    seeds: int
    finds: tuple[Finds, ...]
    warning: str = ""
