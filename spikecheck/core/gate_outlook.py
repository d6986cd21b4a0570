"""What a gate would train, and how small a difference it could detect, before it is run."""

from pydantic import Field

from spikecheck.core.record import Record
from spikecheck.core.scorecard import AnyPlace


class Finds(Record):
    """The smallest difference that the gate detects with 80 % power, in one setting or over all of them."""

    where: str
    trainings: int = Field(description="trainings of each side")
    spreads: float = Field(description="beyond the margin, in standard deviations of a pair's difference")
    spiking: int | None = Field(
        description="smallest detectable number of candidate trainings that spike or diverge where none of the "
        "reference's does; null where even all of them would not be detected"
    )


class TuningOutlook(Record):
    """How many trainings it takes to find one side's rate and to look around it."""

    range: str
    rates: int = Field(description="that are tried at most")
    seeds: int = Field(description="of its own, at each of these rates")
    around: int = Field(description="trainings at most at rates around the best one, on the seeds that are compared")


class GateOutlook(Record):
    """The plan of a gate that has not been run."""

    places: tuple[AnyPlace, ...]
    seeds: int
    finds: tuple[Finds, ...]
    warning: str = ""
    tuning: TuningOutlook | None = Field(None, description="of each side that is trained, if its rate is tuned")
