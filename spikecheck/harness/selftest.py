"""How often verdicts are wrong, and how often they find a true effect, in simulated worlds whose truth is known."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import log
from typing import Any

from spikecheck.core.judgement import Outcome
from spikecheck.core.setting import Setting
from spikecheck.core.verdict import Verdict
from spikecheck.harness.domain import Ladder
from spikecheck.harness.plan import Plan
from spikecheck.harness.simulated_lab import REQUIRED, SHARE, Law, PlantedLab, coin, normal, planted_claim, skewed
from spikecheck.harness.verify import verify
from spikecheck.stats.counts import Count, counted
from spikecheck.stats.prediction import Average, Equivalence, Estimand

HOLDS, FAILS, INVALID, UNDECIDED = Outcome.HOLDS, Outcome.FAILS, Outcome.INVALID, Outcome.UNDECIDED
Event = Callable[[Verdict], bool]
Counts = Mapping[str, tuple[Event, float | None]]


@dataclass(frozen=True)
class World:
    """A simulated truth, and the events that are counted in verdicts about it.

    `counts` gives for each event, by name, its test and the largest promised rate, None if nothing is promised.
    """

    says: str
    truth: Callable[[Setting], float]
    """Share of seeds with the effect, for the law `coin`; for other laws the effect's mean in standard deviations."""
    counts: Counts
    control: float = 0.1
    """The negative control's share or mean, in every setting."""
    positive: float = 0.99
    """The positive control's share or mean, in every setting."""
    law: Law = coin
    predicts: Estimand = SHARE
    axes: Mapping[str, Ladder] = field(default_factory=dict)
    """The domain's ladders; empty: those of the planted claim."""
    plan: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the plan that differ from the given one."""


def _everywhere(number: float) -> Callable[[Setting], float]:
    return lambda setting: number  # noqa: ARG005


def _but_in_a_corner(setting: Setting) -> float:
    return 0.4 if setting.width == 100 and setting.lr == 0.3 else 0.99


def _in_three_quarters(setting: Setting) -> float:
    return 0.3 if (_WIDTHS.index(setting.width) + _POINTS.index(setting.points)) % 4 == 0 else 0.99


def _refuted_in_the_corner(verdict: Verdict) -> bool:
    counterexample = verdict.counterexample
    return counterexample is not None and counterexample.setting.width == 100 and counterexample.setting.lr == 0.3


def _missed_by_the_reach(verdict: Verdict) -> bool:
    return verdict.reach is None or not verdict.reach.low <= 0.75 <= verdict.reach.high


def _replicates(outcome: Outcome) -> Event:
    return lambda verdict: verdict.replicates is outcome


def _generalises(outcome: Outcome) -> Event:
    return lambda verdict: verdict.generalises is outcome


def _passes(verdict: Verdict) -> bool:
    return verdict.passed


_WIDTHS, _POINTS = (20, 30, 40, 50, 60, 70, 80, 90), (20, 21, 22, 23, 24, 25, 26, 27)
AT_THE_REFERENCE = {"settings": 0}
"""Change to a plan that only judges the reference setting."""
WORTH = 0.25
"""The `worth` of the averages, in standard deviations."""
ABOVE, BELOW = Average(above=0.0, worth=WORTH), Average(below=0.0, worth=WORTH)
ALIKE = Equivalence(at_least=-0.5, at_most=0.5)
FAR, PLANTED = -1.0, 1.0
"""Means of the negative and the positive control for an average claimed above 0; swapped for one claimed below 0."""

# An answer that depends on one judgement is wrong in at most 5 %, by its level. A claim counts as refuted over its domain if
# it fails at the reference or at the weakest setting: these are two judgements on separate seeds, hence 10 %.
OF_SHARES = (
    World(
        f"true in {100 * REQUIRED:.0f} % of seeds, just what is asked for",
        _everywhere(REQUIRED),
        {
            "holds at the reference": (_replicates(HOLDS), 0.05),
            "fails at the reference": (_replicates(FAILS), 0.05),
            "generalises": (_generalises(HOLDS), 0.05),
            "refuted over its domain": (_generalises(FAILS), 0.10),
        },
    ),
    World(
        "true in 95 %",
        _everywhere(0.95),
        {
            "holds at the reference": (_replicates(HOLDS), None),
            "refuted over its domain": (_generalises(FAILS), 0.10),
        },
    ),
    World(
        "true in 60 %",
        _everywhere(0.6),
        {"fails at the reference": (_replicates(FAILS), None), "passes": (_passes, 0.05)},
    ),
    World(
        "true in 99 %, in one setting of nine in 40 %",
        _but_in_a_corner,
        {
            "holds at the reference": (_replicates(HOLDS), None),
            "refuted in that setting": (_refuted_in_the_corner, None),
        },
    ),
)
OF_CONTROLS = (
    World(
        f"true in 99 %, its control in {100 * REQUIRED:.0f} %",
        _everywhere(0.99),
        {"passes": (_passes, 0.05)},
        control=REQUIRED,
        plan=AT_THE_REFERENCE,
    ),
    World(
        "true in 88 %, its control in 72 %",
        _everywhere(0.88),
        {"holds at the reference": (_replicates(HOLDS), 0.05), "passes": (_passes, 0.05)},
        control=0.72,
        plan=AT_THE_REFERENCE,
    ),
    World(
        "true in 99 %, and so is its control",
        _everywhere(0.99),
        {"passes": (_passes, 0.05), "invalid": (_replicates(INVALID), None)},
        control=0.99,
        plan=AT_THE_REFERENCE,
    ),
    World(
        "true in 10 %, and what is planted is found in 10 %",
        _everywhere(0.1),
        {"fails at the reference": (_replicates(FAILS), 0.05), "invalid": (_replicates(INVALID), None)},
        positive=0.1,
        plan=AT_THE_REFERENCE,
    ),
    World(
        f"true in 10 %, and what is planted is found in {100 * REQUIRED:.0f} %",
        _everywhere(0.1),
        {"fails at the reference": (_replicates(FAILS), 0.05)},
        positive=REQUIRED,
        plan=AT_THE_REFERENCE,
    ),
    World(
        "true in 10 %, and what is planted is found in 99 %",
        _everywhere(0.1),
        {"fails at the reference": (_replicates(FAILS), None), "passes": (_passes, 0.05)},
        plan=AT_THE_REFERENCE,
    ),
)


def _of_an_average(
    says: str,
    mean: float,
    counts: Counts,
    predicts: Estimand = ABOVE,
    law: Law = normal,
    control: float = FAR,
    positive: float = PLANTED,
    plan: Mapping[str, Any] = AT_THE_REFERENCE,
) -> World:
    return World(says, _everywhere(mean), counts, control, positive, law, predicts, plan=plan)


OF_AVERAGES = (
    _of_an_average(
        "a mean of 0, just the limit",
        0.0,
        {"holds at the reference": (_replicates(HOLDS), 0.05), "fails at the reference": (_replicates(FAILS), None)},
    ),
    _of_an_average(
        f"a mean of {WORTH:g} standard deviations, just what is worth a claim",
        WORTH,
        {
            "holds at the reference": (_replicates(HOLDS), None),
            "fails at the reference": (_replicates(FAILS), 0.05),
            "refuted over its domain": (_generalises(FAILS), 0.10),
        },
        plan={},
    ),
    _of_an_average(
        f"a mean of {WORTH / 2:g} standard deviations, half of that",
        WORTH / 2,
        {"holds at the reference": (_replicates(HOLDS), None), "fails at the reference": (_replicates(FAILS), None)},
    ),
    _of_an_average(
        "a mean just worth a claim, of exponential effects",
        WORTH,
        {"fails at the reference": (_replicates(FAILS), 0.05)},
        law=skewed,
    ),
    _of_an_average(
        "exponential effects with a mean of 0, claimed to be below",
        0.0,
        {"holds at the reference": (_replicates(HOLDS), 0.05)},
        BELOW,
        skewed,
        control=PLANTED,
        positive=FAR,
    ),
    _of_an_average(
        "exponential effects with a median of 0",
        1.0 - log(2.0),
        {"holds at the reference": (_replicates(HOLDS), 0.05)},
        Average(above=0.0, of="median"),
        skewed,
    ),
    _of_an_average(
        "a mean of 0.5, just as much as little may be",
        0.5,
        {
            "holds at the reference": (_replicates(HOLDS), 0.05),
            "fails at the reference": (_replicates(FAILS), 0.05),
        },
        ALIKE,
        control=2.0,
        positive=0.0,
    ),
    _of_an_average(
        "a mean of 0, claimed to be little, as its control's is",
        0.0,
        {"holds at the reference": (_replicates(HOLDS), 0.05)},
        ALIKE,
        control=0.0,
        positive=0.0,
    ),
    _of_an_average(
        "a mean of 0, claimed to be little, its control's 1.5",
        0.0,
        {"holds at the reference": (_replicates(HOLDS), None)},
        ALIKE,
        control=1.5,
        positive=0.0,
    ),
    _of_an_average(
        "a mean of 0.4, its control's 0.4",
        0.4,
        {"holds at the reference": (_replicates(HOLDS), 0.05)},
        control=0.4,
    ),
    _of_an_average(
        "a mean of 0.4, its control's 0",
        0.4,
        {
            "holds at the reference": (_replicates(HOLDS), None),
            "stays undecided": (_replicates(UNDECIDED), None),
            "fails at the reference": (_replicates(FAILS), 0.05),
        },
        control=0.0,
    ),
)
OF_REACH = (
    World(
        "true in 48 of a domain's 64 settings",
        _in_three_quarters,
        {"reach misses that": (_missed_by_the_reach, 0.05)},
        axes={"width": Ladder(*_WIDTHS), "points": Ladder(*_POINTS)},
        plan=AT_THE_REFERENCE | {"reach": 24, "fresh_seeds": 16, "looks": 1},
    ),
)
WORLDS = (*OF_SHARES, *OF_CONTROLS, *OF_AVERAGES, *OF_REACH)


def verdicts_counted(plan: Plan, rounds: int, ticked: Callable[[], None], worlds: Sequence[World]) -> Iterator[Count]:
    """Count every world's events over `rounds` verifications, each with its own root seed; call `ticked` after each.

    Worlds take different times, so they take turns: every part of the work then takes about as long as any other.
    """
    times = [dict.fromkeys(world.counts, 0) for world in worlds]
    for root in range(rounds):
        for world, so_far in zip(worlds, times, strict=True):
            verdict = _verdict(world, plan, plan.seed + root)
            for seen, (happened, _) in world.counts.items():
                so_far[seen] += happened(verdict)
            ticked()
    for world, in_all in zip(worlds, times, strict=True):
        for seen, (_, promised) in world.counts.items():
            yield counted(world.says, seen, in_all[seen], rounds, promised)


def _verdict(world: World, plan: Plan, seed: int) -> Verdict:
    """One verification in a world."""
    claim = planted_claim("tendency", world.predicts, **world.axes)
    small = replace(plan, **{"variations": False, "maps": False, "reach": 0, **world.plan})
    lab = PlantedLab(world.truth, world.control, positive=world.positive, law=world.law)
    return verify(claim, lab, replace(small, seed=seed))
