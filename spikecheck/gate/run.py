"""Train a candidate and its reference on the same settings and seeds, and report what is worse."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from spikecheck.core.activity import heard_by
from spikecheck.core.errors import SettingError
from spikecheck.core.events import Busy, ClaimStarted, Observer, StageStarted, WorkDone, ignore
from spikecheck.core.run import Run
from spikecheck.core.scorecard import Baseline, Decision, OptimizerSpec, Scorecard, Scores, SuiteSetting, TunedRate
from spikecheck.core.work import COMPARISON, TIMING, Expected, Work, total
from spikecheck.gate.comparison import ALPHA, decided, not_compared, rows
from spikecheck.gate.cost import memory, own_model, time_ratios
from spikecheck.gate.curves import band
from spikecheck.gate.metrics import MEASURES, MEMORY, TIME
from spikecheck.gate.parity import demand, parity_seconds
from spikecheck.gate.suite import Suite
from spikecheck.gate.workload_suite import WorkloadSuite
from spikecheck.lab.batching import tiles, work_of
from spikecheck.lab.laboratory import Laboratory

COST = "one step"


@dataclass(frozen=True)
class GateRun:
    """One gate: the candidate, the suite, and the laboratory that trains."""

    candidate: OptimizerSpec
    suite: Suite
    lab: Laboratory
    command: str
    environment: dict[str, str | int | float]
    observe: Observer = ignore
    alpha: float = ALPHA
    """Largest probability of a false regression, over all rows of the scorecard."""

    def against(self, reference: OptimizerSpec) -> Scorecard:
        """Compare the candidate with another optimizer; both are trained now.

        Raises:
            SettingError: one of them cannot be used.
            Stopped: the laboratory was stopped; finished runs are kept.
        """
        began = time.monotonic()
        own = scores(self.candidate, self.suite, self.lab, self.observe, "candidate")
        other = scores(reference, self.suite, self.lab, self.observe, "reference")
        return self._card(reference, "trained on the same seeds", own, other, began)

    def against_baseline(self, baseline: Baseline, name: str) -> Scorecard:
        """Compare the candidate with a baseline, which must fit the suite (see `baseline.fitting`); `name` is its file.

        Raises:
            SettingError: the candidate cannot be used.
            Stopped: the laboratory was stopped; finished runs are kept.
        """
        began = time.monotonic()
        own = scores(self.candidate, self.suite, self.lab, self.observe, "candidate")
        return self._card(baseline.contestant, name, own, baseline.scores, began)

    def _card(self, reference: OptimizerSpec, name: str, own: Scores, other: Scores, began: float) -> Scorecard:
        return scorecard(
            *(self.candidate, reference, name, self.suite),
            own=own,
            other=other,
            alpha=self.alpha,
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
    *,
    own: Scores,
    other: Scores,
    alpha: float,
    command: str,
    environment: dict[str, str | int | float],
    runs: tuple[int, int],
    seconds: float,
    tuned: Mapping[str, TunedRate] = MappingProxyType({}),
) -> Scorecard:
    """What two sides' scores come to; `runs` are those trained now, and those that were stored."""
    compared = rows(own, other, alpha, suite.measures, suite.cost)
    decision, undecided = decided(compared, suite.seeds)
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
        rows=compared,
        not_compared=not_compared(own, other, (*suite.measures, *suite.cost)),
        tuned=dict(tuned),
        curves={"candidate": own.curves, "reference": other.curves},
        runs_trained=runs[0],
        runs_reused=runs[1],
        seconds=seconds,
    )


def scores(
    contestant: OptimizerSpec, suite: Suite, lab: Laboratory, observe: Observer = ignore, stage: str = "candidate"
) -> Scores:
    """An optimizer's scores, seed by seed; all its trainings are done together."""
    places = suite.places(contestant)
    for place in places:
        observe(StageStarted("gate", f"{stage} in {place.name}: compared with torch's ordinary loop", 1, 0))
        _demand(place, lab, observe)
    observe(StageStarted("gate", stage, len(places), suite.seeds))
    recipes = {place.name: suite.recipes(place) for place in places}
    plain = {name: [recipe.parent() for recipe in wanted] for name, wanted in recipes.items()}
    runs = lab.runs([recipe for group in (recipes, plain) for wanted in group.values() for recipe in wanted])
    _check_moved(contestant, [run for group in plain.values() for recipe in group if (run := runs.get(recipe))])
    # A training that diverged has no last state to probe, so its run without the probe is used.
    seen = {name: [runs.get(recipe) or runs[recipe.parent()] for recipe in wanted] for name, wanted in recipes.items()}
    chosen = [measure for measure in MEASURES if measure.name in suite.rows]
    values = {m.name: {name: tuple(map(m.of, place_runs)) for name, place_runs in seen.items()} for m in chosen}
    observe(StageStarted("gate", f"{stage}: a step is timed", 1, 0))
    model = own_model(places[0].setting)
    if TIME[0] in suite.rows:
        values[TIME[0]] = {COST: time_ratios(contestant, model)}
    if MEMORY[0] in suite.rows:
        values[MEMORY[0]] = {COST: (memory(contestant, model),)}
    observe(WorkDone(_cost_seconds(suite), TIMING))
    return Scores(values=values, curves={name: band(place_runs) for name, place_runs in seen.items()})


def _check_moved(contestant: OptimizerSpec, runs: Sequence[Run]) -> None:
    """Refuse an optimizer with which every training ends where it began: nothing it is compared with could be worse."""
    ends = [(run.snapshots["start"].params, run.snapshots["end"].params) for run in runs if "end" in run.snapshots]
    if ends and all(np.array_equal(start, end) for start, end in ends):
        raise SettingError(
            f"lr={contestant.lr:g}: {contestant.optimizer} moves no parameter in any training; give a larger rate"
        )


def _demand(place: SuiteSetting, lab: Laboratory, observe: Observer) -> None:
    """Compare with torch's ordinary loop within the budget, and report progress."""
    told = 0.0

    def tick(seconds: float) -> None:
        nonlocal told
        told += seconds
        observe(WorkDone(seconds, COMPARISON))
        lab.check_deadline()

    expected = parity_seconds(place.setting)
    a_step = expected / place.setting.steps
    with heard_by(lambda doing: observe(Busy(doing))):
        demand(place.setting, place.name, lambda steps: tick(steps * a_step))
    tick(max(expected - told, 0.0))


def announced(contestants: Sequence[OptimizerSpec], suite: Suite, lab: Laboratory) -> ClaimStarted:
    """The event that announces a gate, with its expected work."""
    works: list[Work] = []
    for contestant in contestants:
        places = suite.places(contestant)
        asked = {recipe for place in places for recipe in suite.recipes(place)}
        asked |= {recipe.parent() for recipe in asked}
        works += map(work_of, tiles([recipe for recipe in asked if not lab.is_stored(recipe)]))
        works += ({COMPARISON: parity_seconds(place.setting)} for place in places)
        works.append({TIMING: _cost_seconds(suite)})
    return ClaimStarted("gate", 1, 1, (("gate", Expected(total(*works))),))


def _cost_seconds(suite: Suite) -> float:
    """Expected time to measure a step's time and memory, in seconds on a typical core."""
    return 2.0 if {TIME[0], MEMORY[0]} & set(suite.rows) else 0.0
