"""Which curvature tells that the loss rises, and whether a lower loss is sharper, against plain counting."""

from dataclasses import replace

import numpy as np
import pytest

from spikecheck.core.run import Array
from spikecheck.effects import curvature
from spikecheck.harness.claim import Trial
from tests.effects.trials import recorded

LOSS = np.cumsum(np.where(np.arange(60) % 2 == 0, 1.0, -0.5)) + 10.0
"""Rises in every other step."""
RISES = np.diff(LOSS[:51]) > 0


def told(gradient: Array, largest: float | Array = 25.0, other: Trial | None = None) -> Trial:
    """2/lr is 20; onset 40, peak 50."""
    first = np.broadcast_to(largest, 60)
    values = np.stack([first, first / 2], axis=1)
    made = recorded(
        "anatomy", spiked=True, steps=np.arange(60.0), loss=LOSS, gradient_curvature=gradient, sharpness=values
    )
    return replace(made, other=other)


KNOWING = np.where(np.diff(LOSS, append=0.0) > 0, 22.0, 18.0)


def test_agreement_is_the_mean_share_of_both_kinds_of_step() -> None:
    assert curvature.tells(told(KNOWING), KNOWING, fewest=5) == 1.0
    assert curvature.tells(told(KNOWING), np.full(60, 25.0), fewest=5) == 0.5
    half = np.where(np.arange(60) < 25, KNOWING, 18.0)
    shares = ((half[:50] > 20)[RISES].mean(), (half[:50] <= 20)[~RISES].mean())
    assert curvature.tells(told(half), half, fewest=5) == pytest.approx(np.mean(shares))
    assert np.isnan(curvature.tells(told(KNOWING), KNOWING, fewest=26))


def test_the_largest_eigenvalue_gets_its_best_cut() -> None:
    """Five above 2/lr it tells all the same, by a cut at 25."""
    assert curvature.gradient_tells_more(told(KNOWING, 25.0), fewest=5) == 0.5
    assert curvature.gradient_tells_more(told(KNOWING, KNOWING + 5.0), fewest=5) == 0.0
    assert curvature.gradient_tells_more_by_the_threshold(told(KNOWING, KNOWING + 5.0), fewest=5) == 0.5
    assert curvature.gradient_over_largest(told(KNOWING, 44.0)) == 0.5


def test_a_strangers_curvature_is_laid_onset_upon_onset() -> None:
    """Of the same seed it is one's own."""
    own, wrong = told(KNOWING), told(40.0 - KNOWING)
    assert curvature.strangers_gradient_tells_more(replace(own, other=own), fewest=5) == 0.5
    assert curvature.strangers_gradient_tells_more(replace(own, other=wrong), fewest=5) == -0.5
    assert np.isnan(curvature.strangers_gradient_tells_more(own, fewest=5))


def test_a_planted_curvature_tells_every_step() -> None:
    planted = curvature.telling(told(np.full(60, 1.0)))
    assert curvature.gradient_tells_more(planted, fewest=5) == 0.5
    assert curvature.gradient_over_largest(planted) <= 1.0


def falling(sharper: bool) -> Trial:
    """The sharpness crosses 20 at step 30; before that it rises, and the loss falls or rises with it."""
    path = np.concatenate([np.linspace(5.0, 19.0, 30), np.linspace(21.0, 30.0, 30)])
    loss = -path if sharper else path
    return recorded("anatomy", spiked=True, steps=np.arange(60.0), loss=loss, sharpness=path[:, None])


@pytest.mark.parametrize(("sharper", "rho"), [(True, -1.0), (False, 1.0)])
def test_lower_is_sharper_before_and_after(sharper: bool, rho: float) -> None:
    for longest in (10, 200):
        assert curvature.lower_is_sharper(falling(sharper), longest=longest) == rho
        assert curvature.lower_is_sharper_after(falling(sharper), longest=longest) == rho


def test_a_planted_structure_is_found() -> None:
    assert curvature.lower_is_sharper(curvature.lower_made_sharper(falling(False)), longest=200) < -0.9
    flat = recorded("anatomy", spiked=True, steps=np.arange(60.0), loss=LOSS, sharpness=np.full((60, 1), 5.0))
    assert np.isnan(curvature.lower_is_sharper(flat, longest=200))
    assert curvature.lower_made_sharper(flat) is flat
