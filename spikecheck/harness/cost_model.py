"""What verifying a claim will cost, before anything is trained: for a bar over all claims and an estimate of the time left."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import prod

import numpy as np
from scipy.special import bdtr, bdtrc, betaincinv, nctdtr, ndtr, stdtrit

from spikecheck.core.outlook import Outlook
from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.harness.claim import Claim, unchanged
from spikecheck.harness.domain import Map
from spikecheck.harness.evidence import trainings
from spikecheck.harness.plan import Plan
from spikecheck.harness.sensitivity import variations
from spikecheck.harness.verify import first_blocks
from spikecheck.lab.batching import padded, seconds, work
from spikecheck.stats.looks import nominal_alpha
from spikecheck.stats.prediction import Estimand, Prediction

_SHRINKING = 3
"""Settings that a descent usually looks at."""
_SAMPLE = 64
"""Recipes of which it is asked whether they are stored."""
_LOOKS = 8
"""Seeds of which it is asked whether the looks at them are stored."""
READING = 0.003
"""Seconds that reading and measuring a run takes on a usual core."""


def expected_settings(claim: Claim, plan: Plan) -> int:
    """How many judgements the verification will make, about: each of them shows on the bar."""
    plan = plan.of(claim)
    searched = plan.settings + len(claim.known) + len(plan.besides(claim)) + plan.reach
    cells = sum(_cells(claim, asked) for asked in claim.maps) if plan.maps else 0
    return 4 + searched + _SHRINKING + cells


def expected_work(claim: Claim, plan: Plan) -> float:
    """The cost of the verification, as that of a member at the reference setting times the members, in activations.

    Settings in the domain cost more or less than the reference, and what is stored costs nothing: a weight, no promise.
    """
    return _members(claim, plan) * _cost_of_a_member(claim)


def expected_stages(claim: Claim, plan: Plan, stored: Callable[[Recipe], bool]) -> dict[str, float]:
    """What is left to do of a verification by its stages, in seconds of a usual core: what `stored` knows is only read.

    The stages whose settings depend on what is found are taken to be like those before them.
    """
    plan = plan.of(claim)
    fresh, search, sampled = first_blocks(claim, plan)
    reference = {claim.domain.reference: fresh[claim.domain.reference]}
    beside = {setting: seeds for setting, seeds in fresh.items() if setting not in reference}
    controls = list(_controls(claim))

    def answered(blocks: Mapping[Setting, Sequence[int]]) -> float:
        return sum(_trained_and_read(one, blocks, stored) for one in (claim, *controls))

    first, searched = answered(reference), _trained_and_read(claim, search, stored)
    a_setting = searched / len(search) if search else first / plan.fresh_seeds * plan.search_seeds
    cells = sum(_cells(claim, asked) for asked in claim.maps) if plan.maps else 0
    varied = len(variations(claim)) if plan.variations else 0
    again = 1.5 if plan.looks > 1 else 1.0  # half of the answers take a second look, which doubles their seeds
    return {
        "reference": first * again,
        "search": searched,
        "descent": a_setting * (_SHRINKING / 2 if plan.descents else 0),  # half of the claims have nothing to shrink
        "confirmation": _trained_and_read(claim, reference, stored) * again if search else 0.0,
        "beside": answered(beside),
        "reach": _trained_and_read(claim, sampled, stored),
        "variations": varied * plan.fresh_seeds * (_looks_cost(claim, claim.domain.reference) + READING),
        "map": a_setting * cells,
    }


def _trained_and_read(claim: Claim, blocks: Mapping[Setting, Sequence[int]], stored: Callable[[Recipe], bool]) -> float:
    return expected_of(claim, blocks, stored) + READING * sum(map(len, blocks.values()))


def expected_of(claim: Claim, blocks: Mapping[Setting, Sequence[int]], stored: Callable[[Recipe], bool]) -> float:
    """What training and looking at these settings' seeds takes, in seconds of a usual core; known by a sample of them."""
    if not blocks:
        return 0.0
    first = list(dict.fromkeys(trainings(claim, blocks)))
    sample = first[:: max(1, len(first) // _SAMPLE)]
    lacking = [recipe for recipe in sample if not stored(recipe)]
    trained = sum(map(_member_seconds, lacking)) * len(first) / len(sample)
    setting, seeds = next(iter(blocks.items()))
    looks = [look for seed in seeds[:_LOOKS] for look in _looks(claim, setting, seed)]
    # A fork of a run that never spiked is nowhere; so where some looks are stored, all that there can be are.
    share = len(lacking) / len(sample) if any(map(stored, looks)) else 1.0
    return trained + share * _looks_cost(claim, setting) * sum(map(len, blocks.values()))


def _controls(claim: Claim) -> Iterator[Claim]:
    """The controls whose arms are not the claim's own: they are trained besides."""
    for control in (claim.control, *claim.also_not, *([claim.positive] if claim.positive is not None else [])):
        asked = claim.as_control(control)
        if (asked.arms, asked.probe) != (claim.arms, claim.probe):
            yield asked


def _looks_cost(claim: Claim, setting: Setting) -> float:
    """What a seed takes at a setting besides trainings: its forks and the looks at them."""
    return sum(map(_member_seconds, _looks(claim, setting, 0)))


def _looks(claim: Claim, setting: Setting, seed: int) -> set[Recipe]:
    """What a seed is asked for besides trainings."""
    arms = {Recipe(setting=arm(setting), seed=seed, probe=claim.probe) for arm in claim.arms.values()}
    needed = arms | {arm.parent() for arm in arms if arm.probe is not None}
    return {recipe for recipe in needed if recipe != recipe.parent()}


def _member_seconds(recipe: Recipe) -> float:
    return seconds([recipe]) / len(padded([recipe]))


def outlook(claims: Sequence[Claim], plan: Plan) -> list[Outlook]:
    """What every claim will take."""
    work_of = [expected_work(claim, plan) for claim in claims]
    return [_outlook(claim, plan, work / sum(work_of)) for claim, work in zip(claims, work_of, strict=True)]


def _outlook(claim: Claim, plan: Plan, share: float) -> Outlook:
    plan = plan.of(claim)
    seeds = plan.sizes[-1]
    return Outlook(
        claim=claim.id,
        settings=expected_settings(claim, plan),
        runs=_members(claim, plan) * (1 + sum(arm is not unchanged for arm in claim.arms.values())),
        share=share,
        seeds=seeds,
        fewest=claim.predicts.fewest(),
        required=claim.predicts.of_seeds if isinstance(claim.predicts, Prediction) else None,
        power=power(claim.predicts, plan.sizes),
    )


MODERATE = 0.4
"""How many of the seeds' standard deviations an average lies beyond its limit: between Cohen's small and medium effects."""


def power(predicts: Estimand, sizes: Sequence[int]) -> float:
    """The chance of HOLDS at the last look with all seeds applicable, if the claim is true by a margin.

    A share lies half way from what is required to 1, an average of normal effects 0.4 standard deviations beyond its limit.
    """
    seeds, alpha = sizes[-1], nominal_alpha(1.0 - predicts.level, sizes)
    if isinstance(predicts, Prediction):
        return _of_a_share(predicts, seeds, alpha)
    if predicts.of == "median":
        return _of_a_median(seeds, alpha)
    beyond = MODERATE * np.sqrt(seeds)
    return float(1.0 - nctdtr(seeds - 1, beyond, stdtrit(seeds - 1, 1.0 - alpha)))


def _of_a_share(predicts: Prediction, seeds: int, alpha: float) -> float:
    held = np.arange(seeds + 1)
    enough = held[betaincinv(np.maximum(held, 1), seeds - held + 1, alpha) >= predicts.of_seeds]
    return float(bdtrc(int(enough[0]) - 1, seeds, (1.0 + predicts.of_seeds) / 2)) if len(enough) else 0.0


def _of_a_median(seeds: int, alpha: float) -> float:
    """Its bound lies beyond the limit where as many effects do as fair coins rarely would."""
    enough = int(np.searchsorted(bdtr(np.arange(seeds), seeds, 0.5), alpha, side="right"))
    return float(bdtrc(seeds - enough, seeds, ndtr(MODERATE))) if enough else 0.0


def _members(claim: Claim, plan: Plan) -> int:
    """Members of all judgements, if each has but one look."""
    varied = len(variations(claim)) if plan.variations else 0
    plan = plan.of(claim)
    sampled = plan.reach * plan.reach_seeds
    searched = expected_settings(claim, plan) - 4 - plan.reach
    return (4 + varied) * plan.fresh_seeds + searched * plan.search_seeds + sampled


def _cost_of_a_member(claim: Claim) -> float:
    reference = claim.domain.reference
    arms = [Recipe(setting=arm(reference), seed=0, probe=claim.probe) for arm in claim.arms.values()]
    return sum(work([recipe]) / len(padded([recipe])) for recipe in {Recipe(setting=reference, seed=0), *arms})


def _cells(claim: Claim, asked: Map) -> int:
    """Cells of a map; an axis without values of its own takes the claim's ladder."""
    axes = ((asked.x, asked.x_values), (asked.y, asked.y_values))
    return prod(len(values) if values is not None else _rungs(claim, name) for name, values in axes)


def _rungs(claim: Claim, name: str) -> int:
    ladder = claim.domain.axes.get(name)
    return len(ladder.rungs) if ladder is not None else 1 + len(claim.cutoffs) + len(claim.far_cutoffs)
