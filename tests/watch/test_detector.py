"""The detector keeps its promise on noise, finds what is there, and says when it is over."""

import math
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from spikecheck.watch.detector import Detector, NoisySpike, detect
from spikecheck.watch.thresholds import HISTORY, NORMAL, record_factor
from tests.watch.plain_detector import Kind, PlainDetector, disturbed, noise

NOISES = {
    "gaussian": lambda rng, n: rng.standard_normal(n),
    "student": lambda rng, n: rng.standard_t(3, n),
    "exponential": lambda rng, n: rng.exponential(size=n),
    "uniform": lambda rng, n: rng.uniform(size=n),
    "falling": lambda rng, n: rng.standard_normal(n) + 50.0 * (1.0 + np.arange(n) / 50.0) ** -0.5,
    "correlated": lambda rng, n: np.convolve(rng.standard_normal(n + 30), 0.9 ** np.arange(31), "valid"),
}


def losses(seed: int = 0, steps: int = 3_000) -> np.ndarray:
    return np.random.default_rng(seed).normal(2.0, 0.1, steps)


def found(series: np.ndarray) -> tuple[NoisySpike, ...]:
    return detect(range(len(series)), series)


@pytest.mark.parametrize("name", NOISES)
def test_at_most_one_step_in_ten_thousand_alarms_falsely(name: str) -> None:
    steps = 40_000
    alarms = len(found(2.0 + 0.1 * NOISES[name](np.random.default_rng(3), steps)))
    # Four are promised at most; were the rate exactly that, more than 11 would come once in a thousand tests.
    assert alarms <= stats.poisson(steps / 10_000).ppf(0.999)


@given(st.integers(600, 2_900), st.floats(8.0, 50.0), st.integers(5, 60))
@settings(max_examples=25)
def test_an_excursion_is_found_with_its_onset_and_its_end(onset: int, height: float, length: int) -> None:
    """From eight spreads on, where noise of five spreads below it is no calm. docs/detectors.md has the power below."""
    series = losses()
    series[onset : onset + length] += 0.1 * height
    spikes = [spike for spike in found(series) if onset - 3 <= spike.onset <= onset + 3]
    assert len(spikes) == 1
    spike = spikes[0]
    assert onset <= spike.peak < onset + length
    # The spread is that of 128 noisy losses, and the peak has its own noise.
    assert 0.5 * height - 5.0 < spike.height < 2.0 * height + 5.0
    if onset + length < 2_900:
        assert spike.over == pytest.approx(onset + length, abs=8)  # noise may reach the old ceiling for a while


@given(st.floats(0.001, 1e6), st.floats(-1e3, 1e3))
@settings(max_examples=10)
def test_scale_and_offset_do_not_matter(scale: float, offset: float) -> None:
    series = losses(steps=1_200)
    series[1_000:1_010] += 1.0
    plain, moved = found(series), found(scale * series + offset)
    assert [(s.onset, s.over) for s in plain] == [(s.onset, s.over) for s in moved]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_is_a_spike_at_once(value: float) -> None:
    series = losses(steps=300)
    series[200] = value
    (spike,) = found(series)
    assert (spike.onset, spike.rule, spike.over) == (200, "not finite", 201)
    assert math.isinf(spike.height)


def test_a_new_level_is_one_spike_that_does_not_come_back() -> None:
    series = losses()
    series[1_500:] += 5.0
    (spike,) = found(series)
    assert spike.over is None and spike.onset == 1_500


def test_spikes_after_a_spike_are_found_too() -> None:
    series = losses()
    for onset in (1_000, 1_130, 2_000):
        series[onset : onset + 20] += 2.0
    assert [spike.onset for spike in found(series)] == [1_000, 1_130, 2_000]


def test_an_excursion_that_comes_every_epoch_is_recurring_after_the_third() -> None:
    series = losses(seed=1, steps=6_000)
    for onset in range(1_000, 6_000, 500):
        series[onset : onset + 30] += 0.5
    detector = Detector()
    for step, loss in enumerate(series):
        detector.update(step, loss)
    # By epochs: noise of one spread may break an excursion of five into two.
    assert {round(spike.onset / 500) for spike in detector.spikes} == {2, 3, 4}
    assert {round(spike.onset / 500) for spike in detector.recurring} == set(range(5, 12))


def test_a_spike_higher_than_what_recurs_is_still_found() -> None:
    series = losses(seed=1, steps=6_000)
    for onset in range(1_000, 6_000, 500):
        series[onset : onset + 30] += 5.0 if onset == 4_000 else 0.5
    assert 4_000 in [spike.onset for spike in found(series)]


@pytest.mark.parametrize("series", [np.zeros(0), np.ones(400), np.array([1.0]), np.full(10, math.nan)])
def test_nothing_and_constants_are_read(series: np.ndarray) -> None:
    assert len(found(series)) == int(np.isnan(series).any())


