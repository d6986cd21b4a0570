"""How often a cause is named where each fork spikes by chance, whatever its arm: made forks, and the rules as they are.

    python studies/uncaused_chance.py

A coin decides for every fork whether it spikes. Everything after it is the diagnosis itself: the sequential tests, Holm's
correction and the ranking. Nothing is trained. The positive control is the same with one arm that does remove the spike.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from rich.progress import track

from spikecheck.core.why import Cause, Effect, Outcome, Signs
from spikecheck.stats.bounds import clopper_pearson
from spikecheck.why.arms import ARMS, FULL_PRECISION, HALF_RATE, RATE_HELD, SECOND_HELD, Arm
from spikecheck.why.executors import Job, Result
from spikecheck.why.heights import Reader, Seen
from spikecheck.why.inquiry import Inquiry
from spikecheck.why.ranking import asks_whether_held, ranked

SHARES = (0.6, 0.75, 0.9, 1.0)
"""Of the forks that spike; 75 % is that of the training *chance*."""
ANSWERS = 2_000
"""For each share: an error of 5 % is then known to within one point either way."""
FIRST = 2_000
"""Number of the first coin. Those before judged the rules before the last amendment of docs/decisions/0004."""
NO_CAUSE = "no cause"
Counts = dict[float, Counter[str]]
"""Answers by the share of forks that spike."""
_HEIGHT = 20.0
"""Spreads of a rise; any height does, for a fork without one has 0."""
_DO_NOT_APPLY = (RATE_HELD, FULL_PRECISION)
"""Under a constant rate and in single precision."""


class _Marked(Reader):
    """Takes a fork's only loss for its height, where a reader would look for the rise in all of them."""

    def __init__(self) -> None:
        """There are no losses from before."""

    def seen(self, losses: Sequence[float]) -> Seen:
        """A fork, judged."""
        high = losses[0] > 0.0
        return Seen(losses, losses[0], high, high, None)


def answer(share: float, seed: int, remedy: Arm | None = None) -> str:
    """The cause that is named first, `NO_CAUSE`, or that the spike does not come again for certain.

    Args:
        share: Of the forks that spike.
        seed: Of the coin.
        remedy: An arm whose forks never spike.
    """
    coin = np.random.default_rng((round(1_000 * share), seed))
    inquiry = Inquiry(ARMS, _Marked(), _forks(coin, share, remedy))
    if inquiry.placebo() is not Effect.REMOVES:
        return Outcome.CHAOTIC
    inquiry.judge_arms()
    if asks_whether_held(inquiry.results(), Signs()):
        inquiry.add(SECOND_HELD)
        inquiry.judge_arms()
    causes = ranked(inquiry.results(), Signs())
    return causes[0].cause if causes else NO_CAUSE


def _forks(
    coin: np.random.Generator, share: float, remedy: Arm | None
) -> Callable[[Sequence[Job]], Iterator[tuple[Job, Result]]]:
    def ask(jobs: Sequence[Job]) -> Iterator[tuple[Job, Result]]:
        for job in jobs:
            high = coin.random() < share and job.arm is not remedy
            yield job, "does not apply" if job.arm in _DO_NOT_APPLY else [_HEIGHT if high else 0.0]

    return ask


_HEAD = (
    "| forks that spike | answers | chaotic | no cause | a cause | of those not chaotic | which | where an arm removes it |",
    "|---:|---:|---:|---:|---|---:|---|---|",
)


def table(counts: Counts, controls: Counts) -> str:
    """Answers by the share of forks that spike, with 95 % intervals."""
    return "\n".join([*_HEAD, *(_row(share, counts[share], controls[share]) for share in counts)]) + "\n"


def _row(share: float, count: Counter[str], control: Counter[str]) -> str:
    whole = count.total()
    causes = {name: times for name, times in count.most_common() if name not in (NO_CAUSE, Outcome.CHAOTIC)}
    named = sum(causes.values())
    judged = whole - count[Outcome.CHAOTIC]
    which = ", ".join(f"{name} {times}" for name, times in causes.items())
    return (
        f"| {100 * share:.0f} % | {whole} | {count[Outcome.CHAOTIC]} | {count[NO_CAUSE]} | {_part(named, whole)} "
        f"| {100 * named / judged:.1f} % | {which} | {_part(control[Cause.CURVATURE], control.total())} |"
    )


def _part(some: int, whole: int) -> str:
    low, high = clopper_pearson(some, whole, 0.025)
    return f"{some}: {100 * some / whole:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def main() -> None:
    """Print the table."""
    cells = [(share, seed) for share in SHARES for seed in range(FIRST, FIRST + ANSWERS)]
    counts: Counts = {share: Counter() for share in SHARES}
    controls: Counts = {share: Counter() for share in SHARES}
    for share, seed in track(cells, "answers"):
        counts[share][answer(share, seed)] += 1
        controls[share][answer(share, seed, HALF_RATE)] += 1
    print(table(counts, controls))


if __name__ == "__main__":
    main()
