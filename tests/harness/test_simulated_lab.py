"""The laboratory with a known truth: its effects follow the laws that they are said to."""

import numpy as np
import pytest
from scipy.stats import expon, kstest, norm

from spikecheck.core.errors import Stopped
from spikecheck.core.recipe import Recipe
from spikecheck.harness.claim import Trial
from spikecheck.harness.simulated_lab import (
    REFERENCE,
    Law,
    PlantedLab,
    coin,
    control_effect,
    effect,
    normal,
    positive_effect,
    skewed,
    triggered,
)

SEEDS = 2_000
RECIPES = [Recipe(setting=REFERENCE, seed=seed) for seed in range(SEEDS)]


def trials(lab: PlantedLab) -> list[Trial]:
    return [Trial(REFERENCE, recipe.seed, run, {"run": run}) for recipe, run in lab.runs(RECIPES).items()]


@pytest.mark.parametrize(("law", "mean", "expected"), [(normal, 0.7, norm(0.7)), (skewed, 0.7, expon(loc=0.7 - 1.0))])
def test_effects_follow_their_law(law: Law, mean: float, expected: object) -> None:
    found = trials(PlantedLab(lambda setting: mean, law=law))
    assert kstest([effect(trial) for trial in found], expected.cdf).pvalue > 1e-3  # type: ignore[attr-defined]


def test_shares_are_those_of_claim_controls_and_precondition_and_independent() -> None:
    lab = PlantedLab(lambda setting: 0.6, control=0.2, positive=0.9, triggers=lambda setting: 0.5, law=coin)
    found = trials(lab)
    seen = np.array(
        [[effect(one) > 0, control_effect(one) > 0, positive_effect(one) > 0, triggered(one)] for one in found]
    )
    spread = 4 * np.sqrt(0.25 / SEEDS)
    assert seen.mean(axis=0) == pytest.approx([0.6, 0.2, 0.9, 0.5], abs=spread)
    apart = np.corrcoef(seen.T) - np.eye(4)
    assert np.abs(apart).max() < 4 / np.sqrt(SEEDS)


def test_equal_recipes_have_equal_runs_in_every_laboratory() -> None:
    one, other = (PlantedLab(lambda setting: 0.6).runs(RECIPES[:20]) for _ in range(2))
    assert all(np.array_equal(one[recipe].loss, other[recipe].loss) for recipe in RECIPES[:20])


def test_it_stops_after_as_many_requests_as_it_is_given() -> None:
    lab = PlantedLab(lambda setting: 0.6, stop_after=2)
    lab.runs(RECIPES[:3])
    lab.each([RECIPES[:3]])
    assert lab.runs_trained == 6
    with pytest.raises(Stopped):
        lab.runs(RECIPES[:3])
    assert lab.stopped is not None
