"""How often verdicts err, and how often they find what is there, in worlds whose truth is known."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from spikecheck.core.count import Count
from spikecheck.core.judgement import Outcome
from spikecheck.core.setting import Setting
from spikecheck.core.verdict import Verdict
from spikecheck.harness.plan import Plan
from spikecheck.harness.planted import REQUIRED, PlantedLab, planted_claim
from spikecheck.harness.verify import verify
from spikecheck.stats.counts import counted

HOLDS, FAILS = Outcome.HOLDS, Outcome.FAILS
Event = Callable[[Verdict], bool]


@dataclass(frozen=True)
class World:
    """What is true in it, and what of a verdict about it is counted; beside it the most that is promised, if anything is."""

    says: str
    truth: Callable[[Setting], float]
    """Share of seeds in which the claim is true."""
    counts: Mapping[str, tuple[Event, float | None]]
    control: float = 0.1
    """Share of seeds in which the control's effect is there."""


def _everywhere(share: float) -> Callable[[Setting], float]:
    return lambda setting: share  # noqa: ARG005


def _but_in_a_corner(setting: Setting) -> float:
    return 0.4 if setting.width == 100 and setting.lr == 0.3 else 0.99


def _refuted_in_the_corner(verdict: Verdict) -> bool:
    found = verdict.counterexample
    return found is not None and found.setting.width == 100 and found.setting.lr == 0.3


# An answer that rests on one judgement errs in at most 5 %, by its level. A claim counts as refuted over its domain where it
# fails at the reference or at the weakest setting: two judgements, on seeds of their own.
WORLDS = (
    World(
        f"true in {100 * REQUIRED:.0f} % of seeds, just what is asked for",
        _everywhere(REQUIRED),
        {
            "holds at the reference": (lambda v: v.replicates is HOLDS, 0.05),
            "fails at the reference": (lambda v: v.replicates is FAILS, 0.05),
            "generalises": (lambda v: v.generalises is HOLDS, 0.05),
            "refuted over its domain": (lambda v: v.generalises is FAILS, 0.10),
        },
    ),
    World(
        f"true in 99 %, its control in {100 * REQUIRED:.0f} %",
        _everywhere(0.99),
        {"passes": (lambda v: v.passed, 0.05)},
        control=REQUIRED,
    ),
    World(
        "true in 95 %",
        _everywhere(0.95),
        {
            "holds at the reference": (lambda v: v.replicates is HOLDS, None),
            "refuted over its domain": (lambda v: v.generalises is FAILS, 0.10),
        },
    ),
    World(
        "true in 60 %",
        _everywhere(0.6),
        {"fails at the reference": (lambda v: v.replicates is FAILS, None), "passes": (lambda v: v.passed, 0.05)},
    ),
    World(
        "true in 99 %, in one setting of nine in 40 %",
        _but_in_a_corner,
        {
            "holds at the reference": (lambda v: v.replicates is HOLDS, None),
            "refuted in that setting": (_refuted_in_the_corner, None),
        },
    ),
)


def verdicts_counted(plan: Plan, rounds: int, ticked: Callable[[], None], worlds: Sequence[World]) -> Iterator[Count]:
    """Every world's counts over so many verifications, each under a root seed of its own; `ticked` after every one."""
    claim = planted_claim()
    for world in worlds:
        verdicts: list[Verdict] = []
        for root in range(rounds):
            lab = PlantedLab(world.truth, world.control)
            verdicts.append(verify(claim, lab, replace(plan, seed=plan.seed + root, variations=False, maps=False)))
            ticked()
        for seen, (happened, promised) in world.counts.items():
            yield counted(world.says, seen, sum(map(happened, verdicts)), rounds, promised)
