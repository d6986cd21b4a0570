"""Numbers read off a run. Numpy only; every function states its unit and range."""

from spikecheck.measures.ascent import ascent, displacement_r2, growth, rate_error, sign_agreement, turning_point
from spikecheck.measures.condensation import alignment, cosines, effective_ratio
from spikecheck.measures.frequency import (
    centroid,
    gaussian_low,
    low_modes,
    low_ratio,
    low_ratios,
    part_errors,
    principal_coordinate,
    scattered_low_share,
    scattered_spectrum,
    spectrum,
)
from spikecheck.measures.rank import spearman
from spikecheck.measures.sharpness import crossing, steps_to_flat
from spikecheck.measures.spikes import spikes

__all__ = [
    "alignment",
    "ascent",
    "centroid",
    "cosines",
    "crossing",
    "displacement_r2",
    "effective_ratio",
    "gaussian_low",
    "growth",
    "low_modes",
    "low_ratio",
    "low_ratios",
    "part_errors",
    "principal_coordinate",
    "rate_error",
    "scattered_low_share",
    "scattered_spectrum",
    "sign_agreement",
    "spearman",
    "spectrum",
    "spikes",
    "steps_to_flat",
    "turning_point",
]
