"""Shares by frequency, of functions made of single cosine modes: NumPy's own transform is the oracle."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.fft import dct

from spikecheck.core.run import Array
from spikecheck.core.setting import Setting
from spikecheck.effects import frequency
from spikecheck.harness.claim import Trial
from tests.effects.trials import recorded, run, trial

POINTS = 64
SETTING = Setting(interval=2.0, points=8, target="sin x + sin 3x")
SLOW = 5
"""Modes no faster than sin x on [-2 pi, 2 pi]: 0 to 4."""


def mode(number: int) -> Array:
    """A cosine mode [M] of unit energy, by its formula."""
    wave = np.cos(np.pi * number * (np.arange(POINTS) + 0.5) / POINTS)
    unit: Array = wave / np.linalg.norm(wave)
    return unit


def directions(*deviations: Array, random: list[Array] | None = None) -> Trial:
    arrays = {"deviation": np.stack(deviations)[:, :, None]}
    if random is not None:
        arrays["random_deviation"] = np.stack(random)[:, :, None]
    return recorded("directions", setting=SETTING, **arrays)


def test_slow_modes_are_those_up_to_sin_x() -> None:
    assert frequency.slow_modes(directions(mode(0))) == SLOW
    assert frequency.slow_modes(directions(mode(0)), 2.0) == 9


def test_shares_are_energies_of_scipys_transform() -> None:
    noise = np.random.default_rng(0).normal(size=POINTS)
    energies = dct(noise, norm="ortho") ** 2
    assert frequency.low_share(directions(noise)) == pytest.approx(energies[:SLOW].sum() / energies.sum())
    assert frequency.low_share(directions(mode(4))) == pytest.approx(1.0)
    assert frequency.low_share(directions(mode(5))) == pytest.approx(0.0, abs=1e-12)
    assert frequency.low_share(directions(mode(5)), times=2.0) == pytest.approx(1.0)


def test_the_share_beyond_random_directions_is_a_difference_of_means() -> None:
    found = directions(mode(1), random=[mode(2), mode(9), mode(9)])
    assert frequency.beyond_random(found) == pytest.approx(1.0 - 1.0 / 3.0)
    assert frequency.one_random(found) == pytest.approx(1.0)
    planted = frequency.slow_among_random(found)
    assert frequency.low_share(planted) == pytest.approx(0.9)
    assert frequency.beyond_random(planted) == pytest.approx(0.4)


def test_flatter_directions_of_higher_frequency_have_rho_1() -> None:
    rising = directions(*(mode(number) for number in range(1, 13)))
    assert frequency.rank_and_frequency(rising, pairs=12) == pytest.approx(1.0)
    assert frequency.rank_and_frequency(directions(mode(3), mode(2), mode(1)), pairs=3) == pytest.approx(-1.0)
    assert frequency.rank_and_frequency(frequency.ordered(rising, pairs=12), pairs=12) > 0.5
    order = np.random.default_rng(3).permutation(12)
    expected = np.corrcoef(order, np.arange(12))[0, 1]
    assert frequency.rank_and_frequency_permuted(rising, pairs=12) == pytest.approx(expected)


def trail(slow: float, fast: float) -> Trial:
    """A net that takes sin x and sin 3x by exponentials of these many steps, at a checkpoint a step."""
    empty = trial(run=run(setting=SETTING), setting=SETTING)
    x, steps = empty.problem().x_test[:, 0], np.arange(0.0, 400.0)
    parts = [(1 - np.exp(-steps / taken))[:, None] * np.sin(f * x) for f, taken in ((1, slow), (3, fast))]
    record = {"steps": steps, "outputs": sum(parts, np.zeros((400, len(x))))[:, :, None]}
    return trial(run=run(setting=SETTING, records={"trail": record}), setting=SETTING)


def test_what_is_fitted_in_a_third_of_the_steps_is_log_3_sooner() -> None:
    sooner = frequency.low_fitted_sooner(trail(30.0, 90.0), low=1, high=3)
    assert sooner == pytest.approx(np.log(3.0), abs=0.1)
    assert frequency.low_fitted_sooner(trail(90.0, 30.0), low=1, high=3) == pytest.approx(-np.log(3.0), abs=0.1)
    assert frequency.right_half_later(trail(30.0, 90.0), frequency=3) == pytest.approx(0.0, abs=0.1)
    assert frequency.low_fitted_sooner(frequency.low_fitted_first(trail(9.0, 9.0), low=1, high=3), low=1, high=3) > 0.5


def descent(low: float, high: float) -> Trial:
    """From a peak at step 10 a slow and a fast mode of equal energy decay by exponentials of these many steps."""
    behind = np.maximum(np.arange(400.0) - 10.0, 0.0)[:, None]
    outputs = np.exp(-behind / low) * mode(2) + np.exp(-behind / high) * mode(20)
    loss = -np.abs(np.arange(400.0) - 10.0)
    return recorded("anatomy", setting=SETTING, steps=np.arange(400.0), loss=loss, outputs=outputs[:, :, None])


def test_what_leaves_is_told_by_frequency() -> None:
    found = descent(10.0, 40.0)
    kept = np.exp(-2 * 20 / np.array([10.0, 40.0]))  # energies after 20 steps
    before, after = frequency.energies(found, steps=20)
    assert before[[2, 20]] == pytest.approx([1.0, 1.0], rel=1e-3) and after[[2, 20]] == pytest.approx(kept, rel=1e-2)
    assert frequency.high_kept_longer(found, steps=20) == pytest.approx(np.log(kept[1] / kept[0]), rel=1e-2)
    lost = 1 - kept
    assert frequency.low_share_lost(found, steps=20) == pytest.approx(lost[0] / lost.sum(), rel=1e-2)
    assert frequency.high_kept_longer(descent(40.0, 10.0), steps=20) < 0


def test_a_planted_descent_loses_its_slow_part_first() -> None:
    planted = frequency.low_goes_first(descent(40.0, 10.0))
    assert frequency.high_kept_longer(planted, steps=20) > 0
    assert frequency.low_share_lost(planted, steps=20) > 0.5
    still = replace(
        planted, arms={"run": run(records={"anatomy": {"loss": np.zeros(9), "outputs": np.ones((9, 4, 1))}})}
    )
    with np.errstate(invalid="ignore"):
        assert np.isnan(frequency.high_kept_longer(still, steps=2))
