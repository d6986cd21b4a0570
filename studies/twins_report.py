"""The report of studies/twins.py: tables, an explanation with every number computed here, and the figure."""

from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FormatStrFormatter, NullFormatter
from scipy.stats import fisher_exact

from spikecheck.measures import spearman
from spikecheck.stats.averages import median_interval
from studies.twins_cells import ASCENT, DEFINITION, ENOUGH, FIRST_SEED, HORIZON, RATES, ROWS, Cell, Numbers
from studies.twins_shares import decomposition
from studies.twins_statistics import (
    ALPHA,
    CANDIDATES,
    LEVEL,
    Association,
    Slopes,
    associated,
    by_row,
    medians,
    regression,
    rho_of,
    share,
)

OUTCOMES = {
    "gain": "alignment, spiking minus calm",
    "weighted": "amplitude-weighted alignment, spiking minus calm",
    "fewer": "effective ratio, calm minus spiking (positive: fewer directions)",
    "held_gain": "alignment, spiking minus held",
}
_PERCENT = f"{LEVEL:.0%}"


def text(cells: Sequence[Cell], seeds: int, picture: str) -> str:
    """The whole report."""
    used = [cell for cell in cells if cell.enough]
    parts = [_what_was_run(cells, seeds), "## Findings", _scope(used), *_explained(used), _picture(picture)]
    parts += ["## How much of the gain the ceiling carries", decomposition(used)]
    parts += ["## The plan's table again", _grid(cells), _against_the_plan(cells)]
    parts += ["## Every cell", _legend(), _long(cells), "## What is weak", _weak(cells, used)]
    return "\n\n".join(parts) + "\n"


def _what_was_run(cells: Sequence[Cell], seeds: int) -> str:
    names = {cell.row.name for cell in cells}
    missing = [row.name for row in ROWS if row.name not in names]
    left_out = f" **Not run, for time: {'; '.join(missing)}.**" if missing else ""
    return (
        "# Where spikes condense, and what decides it\n\n"
        f"Written by `python studies/twins.py`, which computes every figure below. {seeds} seeds a cell, from {FIRST_SEED:,} "
        f"on.{left_out} A {DEFINITION.says()}. From there three arms go on over {HORIZON:,} steps' worth of η·t: "
        "**spiking**, unchanged; **calm**, at η/4 for four times the steps; **held**, at the same η but without motion "
        "across the valley, its sharpness kept at 2/η (`Hold`): the ceiling is imposed that oscillation brings about in the "
        "spiking arm. The gain is the mean |cos| between input weights at the "
        "end of the spiking arm minus that at the end of another arm. Rows change `SETTING_A` and `SETTING_B` as their "
        "names say. Rates at widths from 100 on and for x tanh x were chosen by whether training diverges and whether "
        "spikes come at all, on seeds 0 to 7, before any alignment was looked at."
    )


def _scope(used: Sequence[Cell]) -> str:
    introduction = (
        f"**Where.** {len(used)} cells have {ENOUGH} applicable seeds or more. The share of seeds with a positive effect, by "
        f"its {_PERCENT} interval:"
    )
    lines = []
    for name, words in OUTCOMES.items():
        shares = [share(getattr(cell.twins, name)) for cell in used]
        above, below = sum(s.low > 0.5 for s in shares), sum(s.high < 0.5 for s in shares)
        middle = np.median([np.median(getattr(cell.twins, name)) for cell in used])
        lines.append(
            f"- {words}: above a half in {above} cells, below in {below}, undecided in {len(used) - above - below}; "
            f"median of the cells' medians {middle:+.3f}."
        )
    return introduction + "\n\n" + "\n".join([*lines, _by_rate(used)]) + "\n\n" + _spike_or_edge(used)


def _spike_or_edge(used: Sequence[Cell]) -> str:
    """Whether it takes the spikes to gain, or only the learning rate that they come with."""
    clear = [cell for cell in used if share(cell.twins.gain).low > 0.5]
    over_held = [share(cell.twins.held_gain) for cell in clear]
    above, below = sum(s.low > 0.5 for s in over_held), sum(s.high < 0.5 for s in over_held)
    whole = np.array([np.median(cell.twins.gain) for cell in used])
    edge = np.array([np.median(cell.twins.edge) for cell in used])
    also = sum(share(cell.twins.edge).low > 0.5 for cell in clear)
    return (
        f"**The spike or the edge?** In {len(clear)} cells the spiking twin is clearly better aligned than the calm one. Of "
        f"these it is clearly better than the held one, which does not spike, in {above}, and clearly worse in {below}. The "
        f"held twin itself is clearly better aligned than the calm one in {also} of the {len(clear)}. Over all {len(used)} "
        f"cells the median gains of the spiking and of the held twin over the calm one have rho {spearman(whole, edge):+.2f}; "
        f"the middle one is {np.median(whole):+.3f} for the spiking twin and {np.median(edge):+.3f} for the held one."
        " (Clearly: the interval of the share of seeds leaves out a half.)"
    )


