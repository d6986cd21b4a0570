"""How often a cause is named where each fork spikes by chance, whatever its arm: made losses, and the rules as they are.

    python studies/uncaused_chance.py

The forks' losses are noise, with a rise in a share of the forks. Everything after them is the diagnosis itself: the detector,
the heights, the sequential tests, Holm's correction and the ranking. Nothing is trained.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from rich.progress import track

from spikecheck.core.why import Effect, Outcome, Signs
from spikecheck.stats.bounds import clopper_pearson
from spikecheck.watch.detector import NoisySpike
from spikecheck.why.arms import ARMS, FULL_PRECISION, RATE_HELD
from spikecheck.why.executors import Job, Result
from spikecheck.why.heights import Reader
from spikecheck.why.inquiry import Inquiry
from spikecheck.why.ranking import ranked
from spikecheck.why.scene import Scene, scene_of

SHARES = (0.6, 0.75, 0.9, 1.0)
"""Of the forks that spike; 75 % is that of the training *chance*."""
ANSWERS = 200
"""For each share: an error of 5 % is then known to within 3 points either way."""
NO_CAUSE = "no cause"
_ONSET, _STEPS, _LENGTH, _RISE = 400, 600, 20, 20.0
"""The rise is 20 spreads high, as those of planted causes are or higher, and lasts as long as the longest bad data."""
_DO_NOT_APPLY = (RATE_HELD, FULL_PRECISION)
"""Under a constant rate and in single precision."""


def answer(share: float, seed: int) -> str:
    """The cause that is named first, `NO_CAUSE`, or that the spike does not come again for certain."""
    noise = np.random.default_rng((round(1_000 * share), seed))
    run = _losses(noise, _STEPS, _ONSET, high=True)
    scene = _scene(run)
    reader = Reader(run[: scene.start], scene, run[scene.start : scene.end])
    inquiry = Inquiry(ARMS, reader, _forks(noise, scene, share))
    if inquiry.placebo() is not Effect.REMOVES:
        return Outcome.CHAOTIC
    inquiry.judge_arms()
    causes = ranked(inquiry.results(), Signs())
    return causes[0].cause if causes else NO_CAUSE


def _scene(run: Sequence[float]) -> Scene:
    spike = NoisySpike(_ONSET, _ONSET, _ONSET, _RISE, 0.0, 1.0, run[_ONSET], "high", over=_ONSET + _LENGTH)
    return scene_of(spike, _STEPS)


def _forks(
    noise: np.random.Generator, scene: Scene, share: float
) -> Callable[[Sequence[Job]], Iterator[tuple[Job, Result]]]:
    def ask(jobs: Sequence[Job]) -> Iterator[tuple[Job, Result]]:
        for job in jobs:
            high = bool(noise.random() < share)
            losses = _losses(noise, scene.steps, scene.onset - scene.start, high=high)
            yield job, "does not apply" if job.arm in _DO_NOT_APPLY else losses

    return ask


def _losses(noise: np.random.Generator, steps: int, onset: int, *, high: bool) -> list[float]:
    losses = noise.normal(size=steps)
    losses[onset : onset + _LENGTH] += _RISE if high else 0.0
    return [float(loss) for loss in losses]


def table(counts: dict[float, Counter[str]]) -> str:
    """Answers by the share of forks that spike."""
    lines = [
        "| forks that spike | answers | chaotic | no cause | a cause, 95 % interval | which |",
        "|---:|---:|---:|---:|---|---|",
    ]
    return "\n".join([*lines, *(_row(share, count) for share, count in counts.items())]) + "\n"


def _row(share: float, count: Counter[str]) -> str:
    whole = sum(count.values())
    causes = {name: times for name, times in count.most_common() if name not in (NO_CAUSE, Outcome.CHAOTIC)}
    named = sum(causes.values())
    low, high = clopper_pearson(named, whole, 0.025)
    which = ", ".join(f"{name} {times}" for name, times in causes.items())
    return (
        f"| {100 * share:.0f} % | {whole} | {count[Outcome.CHAOTIC]} | {count[NO_CAUSE]} "
        f"| {named}: {100 * named / whole:.1f} % ({100 * low:.1f} to {100 * high:.1f}) | {which} |"
    )


def main() -> None:
    """Print the table."""
    cells = [(share, seed) for share in SHARES for seed in range(ANSWERS)]
    counts: dict[float, Counter[str]] = {share: Counter() for share in SHARES}
    for share, seed in track(cells, "answers"):
        counts[share][answer(share, seed)] += 1
    print(table(counts))


if __name__ == "__main__":
    main()
