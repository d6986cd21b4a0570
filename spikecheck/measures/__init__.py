"""Numbers read off a run. Numpy only; every function states its unit and range."""

from spikecheck.measures.ascent import ascent, displacement_r2, growth, rate_error, sign_agreement, turning_point
from spikecheck.measures.condensation import alignment, cosines, effective_ratio
from spikecheck.measures.rank import spearman
from spikecheck.measures.sharpness import crossing, steps_to_flat
from spikecheck.measures.spikes import spikes

__all__ = [
    "alignment",
    "ascent",
    "cosines",
    "crossing",
    "displacement_r2",
    "effective_ratio",
    "growth",
    "rate_error",
    "sign_agreement",
    "spearman",
    "spikes",
    "steps_to_flat",
    "turning_point",
]
