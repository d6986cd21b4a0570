"""What a verification is expected to cost."""

from dataclasses import replace

import numpy as np
import pytest

from spikecheck.core.judgement import Outcome
from spikecheck.core.recipe import Recipe
from spikecheck.core.work import times, total
from spikecheck.harness.claim import Claim
from spikecheck.harness.cost_model import (
    Stored,
    expected_of,
    expected_settings,
    expected_stages,
    expected_work,
    outlook,
    power,
)
from spikecheck.harness.discover import discover
from spikecheck.harness.domain import Map
from spikecheck.harness.evidence import needed
from spikecheck.harness.plan import Plan, fresh_seeds, plan_of
from spikecheck.harness.verify import certain_rounds
from spikecheck.lab.batching import A_TILE, padded, seconds
from spikecheck.lab.lineage import with_ancestors
from spikecheck.stats.bounds import judge
from spikecheck.stats.looks import nominal_alpha
from spikecheck.stats.prediction import Average, Equivalence, Prediction

SHIPPED = discover(()).claims


@pytest.fixture
def claim() -> Claim:
    return SHIPPED["spikes-come"]


def test_a_larger_profile_costs_more_for_every_claim() -> None:
    for shipped in SHIPPED.values():
        quick, ci, full = (expected_work(shipped, plan_of(profile)) for profile in ("quick", "ci", "full"))
        assert 0 < quick <= ci < full


def test_longer_runs_and_more_arms_cost_more(claim: Claim) -> None:
    plan = Plan(settings=3)
    longer = replace(claim, arms={"run": lambda setting: setting.but(steps=2 * setting.steps)})
    assert expected_work(claim, plan) < expected_work(longer, plan)
    more = replace(longer, arms={**longer.arms, "wide": lambda setting: setting.but(width=99)})
    assert expected_work(longer, plan) < expected_work(more, plan)


def test_every_cell_of_a_map_is_a_setting(claim: Claim) -> None:
    drawn = replace(
        claim, maps=(Map(x="lr", y="width"), Map(x="dtype", y="depth", x_values=("a", "b"), y_values=(1, 2, 3)))
    )
    ladders = claim.domain.axes
    cells = len(ladders["lr"].rungs) * len(ladders["width"].rungs) + 6
    without = expected_settings(drawn, Plan(settings=3))
    assert expected_settings(drawn, Plan(settings=3, maps=True)) == without + cells


def test_an_outlook_adds_up_and_its_power_is_that_of_simulated_claims(claim: Claim) -> None:
    claim = replace(claim, predicts=Prediction(above=0.0, of_seeds=0.8))
    found = outlook([claim, replace(claim, predicts=Prediction(above=0.0, of_seeds=0.5))], plan_of("full"))
    assert sum(one.share for one in found) == pytest.approx(1.0)
    assert [one.seeds for one in found] == [256, 256]
    assert [one.fewest for one in found] == [14, 5]
    rng = np.random.default_rng(0)
    alpha = nominal_alpha(0.05, (64, 128, 256))
    drawn = rng.binomial(256, 0.9, size=2_000).tolist()
    scores = [[1.0] * count + [-1.0] * (256 - count) for count in drawn]
    held = np.mean(
        [judge(*both, claim.predicts, alpha).outcome is Outcome.HOLDS for both in zip(drawn, scores, strict=True)]
    )
    assert found[0].power == pytest.approx(held, abs=0.02)
    assert (found[0].required, found[1].required) == (0.8, 0.5)


