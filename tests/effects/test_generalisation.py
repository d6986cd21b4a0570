"""What tells test losses apart, of nets whose outputs are put together by hand."""

import numpy as np
import pytest

from spikecheck.core.run import Array
from spikecheck.core.setting import Setting
from spikecheck.effects import generalisation
from spikecheck.harness.claim import Trial
from spikecheck.measures import alignment
from tests.effects.trials import run, trial, weights

SETTING = Setting(interval=1.0, points=8)
WANTED = trial(run=run(setting=SETTING), setting=SETTING).problem().y_test


def nets(errors: dict[str, float], sharpness: dict[str, float] | None = None, along: Array | None = None) -> Trial:
    """Nets that miss every held-out point by so much, or by so much along a function [M, 1]."""
    direction = np.ones_like(WANTED) if along is None else along
    arms = {}
    for place, (name, error) in enumerate(errors.items()):
        record = {
            "outputs": WANTED + error * direction,
            "values": np.array([(sharpness or {}).get(name, 1.0)]),
            "deviation": np.ones((1, *WANTED.shape)),
            "own": WANTED - WANTED.mean() + 1e-9,
        }
        end = weights([[1.0, 0.0], [0.0, 1.0 + place]])
        arms[name] = run(setting=SETTING, records={"directions": record}, start=end, end=end)
    return trial(setting=SETTING, **arms)


def test_losses_are_mean_squares_and_ratios_logs() -> None:
    pair = nets({"spiking": 0.1, "held": 0.3}, {"spiking": 4.0, "held": 2.0})
    assert generalisation.heldout_loss(pair, arm="held") == pytest.approx(0.09)
    assert generalisation.heldout_loss_ratio(pair) == pytest.approx(np.log(0.01 / 0.09))
    assert generalisation.sharpness_ratio(pair) == pytest.approx(np.log(2.0))


def test_a_planted_improvement_is_a_fifth_of_the_error_and_a_turn() -> None:
    planted = generalisation.better_and_turned(nets({"spiking": 0.5, "held": 0.3}))
    assert generalisation.heldout_loss_ratio(planted) == pytest.approx(2 * np.log(0.8))
    ends = [planted[arm].snapshots["end"].input_weights for arm in ("spiking", "held")]
    assert alignment(ends[0]) - alignment(ends[1]) == pytest.approx(0.05, abs=1e-6)


FAMILY = ("a", "b", "c")
ERRORS = {"a": 0.01, "b": 0.1, "c": 1.0}


@pytest.mark.parametrize(
    ("sharpness", "share"),
    [((1.0, 2.0, 3.0), 1.0), ((3.0, 2.0, 1.0), 0.0), ((2.0, 1.0, 3.0), 2 / 3), ((1.0, 1.0, 1.0), 0.5)],
)
def test_the_share_of_pairs_is_counted(sharpness: tuple[float, ...], share: float) -> None:
    family = nets(ERRORS, dict(zip(FAMILY, sharpness, strict=True)))
    assert generalisation.flatter_is_better(family, arms=FAMILY) == pytest.approx(share)


def test_pairs_must_lie_apart_and_sizes_are_norms() -> None:
    family = nets(ERRORS)
    assert np.isnan(generalisation.flatter_is_better(family, arms=FAMILY, apart=1e9))
    assert generalisation.smaller_is_better(family, arms=FAMILY) == 1.0  # norms rise from a to c


def test_sharpnesses_are_handed_around_and_none_is_lost() -> None:
    values = dict(zip(FAMILY, (1.0, 2.0, 3.0), strict=True))
    around = generalisation.handed_around(nets(ERRORS, values), arms=FAMILY)
    order = np.random.default_rng(3).permutation(list(FAMILY))
    assert [float(around[arm].records["directions"]["values"][0]) for arm in FAMILY] == [values[arm] for arm in order]


