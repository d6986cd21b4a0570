"""The statistics of studies/twins.py: how many seeds gain, and which quantities correlate with the gain."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest, rankdata

from spikecheck.measures import spearman
from spikecheck.stats.bounds import clopper_pearson
from studies.twins_cells import ROWS, Cell, Numbers

LEVEL = 0.95
RESAMPLES = 2_000
CANDIDATES = {
    "height": "height of the first spike",
    "highest": "largest height in the arm",
    "overshoot": "overshoot of ηλ_max over 2",
    "spikes": "number of spikes",
    "start": "alignment at the fork",
    "loss": "loss at the fork",
    "fork": "step of the fork",
}
ALPHA = (1.0 - LEVEL) / len(CANDIDATES)
"""The level of one test, with Bonferroni's correction for the number of candidates."""
Slopes = dict[str, tuple[float, float, float]]
"""The slope and its interval, by candidate."""


@dataclass(frozen=True)
class Share:
    """The number of seeds with a positive effect, the number of all, and the exact two-sided interval of their share."""

    gained: int
    of: int
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.gained}/{self.of} [{self.low:.2f}, {self.high:.2f}]"


def share(values: Numbers) -> Share:
    """The share of positive values; zeros are not positive."""
    gained, of = int(np.sum(values > 0)), len(values)
    return Share(gained, of, *clopper_pearson(gained, of, (1.0 - LEVEL) / 2))


@dataclass(frozen=True)
class Association:
    """A candidate's rank correlation with the gain: within cells, and between their medians."""

    name: str
    rho: Numbers
    """[C], one per cell; cells in which the candidate is constant are left out."""
    p: float
    """The p value of a two-sided sign test over the cells."""
    between: float
    low: float
    high: float
    rows_up: int
    """Rows of three cells or more in which the medians' correlation is positive."""
    rows: int

    @property
    def within(self) -> float:
        """The median correlation over cells."""
        return float(np.median(self.rho)) if len(self.rho) else 0.0

    @property
    def positive(self) -> int:
        """The number of cells with a positive correlation."""
        return int(np.sum(self.rho > 0))

    @property
    def counts_within(self) -> bool:
        """Whether the sign test is significant after correction for all candidates."""
        return self.p < ALPHA

    @property
    def counts_between(self) -> bool:
        """Whether the interval excludes zero correlation."""
        return self.low > 0 or self.high < 0


def associated(cells: Sequence[Cell], name: str, outcome: str = "gain") -> Association:
    """A candidate's association with the outcome over the cells."""
    pairs = [(getattr(cell.twins, name), getattr(cell.twins, outcome)) for cell in cells]
    rho = np.array([spearman(x, y) for x, y in pairs if len(np.unique(x)) > 1])
    signs = rho[rho != 0]
    p = float(binomtest(int(np.sum(signs > 0)), len(signs)).pvalue) if len(signs) else 1.0
    parted = [medians(part, name, outcome) for part in by_row(cells)]
    everywhere = np.concatenate(parted) if parted else np.empty((0, 2))
    low, high = _resampled(parted, lambda parts: rho_of(np.concatenate(parts)))
    long = [rho_of(part) for part in parted if len(part) >= 3]
    return Association(name, rho, p, rho_of(everywhere), low, high, sum(r > 0 for r in long), len(long))


def medians(cells: Sequence[Cell], name: str, outcome: str) -> Numbers:
    """[C, 2]: every cell's median candidate and median outcome."""
    return np.array([[np.median(getattr(cell.twins, field)) for field in (name, outcome)] for cell in cells])


def regression(cells: Sequence[Cell]) -> Slopes:
    """Standardised slopes of the gain's ranks on all candidates' ranks together, with ranks taken within each cell.

    Intervals are from a bootstrap over cells.
    """
    normal = []
    for cell in cells:
        x = np.stack([_scores(getattr(cell.twins, name)) for name in CANDIDATES], axis=1)
        normal.append(np.column_stack([x.T @ x, x.T @ _scores(cell.twins.gain)]))

    def slopes(parts: Sequence[Numbers]) -> Numbers:
        total = np.sum(parts, axis=0)
        coefficients: Numbers = np.linalg.lstsq(total[:, :-1], total[:, -1])[0]
        return coefficients

    lows, highs = _resampled(normal, slopes)
    return {name: (b, lo, hi) for name, b, lo, hi in zip(CANDIDATES, slopes(normal), lows, highs, strict=True)}


def by_row(cells: Sequence[Cell]) -> list[list[Cell]]:
    """The cells by row, in the rows' order; rows without cells are left out."""
    return [part for row in ROWS if (part := [cell for cell in cells if cell.row.name == row.name])]


def rho_of(pairs: Numbers) -> float:
    """The rank correlation of the two columns of [C, 2]; 0 for fewer than two cells."""
    return spearman(pairs[:, 0], pairs[:, 1]) if len(pairs) > 1 else 0.0


def _scores(values: Numbers) -> Numbers:
    """Ranks with mean 0 and variance 1; all 0 where all values are equal."""
    ranks = rankdata(values)
    spread = ranks.std()
    scored: Numbers = (ranks - ranks.mean()) / (spread if spread > 0 else 1.0)
    return scored


def _resampled(parts: Sequence[Numbers], statistic: Callable[[Sequence[Numbers]], Numbers | float]) -> Numbers:
    """The percentile interval [2, ...] of a statistic whose parts are resampled with replacement."""
    rng = np.random.default_rng(0)
    draws = [statistic([parts[i] for i in rng.integers(len(parts), size=len(parts))]) for _ in range(RESAMPLES)]
    interval: Numbers = np.quantile(np.array(draws), [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return interval
