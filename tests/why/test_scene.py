"""Where forks begin and end, and which excursions cost nothing."""

import math

import pytest

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


def benign(*, steps: int = 3, above: float = 0.0, after: int = 64, first: int = 0, later: float = 1.0) -> bool:
    """Of an excursion at step `first` + 100, after which so many losses lie so many spreads above the level, then `later`."""
    losses = [1.0] * 100 + [2.0] * steps + [1.0 + 0.1 * above] * after + [later] * 200
    return is_benign(spike(first + 100, first + 100 + steps), losses, first)


def test_three_high_losses_that_leave_nothing_behind_are_benign_and_four_are_not() -> None:
    assert [benign(steps=steps) for steps in (1, 3, 4, 20)] == [True, True, False, False]
    assert benign(first=1_000)
    assert not is_benign(spike(100, None), [1.0] * 300)


def test_after_a_benign_spike_the_median_is_at_most_a_quarter_of_a_spread_above_the_level() -> None:
    assert [benign(above=above) for above in (-5.0, 0.24, 0.26, 5.0)] == [True, True, False, False]


def test_the_64_losses_after_it_decide_and_half_of_them_at_least() -> None:
    assert benign(later=9.0) and benign(later=9.0, first=1_000)
    assert not benign(above=1.0, later=1.0)
    short = [1.0] * 100 + [2.0] * 3
    assert [is_benign(spike(100, 103), short + [1.0] * count) for count in (0, 31, 32, 63)] == [
        False,
        False,
        True,
        True,
    ]


def test_back_at_a_level_without_a_spread_it_is_benign() -> None:
    losses = [1.0] * 100 + [2.0] * 3 + [1.0] * 64
    assert is_benign(spike(100, 103, spread=0.0), losses)
    assert not is_benign(spike(100, 103, level=0.999, spread=0.0), losses)


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_a_spike_after_which_a_loss_is_no_number_is_not_benign(loss: float) -> None:
    losses = [1.0] * 100 + [2.0] * 3 + [1.0] * 64 + [1.0] * 100
    assert is_benign(spike(100, 103), [*losses[:167], loss, *losses[168:]])
    assert not is_benign(spike(100, 103), [*losses[:166], loss, *losses[167:]])