def test_a_gap_is_closed_by_shares() -> None:
    """Test losses of 9, 5 and 1 hundredths: half of the gap."""
    found = nets({"run": 0.3, "exchanged": 0.05**0.5, "good": 0.1})
    assert generalisation.gap_closed(found) == pytest.approx(0.5)
    assert generalisation.gap_closed(generalisation.exchange_closes(found)) == pytest.approx(1.0)


def test_the_residual_along_a_direction_is_a_squared_cosine() -> None:
    wave = np.cos(np.linspace(0.0, np.pi, len(WANTED)))[:, None] + 0.5
    found = nets({"run": 0.3, "exchanged": 0.3}, along=wave)
    cosine = wave.sum() / (np.linalg.norm(wave) * np.sqrt(len(wave)))
    assert generalisation.residual_along_first(found) == pytest.approx(cosine**2)
    there = generalisation.along_first(found)
    elsewhere = generalisation.elsewhere(found)
    assert generalisation.residual_along_first(there) > 0.95
    assert generalisation.residual_along_first(elsewhere) < 0.1
    outputs = [elsewhere[arm].records["directions"]["outputs"] for arm in ("run", "exchanged")]
    assert np.array_equal(outputs[0], outputs[1])


def slow_mode(number: int) -> Array:
    wave: Array = np.cos(np.pi * number * (np.arange(len(WANTED)) + 0.5) / len(WANTED))[:, None]
    return wave


def chance(found: Trial) -> float:
    return generalisation.residual_along_first(found) - generalisation.residual_beyond_chance(found)


def test_chances_along_all_slow_modes_add_up_to_1() -> None:
    """A random sum of the five modes up to sin 2x has all of its energy in them, and none in the next."""
    shares = [chance(nets({"run": 0.3}, along=slow_mode(number))) for number in range(6)]
    assert sum(shares[:5]) == pytest.approx(1.0)
    assert all(share > 0.1 for share in shares[:5]) and shares[5] == pytest.approx(0.0, abs=1e-12)
    found = nets({"run": 0.3})
    own = (WANTED - WANTED.mean() + 1e-9).ravel()
    expected = own.sum() ** 2 / (len(own) * (own @ own))
    assert generalisation.own_beyond_chance(found) == pytest.approx(expected - chance(found))


def test_gaps_by_frequency_are_differences_of_relative_errors() -> None:
    """A constant error is of low frequency; an error that alternates from point to point is of high frequency."""
    slow, fast = nets({"bad": 0.3, "good": 0.1}), nets({"bad": 0.3, "good": 0.1}, along=alternating())
    assert generalisation.low_gap(slow) > 10 * abs(generalisation.low_gap(fast)) > 0
    assert generalisation.high_gap(fast) > abs(generalisation.high_gap(slow))
    assert generalisation.low_error(slow, arm="bad") == pytest.approx(3 * generalisation.low_error(slow, arm="good"))
    assert generalisation.low_gap(slow) == pytest.approx(
        generalisation.low_error(slow, arm="bad") - generalisation.low_error(slow, arm="good")
    )


def alternating() -> Array:
    signs: Array = np.where(np.arange(len(WANTED)) % 2 == 0, 1.0, -1.0)[:, None]
    return signs


def test_planted_outputs_are_alike_but_for_noise() -> None:
    planted = generalisation.alike(nets({"bad": 0.3, "good": 0.1}))
    noise = [planted[arm].records["directions"]["outputs"] for arm in ("bad", "good")]
    assert float(np.std(noise[0] - noise[1])) == pytest.approx(0.3, rel=0.2)
    assert abs(generalisation.low_gap(planted)) < 0.1


def test_a_narrow_filter_keeps_more_of_the_labels() -> None:
    found = nets({"bad": 0.3, "good": 0.1})
    shares = [generalisation.low_dominance(found, width=width) for width in (0.001, 0.05, 5.0)]
    assert 1.0 >= shares[0] > shares[1] > shares[2] >= 0.0
