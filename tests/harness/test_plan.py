"""Seeds and sizes of a verification."""

from dataclasses import replace
from itertools import pairwise

import pytest

from spikecheck.core.errors import UnknownName
from spikecheck.core.setting import Setting
from spikecheck.harness import simulated_lab as planted
from spikecheck.harness.plan import PROFILES, Plan, fresh_seeds, plan_of, reach_seeds, search_seeds


def test_search_and_fresh_seeds_share_nothing_and_longer_blocks_extend_shorter_ones() -> None:
    setting = Setting()
    search, fresh = search_seeds(0, setting, 500), fresh_seeds(0, setting, 500)
    assert not set(search) & set(fresh)
    assert not set(reach_seeds(0, setting, 500)) & {*search, *fresh}
    assert fresh_seeds(0, setting, 64) == fresh[:64]
    assert fresh_seeds(1, setting, 64) != fresh[:64]
    assert fresh_seeds(0, setting.but(lr=0.2), 64) != fresh[:64]


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_a_profile_is_sized_so_that_every_look_doubles_the_seeds(profile: str) -> None:
    plan = plan_of(profile, 7)
    assert plan.seed == 7
    assert plan.sizes[0] == plan.fresh_seeds and len(plan.sizes) == plan.looks
    assert all(later == 2 * earlier for earlier, later in pairwise(plan.sizes))
    assert max(plan.beside_sizes) <= min(plan.sizes)


def test_a_profile_that_does_not_exist_gets_its_near_matches() -> None:
    with pytest.raises(UnknownName, match="did you mean: quick"):
        plan_of("quik")


def test_a_costly_claim_is_asked_less_and_any_other_as_planned() -> None:
    claim = planted.planted_claim()
    full = plan_of("full")
    assert full.of(claim) is full
    dear = replace(claim, costly=True)
    small = full.of(dear)
    assert (small.sizes, small.reach, small.settings, small.descents) == ((32,), 0, 4, 1)
    ci = plan_of("ci").of(dear)
    assert (ci.sizes, ci.reach, ci.settings, ci.descents) == ((32,), 0, 0, 0)
    few = Plan(settings=2, fresh_seeds=8, looks=3).of(dear)
    assert few.sizes == (8,)


@pytest.mark.parametrize(
    ("plan", "names"),
    [
        (Plan(settings=2), ["near"]),
        (Plan(settings=2, beside=False), []),
        (Plan(settings=2, further=True), ["near", "far"]),
        (Plan(settings=2, beside=False, further=True), ["far"]),
    ],
)
def test_settings_beside_the_domain_are_those_that_the_plan_asks_for(plan: Plan, names: list[str]) -> None:
    near, far = planted.REFERENCE.but(points=7), planted.REFERENCE.but(points=9)
    claim = replace(planted.planted_claim(), beside={"near": near}, further={"far": far})
    assert list(plan.besides(claim)) == names


def test_every_root_purpose_and_setting_has_seeds_of_its_own() -> None:
    settings = [planted.REFERENCE, planted.REFERENCE.but(width=50)]
    blocks = [
        of(root, setting, 32)
        for of in (search_seeds, fresh_seeds, reach_seeds)
        for root in (0, 1)
        for setting in settings
    ]
    assert len({seed for block in blocks for seed in block}) == 12 * 32
    assert blocks[0] == search_seeds(0, settings[0], 32)
