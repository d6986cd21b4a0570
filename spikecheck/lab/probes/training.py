"""No probe: the training itself, which records its losses and its checkpoints."""

from spikecheck.lab.probes.measurement import Measurement


class TrainingMeasurement(Measurement[None]):
    """Nothing beside the training."""

    updates = True

    def member_steps(self, steps: int) -> int:
        """Those of the training."""
        return steps

    def plain_steps(self, steps: int, *, fork: bool) -> float:
        """Those of the training."""
        return steps
