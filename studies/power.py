"""How often the rules decide, and on how many seeds, as a function of the truth: writes docs/power.md and its picture.

    python studies/power.py

Nothing is trained. Shares are computed exactly, averages are simulated.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import binom

from spikecheck import Average, Outcome, Prediction, plan_of
from spikecheck.stats.bounds import judge
from spikecheck.stats.looks import nominal_alpha

HERE = Path(__file__).resolve().parents[1] / "docs"
PROFILES = ("ci", "full")
NAMES = {"ci": "quick and ci", "full": "full"}
SHARE = Prediction(above=0.0, of_seeds=0.8, level=0.95)
MEAN = Average(above=0.0, worth=0.25, level=0.95)
SHARES = (0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.88, 0.9, 0.92, 0.95, 0.98, 1.0)
MEANS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.8, 1.0)
ROUNDS = 4_000
"""Simulated verdicts per mean. The 95 % interval of a chance of 50 % is then 1.6 points wide to each side."""

_BLUE, _VERMILION, _GREY = "#0072b2", "#d55e00", "#7f7f7f"
_DRAWN = ((Outcome.HOLDS, _BLUE, "-"), (Outcome.FAILS, _VERMILION, "--"), (Outcome.UNDECIDED, _GREY, ":"))

HEAD = """# How often the rules decide

Made by `python studies/power.py`. What a judgement says, and on how many fresh seeds it stops on average, against what is true
everywhere. Profiles `quick` and `ci` look at {ci} seeds, `full` at {full}; their looks are taken at {levels} %, so that all
of them together err in at most 5 % ([what a verdict means](explanation/verdicts.md)). All seeds apply, and both controls are
clear; where they are not, an answer takes more seeds, or stays open. How often answers are wrong with controls, search and
all: `spikecheck selftest`.

![Chance of each outcome against the true share and the true mean](pictures/power.svg)
"""
OF_SHARES = """
## A share

Of the seeds {required} must hold: `Prediction(above=0.0, of_seeds=0.8)`. Exact.
"""
OF_MEANS = """
## A mean

The mean effect must lie above 0, and one surely below a quarter of the seeds' standard deviation fails:
`Average(above=0.0, worth=0.25)`. Of normal effects, {rounds:,} verdicts a line. Beside the mean is the share of seeds whose
effect lies above 0: it takes a mean of 0.84 standard deviations for 80 % of them.

To hold, the mean must surely lie above 0 and its estimate reach 0.25. So a true mean between the two comes out as FAILS the
more often the more seeds there are, and HOLDS says that the estimate is worth a claim, not that the mean surely is: for
that, read its bounds.
"""


@dataclass(frozen=True)
class Chances:
    """The probability of each outcome of a judgement, and its average number of seeds."""

    of: dict[Outcome, float]
    seeds: float


def of_share(truth: float, sizes: Sequence[int], rule: Prediction = SHARE) -> Chances:
    """Exact chances for a true share.

    The distribution of the number of seeds that hold, among judgements not yet decided, is updated at every interim analysis.
    """
    alpha = nominal_alpha(1.0 - rule.level, sizes)
    chances: NDArray[np.float64] = np.ones(1)
    decided, seeds, before = {Outcome.HOLDS: 0.0, Outcome.FAILS: 0.0}, 0.0, 0
    for size in sizes:
        seeds += (size - before) * float(chances.sum())
        chances = np.convolve(chances, binom.pmf(np.arange(size - before + 1), size - before, truth))
        outcomes = [judge(held, [1.0] * held + [-1.0] * (size - held), rule, alpha).outcome for held in range(size + 1)]
        for outcome in decided:
            made = [one is outcome for one in outcomes]
            decided[outcome] += float(chances[made].sum())
            chances[made] = 0.0
        before = size
    return Chances({**decided, Outcome.UNDECIDED: float(chances.sum())}, seeds)


def of_mean(truth: float, sizes: Sequence[int], rule: Average = MEAN, rounds: int = ROUNDS) -> Chances:
    """Simulated chances for a true mean. All means use the same draws, so curves are smoother than their points are exact."""
    alpha = nominal_alpha(1.0 - rule.level, sizes)
    effects = truth + np.random.default_rng(0).standard_normal((rounds, sizes[-1]))
    stopped = [_looked_at(row, sizes, rule, alpha) for row in effects]
    outcomes = [outcome for outcome, _ in stopped]
    return Chances(
        {outcome: outcomes.count(outcome) / rounds for outcome, *_ in _DRAWN},
        float(np.mean([size for _, size in stopped])),
    )


def _looked_at(effects: NDArray[np.float64], sizes: Sequence[int], rule: Average, alpha: float) -> tuple[Outcome, int]:
    for size in sizes:
        outcome = judge(0, effects[:size].tolist(), rule, alpha).outcome
        if outcome is not Outcome.UNDECIDED:
            return outcome, size
    return Outcome.UNDECIDED, sizes[-1]


def sizes_of(profile: str) -> tuple[int, ...]:
    """The number of seeds at each of a profile's interim analyses."""
    return plan_of(profile).sizes


