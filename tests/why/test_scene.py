"""Where forks begin and end, and which excursions cost nothing."""

import math

import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.stats import binomtest

from spikecheck.watch.detector import NoisySpike
from spikecheck.why.scene import is_benign, scene_of


def spike(onset: int, over: int | None, *, level: float = 1.0, spread: float = 0.1) -> NoisySpike:
    return NoisySpike(onset, onset, onset, 9.0, level, spread, 2.0, "high", over)


def test_a_scene_lies_within_the_run() -> None:
    assert (scene_of(spike(400, 410), 1_000).start, scene_of(spike(400, 410), 1_000).end) == (336, 464)
    assert scene_of(spike(400, 450), 1_000).end == 500
    assert scene_of(spike(400, 480), 1_000).end == 528
    assert scene_of(spike(400, None), 1_000).end == 528
    assert (scene_of(spike(400, None), 420).end, scene_of(spike(400, None), 420).over) == (420, 420)
    assert scene_of(spike(10, 20), 1_000).start == 0
    assert scene_of(spike(410, 420), 1_000, first=400).start == 400


def test_level_and_spread_are_the_spikes_own() -> None:
    scene = scene_of(spike(400, 410, level=3.0, spread=0.2), 1_000)
    assert (scene.level, scene.spread) == (3.0, 0.2)


def test_the_calm_begins_within_the_scene() -> None:
    assert scene_of(spike(400, 410), 1_000).over == 410
    assert scene_of(spike(400, 700), 1_000).over == 528


@pytest.mark.parametrize(("level", "unit"), [(0.5, 1e-6), (-0.5, 1e-6), (300.0, 3e-4), (-300.0, 3e-4)])
def test_without_a_spread_heights_are_in_millionths_of_the_level(level: float, unit: float) -> None:
    assert scene_of(spike(400, 410, level=level, spread=0.0), 1_000).spread == pytest.approx(unit)
    assert scene_of(spike(400, 410, level=level, spread=1e-9), 1_000).spread == 1e-9


def test_batches_are_left_out_from_four_steps_before_the_onset_to_the_calm() -> None:
    assert scene_of(spike(400, 410), 1_000).left_out == range(396, 410)
    assert scene_of(spike(402, 410), 1_000, first=400).left_out == range(400, 410)


DRAWS = np.random.default_rng(0)


def noise(count: int) -> list[float]:
    """Independent losses, 1 in the mean, with a standard deviation of 0.1."""
    return list(DRAWS.normal(1.0, 0.1, count))


def benign(*, steps: int = 3, above: float = 0.0, after: int = 64, first: int = 0, later: float = 1.0) -> bool:
    """Of an excursion at step `first` + 200, after which `after` losses lie `above` deviations higher, then `later`."""
    calm = list(0.1 * above + np.array(noise(after)))
    losses = [*noise(200), *[2.0] * steps, *calm, *[later] * 200]
    return is_benign(spike(first + 200, first + 200 + steps), losses, first)


def test_three_high_losses_that_leave_nothing_behind_are_benign_and_four_are_not() -> None:
    assert [benign(steps=steps, above=-0.1) for steps in (1, 3, 4, 20)] == [True, True, False, False]
    assert benign(first=1_000, above=-0.1)
    assert not is_benign(spike(100, None), [1.0] * 300)


def test_losses_within_the_noise_do_not_make_a_spike_longer() -> None:
    """Regression: a single loss that noise drove above all before it drew a benign spike out to six steps."""
    losses = [*noise(200), 9.0, *noise(2), 1.35, *noise(70)]
    assert is_benign(spike(200, 206), losses)
    assert not is_benign(spike(200, 206), [*losses[:201], *[1.5] * 5, *losses[206:]])


def test_neither_an_earlier_nor_a_later_spike_hides_that_losses_are_high() -> None:
    losses = [*noise(200), *[2.0] * 6, *noise(64)]
    assert not is_benign(spike(200, 206), [*losses[:150], *[3.0] * 6, *losses[156:]])
    assert not is_benign(spike(200, 206), [*losses[:240], *[3.0] * 6, *losses[246:]])


def test_a_benign_spike_is_taken_for_a_costly_one_in_one_per_cent_and_a_rise_is_seen() -> None:
    """The level that decision 4 states, with losses that have heavy tails; and the power that it states, with normal ones."""
    draws = np.random.default_rng(1)
    tailed = [is_benign(spike(200, 201), list(draws.lognormal(0.0, 2.0, 265))) for _ in range(1_000)]
    assert binomtest(tailed.count(False), 1_000).proportion_ci(0.999).low <= 0.01
    risen = [is_benign(spike(200, 201), [*draws.normal(size=201), *draws.normal(0.56, 1.0, 64)]) for _ in range(200)]
    assert 0.8 <= risen.count(False) / 200 <= 0.97


def test_losses_with_a_memory_are_thinned_before_they_are_compared() -> None:
    """Of an autoregression that forgets in about 19 steps, a test of neighbours would find a rise in a quarter of cases."""
    draws = np.random.default_rng(2)
    costly = 0
    for _ in range(200):
        losses = lfilter([1.0], [1.0, -0.9], draws.normal(size=1_000))[300:]
        costly += not is_benign(spike(600, 601), list(losses))
    assert costly <= 16


def test_the_64_losses_after_it_decide_and_half_of_them_at_least() -> None:
    assert benign(later=9.0, above=-0.1) and benign(later=9.0, first=1_000, above=-0.1)
    assert not benign(above=2.0, later=1.0)
    short = [1.0] * 100 + [2.0] * 3
    assert [is_benign(spike(100, 103), short + [1.0] * count) for count in (0, 31, 32, 63)] == [
        False,
        False,
        True,
        True,
    ]
    assert not is_benign(spike(31, 32), [1.0] * 31 + [2.0] + [1.0] * 64)


def test_back_at_a_level_without_a_spread_it_is_benign() -> None:
    before, after = [1.0] * 100 + [2.0] * 3, [1.0] * 64
    assert is_benign(spike(100, 103, spread=0.0), before + after)
    assert not is_benign(spike(100, 103, spread=0.0), [0.999] * 100 + [2.0] * 3 + after)


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_a_spike_after_which_a_loss_is_no_number_is_not_benign(loss: float) -> None:
    losses = [1.0] * 100 + [2.0] * 3 + [1.0] * 64 + [1.0] * 100
    assert is_benign(spike(100, 103), [*losses[:167], loss, *losses[168:]])
    assert not is_benign(spike(100, 103), [*losses[:166], loss, *losses[167:]])
    assert is_benign(spike(100, 103), [*losses[:50], loss, *losses[51:]])