@pytest.mark.parametrize(
    "predicts", [Average(above=-1.0), Average(below=2.0, of="median"), Equivalence(above=0.0, below=9.0)]
)
@pytest.mark.parametrize("sizes", [(32,), (32, 64, 128)])
def test_the_power_of_an_average_is_that_of_simulated_ones(predicts: Average, sizes: tuple[int, ...]) -> None:
    """Normal effects 0.4 of their standard deviations beyond the limit."""
    away = predicts.floor + 0.4 if predicts.floor is not None else (predicts.ceiling or 0.0) - 0.4
    alpha, effects = nominal_alpha(0.05, sizes), np.random.default_rng(0).normal(away, 1.0, (1_500, sizes[-1]))
    held = np.mean([judge(0, row.tolist(), predicts, alpha).outcome is Outcome.HOLDS for row in effects])
    assert power(predicts, sizes) == pytest.approx(held, abs=0.04)


def test_an_average_requires_no_share(claim: Claim) -> None:
    (found,) = outlook([replace(claim, predicts=Average(above=0.0), also=())], plan_of("ci"))
    assert (found.required, found.fewest, found.seeds) == (None, 12, 64)


def test_a_sample_for_the_reach_costs_its_settings_times_its_seeds(claim: Claim) -> None:
    with_reach, without = (Plan(settings=3, reach=count, reach_seeds=16) for count in (10, 0))
    assert expected_settings(claim, with_reach) == expected_settings(claim, without) + 10
    more = expected_work(claim, with_reach) - expected_work(claim, without)
    twice = expected_work(claim, replace(with_reach, reach_seeds=32)) - expected_work(claim, without)
    assert twice == pytest.approx(2 * more)


def test_a_claim_that_no_seeds_could_decide_has_no_power(claim: Claim) -> None:
    (found,) = outlook([replace(claim, predicts=Prediction(above=0.0, of_seeds=0.99))], plan_of("quick"))
    assert found.power == 0.0
    assert found.fewest > found.seeds


def test_what_is_stored_is_only_read_and_looks_are_not_taken_for_stored_with_their_trainings() -> None:
    """Regression: claims that share trainings were expected to have nothing left to do."""
    claim, plan = SHIPPED["condensation"], plan_of("quick")
    nothing, everything = (stages(claim, plan, answer) for answer in (lambda _: False, lambda _: True))
    trainings_alone = stages(claim, plan, lambda recipe: recipe == recipe.parent())
    assert all(nothing[stage] > everything[stage] > 0 for stage in ("reference", "search", "confirmation"))
    assert sum(everything.values()) < sum(trainings_alone.values()) < sum(nothing.values())
    assert nothing["map"] == nothing["reach"] == nothing["beside"] == 0  # of which this profile has none


def test_half_of_the_answers_take_their_second_look() -> None:
    claim, plan = SHIPPED["spikes-come"], plan_of("quick")
    once, twice = (expected_stages(claim, replace(plan, looks=looks), lambda _: False) for looks in (1, 2))
    first, second = twice["reference"].certain, twice["reference"].possible
    assert first == once["reference"].certain
    assert second == pytest.approx(times(first, 0.5))
    assert twice["search"] == once["search"]


def test_what_results_decide_is_possible_and_the_rest_is_certain() -> None:
    expected = expected_stages(SHIPPED["condensation"], plan_of("quick"), _nothing)
    assert {stage for stage, work in expected.items() if any(work.possible.values())} == {
        "reference",
        "descent",
        "confirmation",
    }
    assert {stage for stage, work in expected.items() if any(work.certain.values())} == {"reference", "search"}
    kinds = {"training", "continue", "lower_rate", "reading"}
    assert expected["search"].certain.keys() == expected["reference"].certain.keys() == kinds


def test_a_second_look_needs_seeds_of_its_own() -> None:
    """Regression: where the first look was stored, the second one was expected to cost nothing."""
    claim, plan = SHIPPED["condensation-dose"], plan_of("quick")
    first_look = {one for some in certain_rounds(claim, plan) for one in with_ancestors(some)}
    nothing, later = (stages(claim, plan, answer)["reference"] for answer in (_nothing, first_look.__contains__))
    assert 0.2 < later / nothing < 0.5  # half a look, of one and a half


