"""Measures of a run. They use NumPy only; every function states its unit and range."""

from spikecheck.measures.ascent import (
    ascent,
    balanced_agreement,
    displacement_r2,
    growth,
    rate_error,
    sign_agreement,
    turning_point,
)
from spikecheck.measures.condensation import alignment, cosines, effective_ratio, random_alignment
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
from spikecheck.measures.rank import concordance, partial_spearman, spearman
from spikecheck.measures.sharpness import crossing, fall, steps_to_flat
from spikecheck.measures.spikes import spikes

__all__ = [
    "alignment",
    "ascent",
    "balanced_agreement",
    "centroid",
    "concordance",
    "cosines",
    "crossing",
    "displacement_r2",
    "effective_ratio",
    "fall",
    "gaussian_low",
    "growth",
    "low_modes",
    "low_ratio",
    "low_ratios",
    "part_errors",
    "partial_spearman",
    "principal_coordinate",
    "random_alignment",
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
