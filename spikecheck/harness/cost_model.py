"""The expected cost of verifying a claim, before anything is trained: for the progress bar and the remaining time."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise, zip_longest
from math import prod

import numpy as np
from scipy.special import bdtr, bdtrc, betaincinv, nctdtr, ndtr, stdtrit

from spikecheck.core.outlook import Outlook
from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.core.work import READING, Expected, Work, times, total
from spikecheck.harness.claim import Claim, unchanged
from spikecheck.harness.domain import Map
from spikecheck.harness.plan import Plan, fresh_seeds
from spikecheck.harness.sensitivity import variations
from spikecheck.harness.user_functions import called
from spikecheck.harness.verify import certain_blocks
from spikecheck.lab.batching import A_TILE, padded, work, work_of
from spikecheck.stats.looks import nominal_alpha
from spikecheck.stats.prediction import Estimand, Prediction

Stored = Callable[[Recipe], bool]
_SHRINKING = 3
"""Settings that a descent usually judges."""
_SAMPLE = 64
"""Recipes that are sampled to estimate how many are stored."""
_LOOKS = 8
"""Members that are sampled to see whether their forks and probes are stored."""
_ANEW = 0.05
"""Share of lacking work from which a verification counts as a new one. Less may be the forks of runs that never spiked."""
_BY_CHANCE = 0.05
"""Forks that are missing with a higher probability, since their runs did not spike, are not taken to be lacking."""
_AGAIN = 0.5
"""Share of the answers that take another look."""
A_RUN_READ = 0.003
"""Seconds that reading and measuring a run takes on a typical core."""


def expected_settings(claim: Claim, plan: Plan) -> int:
    """Approximate number of judgements that the verification will make; each advances the progress bar."""
    plan = plan.of(claim)
    searched = plan.settings + len(claim.known) + len(plan.besides(claim)) + plan.reach
    cells = sum(_cells(claim, wanted) for wanted in claim.maps) if plan.maps else 0
    return 4 + searched + _SHRINKING + cells


def expected_work(claim: Claim, plan: Plan) -> float:
    """The cost of the verification in activations: the cost of one member at the reference setting, times all members.

    It is a rough weight for the progress bar: other settings may cost more or less, and stored runs cost nothing.
    """
    return _members(claim, plan) * _cost_of_a_member(claim)


def expected_stages(claim: Claim, plan: Plan, stored: Stored) -> dict[str, Expected]:
    """The expected work of each stage of a verification.

    Recipes for which `stored` is true are only read. Stages whose settings depend on earlier results are assumed to cost as
    much a setting as the search.
    """
    plan = plan.of(claim)
    fresh, search, sampled = certain_blocks(claim, plan)
    at = claim.domain.reference
    reference = {at: fresh.pop(at)}
    first, searched = _answered(claim, reference, stored), _trained_and_read(claim, search, stored)
    unstored = _answered(claim, reference, _nothing), _trained_and_read(claim, search, _nothing)
    lacking = _lacking_further(_seconds(first, searched) / _seconds(*unstored))
    a_setting = (
        times(unstored[1], lacking / len(search))
        if search
        else times(unstored[0], lacking * plan.search_seeds / plan.fresh_seeds)
    )
    more = [_answered(claim, {at: seeds}, stored) for seeds in _more_seeds(claim, plan)]
    cells = sum(_cells(claim, wanted) for wanted in claim.maps) if plan.maps else 0
    varied = len(variations(claim)) if plan.variations else 0
    # Its answer is most often that the claim fails there, after which the control is not judged.
    confirmed = times(_trained_and_read(claim, reference, _nothing), lacking * _times_looked(plan) if search else 0.0)
    return {
        "reference": Expected(first, total(*(times(cost, _AGAIN**look) for look, cost in enumerate(more, 1)))),
        "search": Expected(searched),
        # Half of the claims have nothing to shrink.
        "descent": Expected(possible=times(a_setting, _SHRINKING / 2 if plan.descents else 0)),
        "confirmation": Expected(possible=confirmed),
        "beside": Expected(_answered(claim, fresh, stored)),
        "reach": Expected(_trained_and_read(claim, sampled, stored)),
        "variations": Expected(times(_varied(claim, at, plan.fresh_seeds), varied)),
        "map": Expected(times(a_setting, cells)),
    }


def _lacking_further(lacking: float) -> float:
    """The share that is lacking of settings that are not known yet, from that of the known ones.

    A verification that is repeated finds everything. One that shares some settings with others, or was stopped, finds nothing
    of what only its own results lead to.
    """
    return 1.0 if lacking > _ANEW else lacking


def _seconds(*works: Work) -> float:
    """Seconds on a typical core, of whatever kind."""
    return sum(total(*works).values())


def _answered(claim: Claim, blocks: Mapping[Setting, Sequence[int]], stored: Stored) -> Work:
    """The expected work of an answer with its controls, which share with the claim what they need alike."""
    works, shared = list[Work](), set[Recipe]()
    for one in (claim, *_controls(claim)):
        works.append(_trained_and_read(one, blocks, lambda recipe: recipe in shared or stored(recipe)))
        shared.update(_trainings(one, blocks))
        shared.update(
            look for setting, seeds in blocks.items() for seed in seeds for look in _looks(one, setting, seed)
        )
    return total(*works)


def _more_seeds(claim: Claim, plan: Plan) -> list[Sequence[int]]:
    """The seeds that each look at the reference after the first one adds."""
    seeds = fresh_seeds(plan.seed, claim.domain.reference, plan.sizes[-1])
    return [seeds[before:after] for before, after in pairwise(plan.sizes)]


def _times_looked(plan: Plan) -> float:
    """The expected number of seeds of an answer, as a multiple of those of its first look."""
    return 1.0 + sum(2.0 ** (look - 1) * _AGAIN**look for look in range(1, plan.looks))


def _nothing(recipe: Recipe) -> bool:
    """Say that nothing is stored."""
    return False


def _trained_and_read(claim: Claim, blocks: Mapping[Setting, Sequence[int]], stored: Stored) -> Work:
    return total(expected_of(claim, blocks, stored), {READING: A_RUN_READ * sum(map(len, blocks.values()))})


def expected_of(claim: Claim, blocks: Mapping[Setting, Sequence[int]], stored: Stored) -> Work:
    """The expected work of training and probing these settings' seeds, estimated from a sample."""
    if not blocks:
        return {}
    first = list(dict.fromkeys(_trainings(claim, blocks)))
    sample = first[:: max(1, len(first) // _SAMPLE)]
    lacking = [recipe for recipe in sample if not stored(recipe)]
    trained = times(_members_work(lacking), len(first) / len(sample))
    signatures = {setting.signature for setting in blocks}  # of each, one tile at least is begun
    return _with_tiles(total(trained, _forked_and_probed(claim, blocks, stored)), len(signatures))


def _forked_and_probed(claim: Claim, blocks: Mapping[Setting, Sequence[int]], stored: Stored) -> Work:
    """The expected work of the forks and probes alone, which are trained in the order of the members."""
    sample = list(_sampled_looks(claim, blocks))
    of_each = sum(map(len, blocks.values())) / len(sample)
    works: list[Work] = []
    for column in zip_longest(*sample):
        recipes = [recipe for recipe in column if recipe is not None]
        lacking = _lacking([stored(recipe) for recipe in recipes])
        works += [times(_members_work(recipes), lacking * of_each)] if lacking else []
    return total(*works)


def _sampled_looks(claim: Claim, blocks: Mapping[Setting, Sequence[int]]) -> Iterator[list[Recipe]]:
    """The forks and probes of some members, evenly spread: of the same ones for every claim."""
    members = [(setting, seed) for setting, seeds in blocks.items() for seed in seeds]
    for setting, seed in members[:: max(1, len(members) // _LOOKS)]:
        yield _looks(claim, setting, seed)


def _lacking(stored: Sequence[bool]) -> float:
    """The share of forks that is still to be trained, if these of them are stored, in the order of training.

    Runs that never spiked have no forks. So what follows the last stored one is lacking, unless so many in a row without a
    fork are to be expected among those that were trained.
    """
    done = len(stored) - stored[::-1].index(True) if any(stored) else 0
    rest = len(stored) - done
    by_chance = float((1.0 - sum(stored) / done) ** rest) if done else 0.0
    return 0.0 if by_chance > _BY_CHANCE else rest / len(stored)


def _trainings(claim: Claim, blocks: Mapping[Setting, Sequence[int]]) -> Iterator[Recipe]:
    """The trainings, without forks and probes, that these settings and seeds need."""
    for setting, seeds in blocks.items():
        for start in (setting, *(called(claim, f"arm {name!r}", arm, setting) for name, arm in claim.arms.items())):
            yield from (Recipe(setting=start, seed=seed).parent() for seed in seeds)


def _controls(claim: Claim) -> Iterator[Claim]:
    """The controls whose arms differ from the claim's own and are therefore trained in addition."""
    for control in (claim.control, *claim.also_not, *([claim.positive] if claim.positive is not None else [])):
        wanted = claim.as_control(control)
        if (wanted.arms, wanted.probe) != (claim.arms, claim.probe):
            yield wanted


def _varied(claim: Claim, setting: Setting, seeds: int) -> Work:
    """The expected work of a variation: forks and probes of seeds whose trainings are there."""
    looks = times(_members_work(_looks(claim, setting, 0)), seeds)
    return total(_with_tiles(looks, 1), {READING: A_RUN_READ * seeds})


def _looks(claim: Claim, setting: Setting, seed: int) -> list[Recipe]:
    """The forks and probes that one seed needs in addition to its training, in the order of the arms."""
    arms = [Recipe(setting=arm(setting), seed=seed, probe=claim.probe) for arm in claim.arms.values()]
    needed = dict.fromkeys([*arms, *(arm.parent() for arm in arms if arm.probe is not None)])
    return [recipe for recipe in needed if recipe != recipe.parent()]


def _members_work(recipes: Iterable[Recipe]) -> Work:
    """The expected work of members in full tiles. It does not depend on their seeds."""
    alike = Counter(recipe.model_copy(update={"seed": 0}) for recipe in recipes)
    return total(*(times(work_of([recipe]), count / len(padded([recipe]))) for recipe, count in alike.items()))


def _with_tiles(work: Work, tiles: int) -> Work:
    """The work with what so many tiles of each kind take besides their steps."""
    return {kind: seconds + A_TILE * tiles for kind, seconds in work.items() if seconds}


def outlook(claims: Sequence[Claim], plan: Plan) -> list[Outlook]:
    """The expected cost of every claim, and its share of the total."""
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
"""Assumed distance of an average beyond its limit, in standard deviations over seeds: between Cohen's small (0.2) and
medium (0.5) effects."""


def power(predicts: Estimand, sizes: Sequence[int]) -> float:
    """The probability of HOLDS at the last look with all seeds applicable, if the claim is true by a margin.

    The margin: a share lies half way between the required share and 1; an average of normal effects lies `MODERATE`
    standard deviations beyond its limit.
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
    """The power of a median: its bound lies beyond the limit if enough effects do, by the sign test at `alpha`."""
    enough = int(np.searchsorted(bdtr(np.arange(seeds), seeds, 0.5), alpha, side="right"))
    return float(bdtrc(seeds - enough, seeds, ndtr(MODERATE))) if enough else 0.0


def _members(claim: Claim, plan: Plan) -> int:
    """Number of members in all judgements, if each has only one look."""
    varied = len(variations(claim)) if plan.variations else 0
    plan = plan.of(claim)
    sampled = plan.reach * plan.reach_seeds
    searched = expected_settings(claim, plan) - 4 - plan.reach
    return (4 + varied) * plan.fresh_seeds + searched * plan.search_seeds + sampled


def _cost_of_a_member(claim: Claim) -> float:
    reference = claim.domain.reference
    arms = [Recipe(setting=arm(reference), seed=0, probe=claim.probe) for arm in claim.arms.values()]
    return sum(work([recipe]) / len(padded([recipe])) for recipe in {Recipe(setting=reference, seed=0), *arms})


def _cells(claim: Claim, wanted: Map) -> int:
    """Number of cells of a map; an axis without its own values uses the claim's ladder."""
    axes = ((wanted.x, wanted.x_values), (wanted.y, wanted.y_values))
    return prod(len(values) if values is not None else _rungs(claim, name) for name, values in axes)


def _rungs(claim: Claim, name: str) -> int:
    ladder = claim.domain.axes.get(name)
    return len(ladder.rungs) if ladder is not None else 1 + len(claim.cutoffs) + len(claim.far_cutoffs)