def test_forks_that_are_half_trained_cost_half() -> None:
    """Regression: one stored fork was taken for all of them."""
    claim, plan = SHIPPED["condensation"], replace(plan_of("quick"), looks=1)
    at = claim.domain.reference
    seeds = fresh_seeds(plan.seed, at, plan.fresh_seeds)
    half = {one for one in needed(claim, {at: seeds[: len(seeds) // 2]}) if one != one.parent()}
    everything = expected_of(claim, {at: seeds}, _nothing)
    trainings = expected_of(claim, {at: seeds}, lambda one: one != one.parent())
    mean = times(total(everything, trainings), 0.5)
    assert expected_of(claim, {at: seeds}, half.__contains__) == pytest.approx(mean, rel=0.1, abs=A_TILE)


def test_runs_that_never_spiked_have_no_forks_and_are_not_waited_for() -> None:
    claim, plan = SHIPPED["condensation"], replace(plan_of("quick"), looks=1)
    at = claim.domain.reference
    seeds = fresh_seeds(plan.seed, at, plan.fresh_seeds)
    spiking = set(seeds[: -plan.fresh_seeds // 8 : 8])  # a few of the last ones may be without forks by chance
    assert expected_of(claim, {at: seeds}, lambda one: one == one.parent() or one.seed in spiking) == {}


def test_what_a_claim_shares_with_its_controls_is_trained_once() -> None:
    """Regression: every control was expected to train the claim's runs again."""
    claim, plan = SHIPPED["condensation"], replace(plan_of("quick"), looks=1)
    at = claim.domain.reference
    seeds = fresh_seeds(plan.seed, at, plan.fresh_seeds)
    controls = [claim.as_control(one) for one in (claim.control, *claim.also_not, claim.positive) if one is not None]
    distinct = {r for one in (claim, *controls) for r in with_ancestors(needed(one, {at: seeds}))}
    cost = sum(seconds([recipe]) / len(padded([recipe])) for recipe in distinct)
    assert stages(claim, plan, _nothing)["reference"] == pytest.approx(cost, rel=0.15)


def stages(claim: Claim, plan: Plan, stored: Stored) -> dict[str, float]:
    """The expected seconds of each stage, of whatever kind."""
    return {stage: sum(work.all.values()) for stage, work in expected_stages(claim, plan, stored).items()}


def _nothing(recipe: Recipe) -> bool:
    """Say that nothing is stored."""
    return False


def test_a_tile_is_counted_for_every_signature_and_not_for_every_seed_or_setting() -> None:
    """Regression: with a tile for every sampled member, the map of a claim was expected to take ten times as long."""
    claim = SHIPPED["stabilisation"]
    at = claim.domain.reference
    alike = {at.model_copy(update={"lr": at.lr * (1 + number / 100)}): range(8) for number in range(16)}
    assert len({setting.signature for setting in alike}) == 1
    one, many = (expected_of(claim, blocks, _nothing) for blocks in ({at: range(128)}, alike))
    assert many == pytest.approx(one, rel=0.05)
    variations = dict(expected_stages(claim, plan_of("full"), _nothing))["variations"].certain
    count, seeds = 6, plan_of("full").fresh_seeds
    assert variations["anatomy"] < count * (A_TILE + seeds * 0.02)


def test_what_only_results_lead_to_is_stored_where_everything_is_and_lacking_where_a_part_is() -> None:
    """Regression: where other claims had trained most of the known settings, later ones were expected to be there as well."""
    claim, plan = SHIPPED["condensation-dose"], plan_of("quick")
    everything = {one for some in certain_rounds(claim, plan) for one in with_ancestors(some)}
    half = {one for one in everything if one.seed % 2}
    nothing, partly, whole = (
        stages(claim, plan, answer)["confirmation"] for answer in (_nothing, half.__contains__, lambda _: True)
    )
    assert partly == nothing > 0.0
    assert whole < 0.05 * nothing
