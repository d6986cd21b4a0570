"""The ascent of a spike, of motions that follow a law exactly or break it."""

import numpy as np
import pytest

from spikecheck.core.run import Array
from spikecheck.core.setting import Setting
from spikecheck.effects import ascent
from spikecheck.harness.claim import Trial
from tests.effects.trials import SETTING, recorded

LR = 0.1


def climbing(noise: float = 0.0) -> Trial:
    """Steps 0 to 59: lambda_1 rises evenly from 10 to 30, through 2/lr = 20; lambda_2 is half of it. Onset 40, peak 50."""
    first = np.linspace(10.0, 30.0, 60)
    values = np.stack([first, first / 2], axis=1)
    swing = np.ones((60, 2))
    wrong = np.exp(noise * np.random.default_rng(0).normal(size=(60, 2)))
    return recorded(
        "anatomy",
        spiked=True,
        steps=np.arange(60.0),
        loss=np.linspace(1.0, 9.0, 60),
        sharpness=values,
        swing=swing,
        next_swing=-swing * np.abs(1 - LR * values) * wrong,
    )


def sharpness(trial: Trial) -> Array:
    return trial["run"].records["anatomy"]["sharpness"]


def test_landmarks_are_counted_from_where_the_record_begins() -> None:
    late = recorded("anatomy", spiked=True, steps=np.arange(35.0, 60.0))
    assert (ascent.onset(late), ascent.peak(late)) == (5, 15)
    assert (ascent.onset(climbing()), ascent.peak(climbing())) == (40, 50)


def test_the_ascent_goes_from_the_crossing_to_the_peak() -> None:
    rise = ascent.ascending(climbing(), 20.0)
    crossed = int(np.argmax(sharpness(climbing())[:, 0] > 20.0))
    assert rise is not None and (rise.start, rise.stop) in {(crossed, 50), (crossed, 51)}
    assert ascent.ascending(climbing(), 40.0) is None


def test_a_motion_at_the_predicted_rate_has_no_error() -> None:
    assert ascent.log_rate_error(climbing()) == pytest.approx(0.0, abs=1e-12)
    assert ascent.straightness(climbing()) == pytest.approx(1.0)
    rise = ascent.ascending(climbing(), 20.0)
    first = sharpness(climbing())[rise, 0]
    by_the_second = np.median(np.abs(np.log(np.abs(1 - LR * first)) - np.log(np.abs(1 - LR * first / 2))))
    assert ascent.log_rate_error(climbing(), pair=1) == pytest.approx(by_the_second)
    assert ascent.log_rate_error(ascent.at_the_predicted_rate(climbing(noise=1.0))) < 0.05


def test_growth_above_and_decay_below_agree_with_the_threshold() -> None:
    counted, above = ascent.sides(climbing(), band=0.01, lowest=1.7, highest=2.15, small=20.0)
    relative = sharpness(climbing())[:, 0] * LR
    assert np.array_equal(counted, (relative >= 1.7) & (relative <= 2.15) & (np.abs(relative / 2 - 1) > 0.01))
    assert np.array_equal(above, relative > 2.0)
    assert ascent.two_sided_agreement(climbing(), band=0.01, small=20.0) == 1.0
    assert ascent.two_sided_agreement(climbing(), band=0.01, small=20.0, pair=1) == 0.5  # along v_2 all decays
    assert ascent.two_sided_agreement(ascent.growing_above_only(climbing(noise=2.0)), band=0.02, small=20.0) == 1.0


def test_steps_after_the_loss_has_grown_do_not_count() -> None:
    counted, _ = ascent.sides(climbing(), band=0.0, lowest=0.0, highest=9.0, small=2.0)
    assert int(counted.sum()) == int((np.linspace(1.0, 9.0, 60) <= 2.0).sum())


@pytest.mark.parametrize(
    ("setting", "threshold"),
    [
        (Setting(lr=0.1, optimizer="heavy-ball", momentum=0.5), 2 * 1.5 / 0.1),
        (Setting(lr=0.1, optimizer="nesterov", momentum=0.5), 2 / 0.1 * 1.5 / 2.0),
        (SETTING, 2 / 0.1),
    ],
)
def test_a_planted_turn_lies_at_the_rules_threshold(setting: Setting, threshold: float) -> None:
    flat = recorded(
        "anatomy",
        setting=setting,
        spiked=True,
        steps=np.arange(60.0),
        swing=np.ones((60, 2)),
        sharpness=np.ones((60, 2)),
    )
    turned = ascent.turning_at_its_threshold(flat)
    assert ascent.turn_over_momentums(turned) == pytest.approx(1.0, abs=0.03)
    assert ascent.turn_over_plain(turned) == pytest.approx(threshold / 20.0, rel=0.03)
    size, turn = ascent.motion(turned)
    assert len(size) == 40 and turn is not None and abs(turn - 20) <= 3
    assert np.isnan(ascent.turn_over_plain(flat))


def test_multipliers_are_read_at_their_landmarks() -> None:
    found = recorded("stability", onset=[1.3, 1.0, 0.0], recovery=[0.4, 1.0, 0.0])
    assert ascent.multiplier(found, landmark="onset") == 1.3
    assert ascent.multiplier(found, landmark="recovery") == 0.4
    assert np.isnan(ascent.multiplier(found, landmark="peak"))
    assert ascent.multiplier(ascent.with_multiplier(found, landmark="recovery", size=1.2), landmark="recovery") == 1.2
