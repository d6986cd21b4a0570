"""The share of the spiking runs' gain in alignment that is due to the ceiling on their sharpness, cell by cell."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from spikecheck.stats.averages import Interval, mean_interval
from studies.twins_cells import Cell, Numbers
from studies.twins_statistics import LEVEL

_ALPHA = (1.0 - LEVEL) / 2


@dataclass(frozen=True)
class Ratio:
    """A ratio of means and its interval."""

    estimate: float
    low: float
    high: float


def fieller(above: Numbers, below: Numbers) -> Ratio | None:
    """The ratio of the means of two paired samples [S]; None where the denominator does not differ significantly from 0.

    The interval contains the ratios r for which Student's t does not reject a mean of 0 for above - r below (Fieller 1954).
    """
    count = len(below)
    if count < 3:
        return None
    reach = stdtrit(count - 1, 1 - _ALPHA) ** 2 / count
    covariance = np.cov(above, below)
    a = below.mean() ** 2 - reach * covariance[1, 1]
    b = above.mean() * below.mean() - reach * covariance[0, 1]
    c = above.mean() ** 2 - reach * covariance[0, 0]
    if a <= 0:
        return None
    root = np.sqrt(max(b * b - a * c, 0.0))
    return Ratio(float(above.mean() / below.mean()), float((b - root) / a), float((b + root) / a))


def decomposition(used: Sequence[Cell]) -> str:
    """The table: means of the total, the ceiling's part and the direct part, and the ceiling's share where it is defined."""
    ratios = {id(cell): fieller(cell.twins.edge, cell.twins.gain) for cell in used}
    rows = [
        "| setting | η | total | ceiling: held minus calm | direct: spiking minus held | ceiling's share of the total |",
        "|---" * 6 + "|",
    ]
    for cell in used:
        means = [mean_interval(values, _ALPHA) for values in (cell.twins.gain, cell.twins.edge, cell.twins.held_gain)]
        rows.append(
            f"| {cell.row.name} | {cell.rate:g} | {' | '.join(map(_mean, means))} | {_share(ratios[id(cell)])} |"
        )
    return f"{_introduction(used, [r for r in ratios.values() if r is not None])}\n\n" + "\n".join(rows)


def _introduction(used: Sequence[Cell], ratios: Sequence[Ratio]) -> str:
    shared = np.array([ratio.estimate for ratio in ratios])
    directs = [mean_interval(cell.twins.held_gain, _ALPHA) for cell in used]
    above, below = sum(d.low > 0 for d in directs), sum(d.high < 0 for d in directs)
    return (
        f"Means over seeds of the gain of mean |cos| over the calm twin, with {LEVEL:.0%} intervals (Student's t), and the "
        "ratio of the ceiling's part to the total (Fieller's interval) where the total surely differs from 0: in "
        f"{len(ratios)} of {len(used)} cells. In these the share has a median of {np.median(shared):.2f}, from "
        f"{shared.min():.2f} to {shared.max():.2f}; it is surely above a half in {sum(r.low > 0.5 for r in ratios)}, surely "
        f"below in {sum(r.high < 0.5 for r in ratios)}. The direct part is surely above 0 in {above} of the {len(used)} "
        f"cells, surely below in {below}. Holding imposes what oscillation causes: the direct part is the effect of "
        "oscillating at a given ceiling, and not all that spikes do."
    )


def _mean(interval: Interval) -> str:
    return f"{interval.estimate:+.3f} [{interval.low:+.3f}, {interval.high:+.3f}]"


def _share(ratio: Ratio | None) -> str:
    return "" if ratio is None else f"{ratio.estimate:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]"
