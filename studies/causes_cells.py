"""One answer of the examination, with what was planted."""

from collections.abc import Sequence
from pathlib import Path

from spikecheck.core.record import Record
from spikecheck.core.why import Answer, Cause, Outcome
from studies.planted_causes import CAUSES, Family

NOTHING = "no cause"
FAMILIES: dict[Family, str] = {
    "data": Cause.DATA,
    "schedule": Cause.SCHEDULE,
    "momentum": Cause.MOMENTUM,
    "rounding": Cause.ROUNDING,
    "lag": Cause.LAG,
    "step": Cause.CURVATURE,
    "none": NOTHING,
}
"""What an answer calls a family of causes."""


class Asked(Record):
    """A training whose cause is known."""

    workload: str
    cause: str
    seed: int

    @property
    def file(self) -> str:
        """The name under which its answer is kept."""
        return f"{self.workload}-{self.cause}-{self.seed}.json"

    @property
    def wanted(self) -> str:
        """What the answer must name."""
        return FAMILIES[CAUSES[self.cause].family] if self.cause in CAUSES else NOTHING

    @property
    def module(self) -> str:
        """Of the studies, the one that makes the training."""
        return "planted_causes" if self.cause in CAUSES else "uncaused_worlds"


class Cell(Record):
    """Its answer."""

    asked: Asked
    onset: int
    """Step at which the plant begins."""
    spikes: bool
    """Whether the detector sees a spike there; what does not spike is not judged."""
    answer: Answer | None
    """None where no loss rises at the step that was meant."""

    @property
    def named(self) -> str:
        """The cause that is named first."""
        return NOTHING if self.answer is None or self.answer.cause is None else self.answer.cause

    @property
    def outcome(self) -> str:
        """How the question ended."""
        return Outcome.NO_SPIKE if self.answer is None else self.answer.outcome

    @property
    def right(self) -> bool:
        """Whether the planted cause is named first."""
        return self.named == self.asked.wanted

    @property
    def line(self) -> str:
        """For the terminal."""
        asked, seconds = self.asked, 0.0 if self.answer is None else self.answer.seconds
        said = "no spike" if not self.spikes else f"{self.named} ({self.outcome}), {seconds:.0f} s"
        return f"{asked.workload} {asked.cause} {asked.seed}: {said}"


def read(folder: Path) -> Sequence[Cell]:
    """All answers in a folder."""
    return [Cell.model_validate_json(path.read_bytes()) for path in sorted(folder.glob("*.json"))]