Curve = Callable[[float, Sequence[int]], Chances]


def table(name: str, truths: Sequence[float], labels: Sequence[str], curve: Curve) -> Iterator[str]:
    """Yield one line per true value: outcomes and seeds under both profiles."""
    columns = [f"{word}, {NAMES[profile]}" for profile in PROFILES for word in ("holds", "fails", "undecided", "seeds")]
    yield f"| {name} | {' | '.join(columns)} |"
    yield "|---|" + "---:|" * len(columns)
    for truth, label in zip(truths, labels, strict=True):
        curves = [curve(truth, sizes_of(profile)) for profile in PROFILES]
        cells = [cell for chances in curves for cell in (*map(_percent, chances.of.values()), f"{chances.seeds:.0f}")]
        yield f"| {label} | {' | '.join(cells)} |"


def _percent(chance: float) -> str:
    return f"{100 * chance:.1f} %"


def draw(shares: Sequence[float], means: Sequence[float], rounds: int = ROUNDS) -> Figure:
    """Four panels: share and mean, by both profiles."""
    figure = Figure(figsize=(9.0, 5.6), layout="constrained")
    rows = figure.subplots(2, 2, sharey=True)
    for place, profile in enumerate(PROFILES):
        sizes = sizes_of(profile)
        _panel(rows[0, place], shares, [of_share(share, sizes) for share in shares], SHARE.of_seeds)
        _panel(rows[1, place], means, [of_mean(mean, sizes, rounds=rounds) for mean in means], MEAN.worth)
        rows[0, place].set_title(f"{NAMES[profile]}: {', '.join(map(str, sizes))} seeds", fontsize=9)
        rows[0, place].set_xlabel("true share of seeds; 0.8 are required")
        rows[1, place].set_xlabel("true mean, in standard deviations; 0.25 is worth a claim")
    rows[0, 0].legend(frameon=False, fontsize=8)
    return figure


def _panel(axes: Axes, truths: Sequence[float], curve_chances: Sequence[Chances], limit: float) -> None:
    axes.axvline(limit, color=_GREY, linewidth=0.8)
    axes.axhline(0.05, color=_GREY, linewidth=0.5, linestyle=":")
    for outcome, colour, dashes in _DRAWN:
        chances = [one.of[outcome] for one in curve_chances]
        axes.plot(list(truths), chances, color=colour, linestyle=dashes, label=str(outcome))
    axes.set_ylabel("chance")
    axes.set_ylim(-0.02, 1.02)


def write_picture(path: Path) -> None:
    """Write the picture; every run writes the same bytes."""
    shares, means = np.linspace(0.5, 1.0, 51).tolist(), np.linspace(0.0, 1.0, 41).tolist()
    with rc_context({"svg.hashsalt": "power", "font.size": 8}):
        draw(shares, means, ROUNDS // 4).savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def page() -> str:
    """The whole page."""
    looks = {profile: ", ".join(map(str, sizes_of(profile))) for profile in PROFILES}
    levels = " and ".join(f"{100 * nominal_alpha(1.0 - SHARE.level, sizes_of(profile)):.2f}" for profile in PROFILES)
    required = f"{100 * SHARE.of_seeds:g} %"
    of_shares = table("true share", SHARES, [f"{100 * share:g} %" for share in SHARES], of_share)
    of_means = table("true mean; above 0", MEANS, [f"{m:g}; {100 * ndtr(m):.0f} %" for m in MEANS], of_mean)
    parts = [HEAD.format(**looks, levels=levels), OF_SHARES.format(required=required), *of_shares]
    return "\n".join([*parts, OF_MEANS.format(rounds=ROUNDS), *of_means]) + "\n"


if __name__ == "__main__":
    write_picture(HERE / "pictures" / "power.svg")
    (HERE / "power.md").write_text(page(), encoding="utf-8")