@pytest.mark.parametrize("length", [24, 300])
def test_noise_that_vanishes_a_hair_above_its_median_is_no_spike(length: int) -> None:
    """Regression: the ranks of 24 equal losses are as rare as those of an excursion, whatever their height."""
    series = losses(steps=600)
    quiet = np.full(length, np.median(series) + 0.002)
    assert not found(np.concatenate([series, quiet]))
    assert found(np.concatenate([series, quiet[:24] + 0.3])), "the same losses three spreads up are a spike"


def test_rounding_at_a_constant_loss_is_no_spike() -> None:
    """Regression: any rise above a window without spread lasted long enough after three losses."""
    series = np.full(400, np.float32(0.7), dtype=np.float64)
    series[300:310] = np.nextafter(np.float32(0.7), np.float32(1.0))
    assert not found(series)
    series[300:310] = 0.701
    assert len(found(series)) == 1


@pytest.mark.parametrize("onset", [200, 400, 1_000])
def test_a_rise_on_the_early_slope_is_found(onset: int) -> None:
    """Regression: the slope counted as memory, so that a rise of ten steps was too short to last."""
    steps = np.arange(onset + 60)
    series = 2.0 + 3.0 * (1.0 + steps / 50.0) ** -0.5 + np.random.default_rng(4).normal(0.0, 0.05, onset + 60)
    assert not found(series)
    series[onset : onset + 10] += 2.0
    assert [spike.onset for spike in found(series)] == [pytest.approx(onset, abs=2)]


