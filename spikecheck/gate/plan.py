"""The plan of a gate: what it would train, and which differences it could detect."""

from spikecheck.core.gate_outlook import Finds, GateOutlook
from spikecheck.core.scorecard import OptimizerSpec
from spikecheck.gate.comparison import can_name, level, too_few
from spikecheck.gate.suite import Suite
from spikecheck.gate.workload_suite import WorkloadSuite
from spikecheck.stats.paired import detectable_in_spreads
from spikecheck.stats.proportions import Counts


def gate_outlook(candidate: OptimizerSpec, suite: Suite | WorkloadSuite) -> GateOutlook:
    """The plan for a candidate on a suite. Differences are in standard deviations, since the scores' spread is not known."""
    settings, seeds = len(suite.settings), suite.seeds
    finds = [_finds("one setting", settings, 1, seeds)]
    if settings > 1:
        finds.append(_finds("all together", settings, settings, seeds))
    return GateOutlook(
        places=suite.places(candidate),
        seeds=seeds,
        finds=tuple(finds),
        warning="" if can_name(settings, seeds) else f"{too_few(settings, seeds)}; the gate cannot pass",
    )


def _finds(where: str, settings: int, together: int, seeds: int) -> Finds:
    trainings, counted = seeds * together, level(settings, "count")
    named = (own for own in range(1, trainings + 1) if Counts(own, 0, trainings).p_above() <= counted)
    return Finds(
        where=where,
        trainings=trainings,
        spreads=detectable_in_spreads(seeds, together, level(settings, "mean")),
        spiking=next(named, None),
    )
