"""Which part makes the larger share of a rise, the slopes or the length of the steps: judged on seeds that were not looked at.

The first rule asks for a rise of the loss on all points that is twice the largest of quiet steps. In `mlp, mnist1d` one spike
of seven has that. This one asks for no size. It was made on those seven, and committed before these seeds were trained.
"""

from collections.abc import Callable, Iterator, Sequence

from scipy.stats import mannwhitneyu

from spikecheck.why.spikes import Run, first_costly
from studies.fixed_reading import UPHILL
from studies.fixed_stretches import FixedCell, Spiking, Stretch, What, stretches_before
from studies.spontaneous_page import share

SEEDS = range(10, 30)
LEVEL = 0.01
SPIKE: What = "spike, fresh seed"
QUIET: What = "quiet, fresh seed"
_EARLIER = 2


def fresh(kind: str, run_of: Callable[[int], Run]) -> Iterator[Stretch]:
    """The first spike of every seed that is not benign, and two quiet stretches before it."""
    for seed in SEEDS:
        run = run_of(seed)
        spike = first_costly(run, run.spikes)
        if spike is not None:
            one = Spiking(seed, spike.onset, spike.peak)
            yield Stretch(kind=kind, seed=seed, onset=one.onset, peak=one.peak, what=SPIKE)
            yield from stretches_before(kind, one, _EARLIER, QUIET, run.spikes)


def fresh_table(fixed: Sequence[FixedCell]) -> str:
    """How often the length of the steps makes the larger part, and whether it makes more in spikes than in quiet stretches."""
    spikes, quiet = ([one.reading.part for one in fixed if one.stretch.what == what] for what in (SPIKE, QUIET))
    lines = [
        "## On fresh seeds\n",
        "| stretches | how many | rise | steps make the larger part, 95 % interval | part, quartiles |",
    ]
    lines.append("|---|---:|---:|---|---|")
    for what, parts in ((SPIKE, spikes), (QUIET, quiet)):
        known = sorted(part for part in parts if part is not None)
        larger = share(sum(part > UPHILL for part in known), len(known))
        lines.append(f"| {what} | {len(parts)} | {len(known)} | {larger} | {_quartiles(known)} |")
    return "\n".join([*lines, "", _tested(spikes, quiet)]) + "\n"


def _quartiles(known: Sequence[float]) -> str:
    places = [round(part * (len(known) - 1)) for part in (0.25, 0.5, 0.75)] if known else []
    return ", ".join(f"{known[place]:.2f}" for place in places)


def _tested(spikes: Sequence[float | None], quiet: Sequence[float | None]) -> str:
    one, other = ([part for part in parts if part is not None] for parts in (spikes, quiet))
    if not one or not other:
        return "Nothing to compare."
    p = float(mannwhitneyu(one, other, alternative="greater").pvalue)
    says = "is" if p <= LEVEL else "is not shown to be"
    return (
        f"The part {says} larger in spikes: p = {p:.2g} by the test of Mann, Whitney and Wilcoxon, one-sided, at 1 %."
    )
