"""Finds each side's best learning rate, and measures how sensitive the loss is to the rate.

The rate is found on seeds of its own; whatever is compared afterwards is trained on others.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from spikecheck.core.events import Observer, StageStarted
from spikecheck.core.scorecard import OptimizerSpec, TunedRate
from spikecheck.gate.rates import RateRange
from spikecheck.gate.workload_figures import final_loss, first_loss
from spikecheck.gate.workload_suite import SENSITIVITY, STABLE, TUNING_SEEDS, WorkloadSuite
from spikecheck.gate.workload_trainer import Trainer
from spikecheck.watch.runs import WorkloadRun

_RUNGS = 4
"""Rates a decade around the best one."""
_DECADE = range(-2, 3)
"""Rungs of the decade around the best rate."""
_WEIGHTS = np.array([0.5, 1.0, 1.0, 1.0, 0.5]) / 4
"""Of these rungs in a mean over the logarithm of the rate, by the trapezium rule."""
CLIMBS = (range(1, 5), range(5, 9))
"""Rungs above the best rate, in two rounds: seeds that are unstable in the first are not trained in the second."""
MOST_AROUND = 2 + sum(map(len, CLIMBS))
"""Trainings of a seed beside the one at the best rate, at most."""


def tuned(
    contestant: OptimizerSpec, span: RateRange, suite: WorkloadSuite, trainer: Trainer, side: str, observe: Observer
) -> tuple[OptimizerSpec, TunedRate]:
    """The contestant at its best rate in the range, and what was tried.

    Raises:
        SettingError: when every training diverges, or the best rate is an end of the range.
        BudgetSpent: when the deadline has passed; what was trained is kept.
    """
    seeds = suite.tuning_seeds()

    def losses(rates: tuple[float, ...]) -> Mapping[float, float]:
        observe(StageStarted("gate", f"{side}: {len(rates)} rates", 1, TUNING_SEEDS))
        runs = trainer.runs([(at(contestant, rate), seed) for rate in rates for seed in seeds])
        means = np.reshape([final_loss(run) for run in runs], (len(rates), len(seeds))).mean(axis=1)
        return dict(zip(rates, map(float, means), strict=True))

    known = span.best(losses, side)
    best, rates = next(iter(known)), tuple(sorted(known))
    found = TunedRate(best=best, seeds=TUNING_SEEDS, rates=rates, losses=tuple(known[rate] for rate in rates))
    return at(contestant, best), found


def around(
    contestant: OptimizerSpec, suite: WorkloadSuite, trainer: Trainer, runs: Sequence[WorkloadRun]
) -> Mapping[str, tuple[float, ...]]:
    """Rate sensitivity and stable range of a contestant whose runs at its best rate these are, seed by seed."""
    seeds = suite.own_seeds()
    rungs: list[dict[int, WorkloadRun]] = [{0: run} for run in runs]
    for climb in CLIMBS:
        below = [rung for rung in _DECADE if rung < 0] if climb is CLIMBS[0] else []
        alive = [place for place, known in enumerate(rungs) if stable_rungs(known) == max(known)]
        wanted = [(place, rung) for place in alive for rung in (*below, *climb)]
        trained = trainer.runs([(at(contestant, _rung(contestant.lr, rung)), seeds[place]) for place, rung in wanted])
        for (place, rung), run in zip(wanted, trained, strict=True):
            rungs[place][rung] = run
    return {
        SENSITIVITY: tuple(map(sensitivity, rungs)),
        STABLE: tuple(-stable_rungs(known) / _RUNGS for known in rungs),
    }


def sensitivity(rungs: Mapping[int, WorkloadRun]) -> float:
    """Loss lost on average over the decade around the best rate, in log10.

    As in arXiv 2309.14322, section 2.2: E[min(loss at a rate, loss at the start)] less the loss at the best rate. There the
    mean goes over three decades of rates, and the best is the smallest loss on them; here it goes over one, in the logarithm
    of the loss, and the best is the rate that other seeds chose, so that no seed's luck counts as a better rate.

    The formula and its section are as two public notes on the paper and its table of contents give them.
    """
    capped = [min(final_loss(rungs[rung]), first_loss(rungs[0])) for rung in _DECADE]
    return float(_WEIGHTS @ capped - capped[len(_DECADE) // 2])


def stable_rungs(rungs: Mapping[int, WorkloadRun]) -> int:
    """Rungs above the best rate up to which every training is stable.

    Stable is a training that ends with at least half of the fall, in log10 of the loss, that the best rate's has.
    """
    start = first_loss(rungs[0])
    allowed = (start + min(final_loss(rungs[0]), start)) / 2
    rung = 0
    while rung + 1 in rungs and final_loss(rungs[rung + 1]) <= allowed:
        rung += 1
    return rung


def at(contestant: OptimizerSpec, rate: float) -> OptimizerSpec:
    """The contestant with another learning rate."""
    return contestant.model_copy(update={"lr": rate})


def _rung(best: float, rung: int) -> float:
    return float(f"{best * 10 ** (rung / _RUNGS):.4g}")