def _by_rate(used: Sequence[Cell]) -> str:
    """How the share of seeds that gain changes with the learning rate within each row."""
    ends = [(part[0], part[-1]) for part in by_row(used) if len(part) > 1]
    shares = sum(np.mean(last.twins.gain > 0) > np.mean(first.twins.gain > 0) for first, last in ends)
    middles = sum(np.median(last.twins.gain) > np.median(first.twins.gain) for first, last in ends)
    return (
        f"- From a row's smallest learning rate to its largest the share that gains over the calm twin rises in {shares} "
        f"of {len(ends)} rows, the median gain in {middles}."
    )


def _explained(used: Sequence[Cell]) -> list[str]:
    associations = {name: associated(used, name) for name in CANDIDATES}
    against_held = {name: associated(used, name, "held_gain") for name in CANDIDATES}
    slopes = regression(used)
    introduction = (
        "**Why.** Spearman's rho of the gain over the calm twin with what might decide it. *Within*: median over cells, "
        f"each by itself, so that no setting's effect enters; p of a sign test over cells ({len(CANDIDATES)} candidates are "
        f"tested, so p counts below {ALPHA:.4f}). *Between*: rho of the cells' medians, its interval from resampling rows. "
        "*One row*: rows of three cells or more, which differ in η alone, with rho > 0 between their cells. *Slope*: of the "
        "gain's ranks on all candidates' ranks together, within cells, standardised, its interval from resampling cells."
    )
    sentences = [
        *_verdict(associations, slopes),
        _against_held(associations, against_held),
        *_confounded(used, associations, slopes),
    ]
    return [introduction, _associations(associations, slopes), "\n".join(sentences)]


def _associations(associations: dict[str, Association], slopes: Slopes) -> str:
    rows = ["| candidate | within | positive in | p | between | one row | slope |", "|---" * 7 + "|"]
    for name, a in associations.items():
        b, low, high = slopes[name]
        rows.append(
            f"| {CANDIDATES[name]} | {a.within:+.2f} | {a.positive} of {len(a.rho)} | {_p(a.p)} | {a.between:+.2f} "
            f"[{a.low:+.2f}, {a.high:+.2f}] | {a.rows_up} of {a.rows} | {b:+.2f} [{low:+.2f}, {high:+.2f}] |"
        )
    return "\n".join(rows)


def _verdict(associations: dict[str, Association], slopes: Slopes) -> list[str]:
    within = [a for a in associations.values() if a.counts_within]
    between = [a for a in associations.values() if a.counts_between]
    both = [a for a in within if a in between]
    alike = [a.name for a in both if a.within * a.between > 0]
    opposed = [a.name for a in both if a.within * a.between < 0]
    own = [name for name, (_, low, high) in slopes.items() if low > 0 or high < 0]
    strongest = max(associations.values(), key=lambda a: abs(a.within))
    first = (
        f"- Between seeds of one setting the gain goes with: {_listed(within, 'within')}. Even the strongest, "
        f"{CANDIDATES[strongest.name]}, accounts for {strongest.within**2:.0%} of the ranks' variance in the middle cell."
    )
    return [
        first,
        f"- Between settings it goes with: {_listed(between, 'between')}.",
        f"- Within and between alike: {_names(alike)}. With opposite signs: {_names(opposed)}.",
        f"- A slope of their own, all others given, have: {_names(own)}.",
    ]


def _against_held(associations: dict[str, Association], held: dict[str, Association]) -> str:
    counting = _listed([a for a in held.values() if a.counts_within], "within")
    same = sum(held[name].within * a.within > 0 for name, a in associations.items())
    return (
        "- Measured against the held twin, which has the spiking one's learning rate, the gain goes within cells with: "
        f"{counting}; {same} of {len(associations)} candidates keep the sign that they have against the calm twin."
    )


