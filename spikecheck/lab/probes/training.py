"""No probe: the training itself, which records its losses and its checkpoints."""

from spikecheck.lab.probes.measurement import Measurement


class TrainingMeasurement(Measurement[None]):
    """Measures nothing in addition to the training."""

    updates = True

    def member_steps(self, steps: int) -> int:
        """The training's own steps."""
        return steps

    def plain_steps(self, steps: int, *, fork: bool) -> float:
        """The training's own steps."""
        return steps