@pytest.mark.parametrize("times", [8, 16])
def test_losses_that_are_written_down_until_the_next_alarm_no_more_often(times: int) -> None:
    """Regression: an ordinary loss that stood eight times in a row was an excursion of eight losses."""
    steps = 16_000
    series = np.repeat(np.random.default_rng(0).normal(2.0, 0.1, steps // times), times)
    assert len(found(series)) <= stats.poisson(steps / 10_000).ppf(0.999)


def agreed(series: np.ndarray, history: int = HISTORY) -> PlainDetector:
    """Both detectors take the losses, and say the same at every step."""
    ours, plain = Detector(), PlainDetector(history)
    for step, loss in zip(range(7, 7 + len(series)), series.tolist(), strict=True):
        assert repr(ours.update(step, loss)) == repr(plain.update(step, loss))
        assert ours.ongoing == (plain.current is not None)
    assert repr(ours.spikes) == repr(plain.spikes)
    assert repr(ours.recurring) == repr(plain.recurring)
    return plain


@pytest.mark.parametrize("kind", get_args(Kind))
def test_the_detector_agrees_with_one_over_plain_lists(kind: Kind) -> None:
    assert agreed(disturbed(noise(kind, 900, 0), 0)).spikes


def test_it_agrees_on_what_comes_every_epoch_and_on_what_follows_it() -> None:
    """Continuations, excursions that are higher, and distances that are just too unequal."""
    rng, series = np.random.default_rng(2), noise("normal", 2_400, 2)
    for epoch, onset in enumerate(range(300, 2_300, 120)):
        moved = onset + int(rng.choice([0, 5, 9, 17]))
        series[moved : moved + 20] += 0.1 * rng.choice([6.0, 8.0, 10.0])
        if epoch % 3 == 2:
            later = moved + 20 + int(rng.choice([10, 30, 34, 40]))
            series[later : later + 10] += 0.1 * rng.choice([6.0, 12.0, 20.0])
    plain = agreed(series)
    assert len(plain.recurring) > 4 and len(plain.spikes) > 4


@pytest.mark.parametrize("seed", range(3))
def test_it_agrees_on_what_is_forgotten(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a history of 150 steps, in which the largest height is soon an old one."""
    monkeypatch.setattr("spikecheck.watch.detector.HISTORY", 150)
    agreed(disturbed(noise("student", 700, seed), seed), 150)


def raised_from(onset: int, alarm: int = 0) -> np.ndarray:
    """Losses that stay at a new level from then on, with three spikes: 640, 900 and 1,000 steps later, the second a long one.

    The level is new 512 steps after the alarm, so that exactly 128 losses are known at the first of them.
    """
    series = noise("normal", onset + 1_050, 3)
    series[onset:] += 5.0
    series[[onset + alarm + 640, onset + 1_000]] += [5.0, 4.0]
    series[onset + 900 : onset + 910] += 2.0
    return series


@pytest.mark.parametrize(("onset", "alarm", "later"), [(200, 2, [900]), (600, 0, [640, 900, 1_000])])
def test_it_agrees_on_a_new_level_and_starts_again_from_there(onset: int, alarm: int, later: list[int]) -> None:
    """After 200 steps too few heights are known for the first single loss to be a spike; and the second is lower."""
    spikes = agreed(raised_from(onset, alarm)).spikes
    assert [spike.onset - 7 - onset for spike in spikes] == [0, *later]
    assert spikes[0].over is None


def test_late_in_a_training_it_starts_again_from_a_new_level_too() -> None:
    """Regression: after 4,864 losses, those from the start of the training were the level once more."""
    assert [spike.onset - 5_000 for spike in found(raised_from(5_000))] == [0, 640, 900, 1_000]


def test_before_the_first_loss_there_is_no_level() -> None:
    (spike,) = found(np.array([math.nan, *np.ones(5)]))
    assert (spike.level, spike.spread) == Detector().level() == (0.0, 0.0)
    assert spike.over == 1, "any finite loss is calm"


def alternating(steps: int, last: float) -> np.ndarray:
    """Losses of 1.9 and 2.1 in turn, and a last one so many spreads above their median.

    Their spread is 0.14826, and every jump is of 0.2 / √2, so that all sizes that are remembered are equal.
    """
    return np.append(2.0 + 0.1 * np.resize([-1.0, 1.0], steps), 2.0 + 0.1 * NORMAL * last)


JUMP = 2.0 / math.sqrt(2.0) / NORMAL
"""A jump of `alternating`, in spreads."""


@pytest.mark.parametrize("steps", [256, 257, 400])
def test_a_single_high_loss_is_a_spike_beyond_the_record_factor(steps: int) -> None:
    """Sizes are remembered from 128 losses on; of equal ones the tail is taken for the heaviest."""
    limit = JUMP * record_factor(steps - 128, 2.5)
    assert not found(alternating(steps, 0.9999 * limit))
    (spike,) = found(alternating(steps, 1.0001 * limit))
    assert (spike.onset, spike.rule) == (steps, "high")
    assert not found(alternating(255, 1e6)), "127 sizes are too few"


def test_a_size_is_forgotten_with_its_history(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deep dip is no excursion, but a large jump; 150 steps after the jump back only small ones are left."""
    monkeypatch.setattr("spikecheck.watch.detector.HISTORY", 150)
    series = alternating(451, 1.01 * JUMP * record_factor(150, 2.5))
    series[300] -= 5.0
    assert [spike.onset for spike in found(series)] == []
    later = alternating(452, 1.01 * JUMP * record_factor(150, 2.5))
    later[300] -= 5.0
    assert [spike.onset for spike in found(later)] == [452]


@pytest.mark.parametrize("onset", range(122, 138, 3))
def test_it_agrees_on_the_first_losses_that_can_be_a_spike(onset: int) -> None:
    series = noise("normal", 150, 4)
    series[onset : onset + 6] += 1.0
    assert agreed(series).spikes


def test_it_agrees_on_an_excursion_that_is_over_before_128_losses_are_known() -> None:
    series = noise("normal", 140, 5)
    series[125:128] += 1.0
    (spike,) = agreed(series).spikes
    assert spike.alarm - 7 == 127


def with_excursions(*onsets: int) -> Detector:
    """A detector that has taken alternating losses, ten of which are higher by 1.0 from each onset on."""
    series = alternating(onsets[-1] + 40, 0.0)
    for onset in onsets:
        series[onset : onset + 10] += 1.0
    detector = Detector()
    for step, loss in enumerate(series):
        detector.update(step, loss)
    return detector


@pytest.mark.parametrize(("late", "recurs"), [(0, True), (8, True), (9, False)])
def test_a_fourth_excursion_recurs_if_three_times_its_distance_is_met_to_16_steps(late: int, recurs: bool) -> None:
    """After 300, 500 and 700: three times 200 + late is 2 * late more than the distance from the first."""
    detector = with_excursions(300, 500, 700, 900 + late)
    assert [spike.onset for spike in detector.recurring] == [900 + late] * recurs
    assert [spike.onset for spike in detector.spikes] == [300, 500, 700, *[900 + late] * (not recurs)]


@pytest.mark.parametrize(("history", "recurs"), [(200, True), (199, False)])
def test_a_distance_beyond_the_history_does_not_recur(
    history: int, recurs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spikecheck.watch.detector.HISTORY", history)
    assert len(with_excursions(300, 500, 700, 900).recurring) == recurs


@pytest.mark.parametrize(("after", "continues"), [(32, True), (33, False)])
def test_an_excursion_within_32_steps_after_a_recurring_one_continues_it(after: int, continues: bool) -> None:
    detector = with_excursions(300, 500, 700, 900, 910 + after)
    assert [spike.onset for spike in detector.recurring] == [900, *[910 + after] * continues]
    assert detector.recurring[0].over == 910


def test_losses_that_are_not_finite_never_recur() -> None:
    series = alternating(700, 0.0)
    series[200:700:100] = math.inf
    assert [spike.onset for spike in found(series)] == list(range(200, 700, 100))


def test_every_loss_has_its_step() -> None:
    with pytest.raises(ValueError, match="zip"):
        detect(range(2), np.ones(3))