def _confounded(used: Sequence[Cell], associations: dict[str, Association], slopes: Slopes) -> list[str]:
    own = np.median([spearman(c.twins.start, c.twins.gain + c.twins.calm_rise) for c in used])
    calm = np.median([spearman(c.twins.start, c.twins.calm_rise) for c in used])
    time = np.median([spearman(c.twins.fork, c.twins.spikes) for c in used])
    tall = np.median([spearman(c.twins.overshoot, c.twins.height) for c in used])
    heights, numbers = (rho_of(medians(used, "overshoot", name)) for name in ("height", "spikes"))
    to_the_mean = (
        f"- Regression to the mean: the alignment at the fork has rho {own:+.2f} with the spiking arm's own rise from there "
        f"and {calm:+.2f} with the calm twin's (medians within cells). In their difference, the gain, the start cancels; "
        f"{associations['start'].within:+.2f} is left."
    )
    number_and_time = (
        f"- Number of spikes and time: within cells the number has rho {time:+.2f} with the step of the fork. With that and "
        f"the rest given, its slope is {slopes['spikes'][0]:+.2f}, "
        f"against a plain rho of {associations['spikes'].within:+.2f}."
    )
    one_quantity = (
        f"- Overshoot and height have rho {tall:+.2f} within cells and {heights:+.2f} between; overshoot and number of spikes "
        f"{numbers:+.2f} between. What moves together cannot be told apart by watching."
    )
    return [to_the_mean, number_and_time, one_quantity]


def _picture(name: str) -> str:
    return (
        f"![Median gain against overshoot, and against the held twin's gain, one mark a cell]({name})\n\n"
        f"One mark a cell with {ENOUGH} applicable seeds or more, a row's cells joined in the order of η; bars are {_PERCENT} "
        "intervals of the median by order statistics. On the dashed line the twin without a spike gains as much as "
        "the one with it."
    )


def _grid(cells: Sequence[Cell]) -> str:
    rows = [f"| setting | {' | '.join(f'η {rate:g}' for rate in RATES)} | other η |", "|---" * (len(RATES) + 2) + "|"]
    for part in by_row(cells):
        by_rate = {cell.rate: cell for cell in part}
        known = [_short(by_rate[rate]) if rate in by_rate else "" for rate in RATES]
        others = "; ".join(f"{rate:g}: {_short(cell)}" for rate, cell in by_rate.items() if rate not in RATES)
        rows.append(f"| {part[0].row.name} | {' | '.join(known)} | {others} |")
    return "Seeds that gain over their calm twin, of those applicable, and the median gain.\n\n" + "\n".join(rows)


def _short(cell: Cell) -> str:
    if len(cell.twins):
        return f"{np.sum(cell.twins.gain > 0)}/{len(cell.twins)}, {np.median(cell.twins.gain):+.2f}"
    reasons = {"no spikes": cell.unspiked, "spikes at once": cell.early, "diverged": cell.diverged}
    return max(reasons, key=lambda reason: reasons[reason])


def _against_the_plan(cells: Sequence[Cell]) -> str:
    planned = [part for part in by_row(cells) if part[0].row.seen]
    introduction = "Against the plan's first look (gained/applicable; Fisher's exact test at 5 % a cell, uncorrected):"
    return introduction + "\n\n" + "\n".join(map(_compared, planned))


def _compared(part: Sequence[Cell]) -> str:
    told: dict[bool, list[str]] = {True: [], False: []}
    for cell in part:
        seen = (cell.row.seen or {}).get(cell.rate)
        if seen is not None and len(cell.twins):
            now = share(cell.twins.gain)
            counts = np.array([[seen.gained, seen.of - seen.gained], [now.gained, now.of - now.gained]])
            p = float(fisher_exact(counts).pvalue)
            then_and_now = f"{cell.rate:g} (then {seen.gained}/{seen.of}, now {now.gained}/{now.of}, p {_p(p)})"
            told[p < 0.05].append(then_and_now)
    differ, agree = (", ".join(told[which]) or "none" for which in (True, False))
    return f"- {part[0].row.name}: the counts differ at η {differ}; they are not told apart at η {agree}."


def _legend() -> str:
    return (
        f"Seeds with a positive effect of those applicable [exact two-sided {_PERCENT} interval of the share]; median effect "
        f"[{_PERCENT} interval by order statistics]. Left out: seeds without a spike / with a spike too "
        "early for a fork / with an arm that diverged. Fewer directions: the calm twin's effective ratio minus the spiking "
        "one's; equal counts are not positive."
    )


def _long(cells: Sequence[Cell]) -> str:
    names = ("gain over calm", "amplitude-weighted", "fewer directions", "gain over held")
    rows = [f"| setting | η | left out | {' | '.join(names)} |", "|---" * (len(names) + 3) + "|"]
    for cell in cells:
        effects = [_effect(getattr(cell.twins, name)) for name in OUTCOMES]
        left = f"{cell.unspiked}/{cell.early}/{cell.diverged} of {cell.asked}"
        rows.append(f"| {cell.row.name} | {cell.rate:g} | {left} | {' | '.join(effects)} |")
    return "\n".join(rows)


def _effect(values: Numbers) -> str:
    if not len(values):
        return "none"
    interval = median_interval(values, (1 - LEVEL) / 2)
    return f"{share(values)}; {interval.estimate:+.3f} [{interval.low:+.3f}, {interval.high:+.3f}]"


