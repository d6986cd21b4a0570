"""How each kind of probe is carried out: one file per kind, and the table of all kinds."""

from typing import Any

from spikecheck.core.probe import (
    Anatomy,
    Balance,
    Directions,
    Finish,
    Probe,
    SharpnessTrace,
    Stability,
    Trail,
)
from spikecheck.lab.probes.anatomy import AnatomyMeasurement
from spikecheck.lab.probes.balance import BalanceMeasurement
from spikecheck.lab.probes.directions import DirectionsMeasurement
from spikecheck.lab.probes.finish import FinishMeasurement
from spikecheck.lab.probes.measurement import Measurement
from spikecheck.lab.probes.sharpness_trace import SharpnessTraceMeasurement
from spikecheck.lab.probes.stability import StabilityMeasurement
from spikecheck.lab.probes.trail import TrailMeasurement

_MEASUREMENTS: dict[type, type[Measurement[Any]]] = {
    type(None): Measurement,
    Anatomy: AnatomyMeasurement,
    SharpnessTrace: SharpnessTraceMeasurement,
    Trail: TrailMeasurement,
    Directions: DirectionsMeasurement,
    Stability: StabilityMeasurement,
    Balance: BalanceMeasurement,
    Finish: FinishMeasurement,
}


def measurement(probe: Probe | None) -> Measurement[Any]:
    """The measurement that carries out this probe; None stands for the training itself."""
    return _MEASUREMENTS[type(probe)](probe)
