"""What a verification is expected to cost."""

from dataclasses import replace

import pytest

from spikecheck.harness.claim import Claim
from spikecheck.harness.discover import discover
from spikecheck.harness.domain import Map
from spikecheck.harness.forecast import expected_settings, expected_work
from spikecheck.harness.plan import Plan, plan_of

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