def _weak(cells: Sequence[Cell], used: Sequence[Cell]) -> str:
    total = sum(len(cell.twins) for cell in cells)
    calm, held = (sum(getattr(cell, name) for cell in cells) for name in ("calm_spikes", "held_spikes"))
    small = sum(0 < len(cell.twins) < ENOUGH for cell in cells)
    early, diverged = sum(cell.early for cell in cells), sum(cell.diverged for cell in cells)
    survivors = (
        f"Of {sum(cell.asked for cell in cells):,} seeds {early} spiked too early to fork and in {diverged} an arm diverged: "
        "the most violent ones, so that large rates are seen through survivors."
    )
    alike = (
        f"{small} cells have between 1 and {ENOUGH - 1} applicable seeds: they are in the tables, not in the explanation. "
        f"The {len(used)} cells of the explanation come from {len(by_row(used))} rows, and cells of a row are alike: the sign "
        "test takes them as independent, which makes its p too small."
    )
    first_spike = (
        "Overshoot and height are the first spike's (overshoot at every step from the fork to the recovery, at most "
        f"{ASCENT.longest} steps); the gain is that of all spikes within the horizon."
    )
    edges = (
        f"The calm twin is calm up to an edge of its own: {calm:,} of {total:,} spiked within the horizon, of the held ones "
        f"{held}."
    )
    lines = (
        edges,
        "The held twin is an idealisation: it follows the constrained trajectory, looking at its direction every few steps.",
        "The horizon is fixed, and the sign of the gain depends on it at A and B (docs/decisions.md).",
        survivors,
        alike,
        first_spike,
        "The paragraph on spike and edge and the right panel were added after a look at six rows; all else was fixed before.",
        "Only the arms were intervened on. What goes with the gain need not cause it; `condensation-dose` varies the dose.",
    )
    return "\n".join(f"- {line}" for line in lines)


def _p(p: float) -> str:
    return f"{p:.3f}" if p >= 0.001 else f"{p:.0e}"


def _listed(chosen: Iterable[Association], which: str) -> str:
    ordered = sorted(chosen, key=lambda a: -abs(getattr(a, which)))
    return ", ".join(f"{CANDIDATES[a.name]} ({getattr(a, which):+.2f})" for a in ordered) or "nothing"


def _names(chosen: Iterable[str]) -> str:
    return ", ".join(CANDIDATES[name] for name in chosen) or "nothing"


# ---- the figure --------------------------------------------------------------------------------------------------------

# Okabe and Ito's colours, distinct for all common types of colour vision; in black and white, marks differ by shape.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
_MARKS = ("o", "s", "^", "v", "D", "P", "X", "*", "<", ">", "p", "h", "d", "8")


def figure(cells: Sequence[Cell]) -> Figure:
    """Median gain against the overshoot, and against the held twin's gain without a spike; one mark per cell."""
    used = [cell for cell in cells if cell.enough]
    drawn = Figure(figsize=(9.0, 5.2), layout="constrained")
    left, right = drawn.subplots(1, 2, sharey=True)
    _marks(left, used, "overshoot")
    _marks(right, used, "edge")
    left.set_ylabel("median gain of mean |cos|, spiking minus calm")
    left.set_xlabel("median overshoot of the first spike, max ηλ_max - 2")
    left.set_xscale("log")
    left.xaxis.set_major_locator(FixedLocator([0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 3.0, 5.0]))
    left.xaxis.set_major_formatter(FormatStrFormatter("%g"))
    left.xaxis.set_minor_formatter(NullFormatter())
    right.set_xlabel("median gain of mean |cos|, held minus calm (no spike)")
    right.axline((0.0, 0.0), slope=1.0, color="black", linewidth=0.8, linestyle="--")
    handles, labels = left.get_legend_handles_labels()
    drawn.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8)
    return drawn


def _marks(axes: Axes, cells: Sequence[Cell], name: str) -> None:
    axes.axhline(0.0, color="black", linewidth=0.8)
    for part in by_row(cells):
        index = [row.name for row in ROWS].index(part[0].row.name)
        x = [float(np.median(getattr(cell.twins, name))) for cell in part]
        medians_of = [median_interval(cell.twins.gain, (1 - LEVEL) / 2) for cell in part]
        y, low, high = np.array([(one.estimate, one.low, one.high) for one in medians_of]).T
        colour = _COLOURS[index % len(_COLOURS)]
        axes.errorbar(x, y, yerr=[y - low, high - y], fmt="none", ecolor=colour, elinewidth=0.8)
        axes.plot(
            x, y, linestyle=":", linewidth=0.7, color=colour, marker=_MARKS[index % len(_MARKS)], markersize=7,
            markeredgecolor="black", markeredgewidth=0.6, label=part[0].row.name,
        )  # fmt: skip
    axes.tick_params(which="both", labelsize=8)
