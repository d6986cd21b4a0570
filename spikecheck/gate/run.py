"""Train a candidate and its reference on the same settings and seeds, and say what has become worse."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from spikecheck.core.activity import heard_by
from spikecheck.core.events import Busy, ClaimStarted, Observer, StageStarted, WorkDone, ignore
from spikecheck.core.scorecard import Baseline, Decision, OptimizerSpec, Scorecard, Scores, SuiteSetting
from spikecheck.gate.comparison import ALPHA, decided, not_compared, rows
from spikecheck.gate.cost import memory, own_model, time_ratios
from spikecheck.gate.curves import band
from spikecheck.gate.metrics import MEASURES, MEMORY, TIME
from spikecheck.gate.parity import demand, parity_seconds
from spikecheck.gate.suite import Suite
from spikecheck.gate.workload_suite import WorkloadSuite
from spikecheck.lab.batching import seconds, tiles
from spikecheck.lab.laboratory import Laboratory

COST = "one step"


@dataclass(frozen=True)
class GateRun:
    """One gate: who is judged, on what, and where it is trained."""

    candidate: OptimizerSpec
    suite: Suite
    lab: Laboratory
    command: str
    environment: dict[str, str | int | float]
    observe: Observer = ignore
    alpha: float = ALPHA
    """Chance of a false regression, over all rows of the scorecard."""

    def against(self, reference: OptimizerSpec) -> Scorecard:
        """The candidate against another optimizer, both trained now.

        Raises:
            SettingError: when one of them cannot be used.
            Stopped: when the laboratory is stopped; what it trained is kept.
        """
        began = time.monotonic()
        own = scores(self.candidate, self.suite, self.lab, self.observe, "candidate")
        other = scores(reference, self.suite, self.lab, self.observe, "reference")
        return self._card(reference, "trained beside it", own, other, began)

    def against_baseline(self, baseline: Baseline, name: str) -> Scorecard:
        """The candidate against scores that were written before; `baseline` fits the suite, and `name` is its file's.

        Raises:
            as `against`.
        """
        began = time.monotonic()
        own = scores(self.candidate, self.suite, self.lab, self.observe, "candidate")
        return self._card(baseline.contestant, name, own, baseline.scores, began)

    def _card(self, reference: OptimizerSpec, name: str, own: Scores, other: Scores, began: float) -> Scorecard:
        return scorecard(
            *(self.candidate, reference, name, self.suite, own, other, self.alpha),
            command=self.command,
            environment=self.environment,
            runs=(self.lab.runs_trained, self.lab.runs_reused),
            seconds=time.monotonic() - began,
        )


def scorecard(
    candidate: OptimizerSpec,
    reference: OptimizerSpec,
    against: str,
    suite: Suite | WorkloadSuite,
    own: Scores,
    other: Scores,
    alpha: float,
    *,
    command: str,
    environment: dict[str, str | int | float],
    runs: tuple[int, int],
    seconds: float,
) -> Scorecard:
    """What two sides' scores come to; `runs` are those trained now, and those that were stored."""
    found = rows(own, other, alpha, suite.measures, suite.cost)
    decision, undecided = decided(found, suite.seeds)
    return Scorecard(
        passed=decision is Decision.PASSED,
        decision=decision,
        undecided=undecided,
        command=command,
        environment=environment,
        candidate=candidate,
        reference=reference,
        against=against,
        alpha=alpha,
        places=suite.places(candidate),
        seeds=suite.seeds,
        root=suite.root,
        rows=found,
        not_compared=not_compared(own, other, (*suite.measures, *suite.cost)),
        curves={"candidate": own.curves, "reference": other.curves},
        runs_trained=runs[0],
        runs_reused=runs[1],
        seconds=seconds,
    )


def scores(
    contestant: OptimizerSpec, suite: Suite, lab: Laboratory, observe: Observer = ignore, stage: str = "candidate"
) -> Scores:
    """A contestant's numbers, seed by seed, all its trainings made in one go."""
    places = suite.places(contestant)
    for place in places:
        observe(StageStarted("gate", f"{stage} in {place.name}: compared with torch's ordinary loop", 1, 0))
        _demand(place, observe)
    observe(StageStarted("gate", stage, len(places), suite.seeds))
    recipes = {place.name: suite.recipes(place) for place in places}
    plain = {name: [recipe.parent() for recipe in wanted] for name, wanted in recipes.items()}
    runs = lab.runs([recipe for group in (recipes, plain) for wanted in group.values() for recipe in wanted])
    # A training that diverged has nothing to look at behind its end.
    seen = {name: [runs.get(recipe) or runs[recipe.parent()] for recipe in wanted] for name, wanted in recipes.items()}
    chosen = [measure for measure in MEASURES if measure.name in suite.rows]
    values = {m.name: {name: tuple(map(m.of, found)) for name, found in seen.items()} for m in chosen}
    observe(StageStarted("gate", f"{stage}: a step is timed", 1, 0))
    model = own_model(places[0].setting)
    if TIME[0] in suite.rows:
        values[TIME[0]] = {COST: time_ratios(contestant, model)}
    if MEMORY[0] in suite.rows:
        values[MEMORY[0]] = {COST: (memory(contestant, model),)}
    observe(WorkDone(_cost_seconds(suite)))
    return Scores(values=values, curves={name: band(found) for name, found in seen.items()})


def _demand(place: SuiteSetting, observe: Observer) -> None:
    """The comparison with an ordinary loop, and its progress."""
    told = 0.0

    def tick(seconds: float) -> None:
        nonlocal told
        told += seconds
        observe(WorkDone(seconds))

    expected = parity_seconds(place.setting)
    a_step = expected / place.setting.steps
    with heard_by(lambda doing: observe(Busy(doing))):
        demand(place.setting, place.name, lambda steps: tick(steps * a_step))
    tick(max(expected - told, 0.0))


def announced(contestants: Sequence[OptimizerSpec], suite: Suite, lab: Laboratory) -> ClaimStarted:
    """What a display is told before a gate: all that will be done, in seconds of a usual core."""
    expected = 0.0
    for contestant in contestants:
        places = suite.places(contestant)
        asked = {recipe for place in places for recipe in suite.recipes(place)}
        asked |= {recipe.parent() for recipe in asked}
        expected += sum(map(seconds, tiles([recipe for recipe in asked if not lab.is_stored(recipe)])))
        expected += sum(parity_seconds(place.setting) for place in places) + _cost_seconds(suite)
    return ClaimStarted("gate", 1, 1, (("gate", expected),))


def _cost_seconds(suite: Suite) -> float:
    """Timing steps and counting memory, in seconds of a usual core."""
    return 2.0 if {TIME[0], MEMORY[0]} & set(suite.rows) else 0.0
