"""The definition of a loss spike. It decides verdicts, so it is a value that is printed with them."""

from dataclasses import dataclass

from pydantic import Field

from spikecheck.core.record import Record


class SpikeDefinition(Record):
    """When an excursion of the training loss is called a spike.

    A spike begins where the loss exceeds `factor` times its running minimum and is over where the loss stays below
    that level for `settle` steps. Both are choices, not facts: they belong to every verdict made with them.
    """

    factor: float = Field(3.0, gt=1.0, description="loss over its running minimum, a ratio")
    settle: int = Field(20, ge=1, description="steps the loss has to stay low before the spike counts as over")
    lead: int = Field(80, ge=0, description="steps before the onset at which twins part")

    def says(self) -> str:
        """The definition as a sentence, for reports."""
        return (
            f"spike: the loss exceeds {self.factor:g} x its running minimum (onset); it is over (recovery) once the loss "
            f"stays below that level for {self.settle} steps; twins part {self.lead} steps before the onset"
        )


class NoisySpikeDefinition(SpikeDefinition):
    """When an excursion of a noisy loss is called a spike: by `spikecheck.watch.detector`, whatever the numbers above."""

    def says(self) -> str:
        """The definition as a sentence, for reports."""
        return (
            "spike: the loss of single batches makes an excursion that lasts, or is high enough, by thresholds that a "
            "stationary noise passes in at most 1 of 10,000 steps"
        )


@dataclass(frozen=True, slots=True)
class Spike:
    """One excursion of the loss; all steps are absolute training steps."""

    trough: int
    """Step of the running minimum before the ascent."""
    onset: int
    """First step whose loss exceeds the definition's factor times the trough's."""
    peak: int
    """Step of the largest loss before the recovery."""
    recovery: int | None
    """First step from which the loss stays low; None where the record ends before that."""
    height: float
    """Loss at the peak over loss at the trough, a ratio above 1."""
