"""What a prediction accepts, refuses and says."""

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.errors import SettingError
from spikecheck.stats.averages import median_interval
from spikecheck.stats.bounds import clopper_pearson
from spikecheck.stats.prediction import Average, Equivalence, Estimand, Prediction, as_record, average_of, from_record


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"above": 0.0, "of_seeds": 1.2}, "of_seeds=1.2.*between 0 and 1"),
        ({"above": 0.0, "of_seeds": 1.0}, "of_seeds=1.0"),
        ({"above": 0.0, "of_seeds": math.nan}, "of_seeds=nan"),
        ({"above": 0.0, "level": 0.0}, "level=0.0.*between 0 and 1"),
        ({"above": 0.0, "level": 95.0}, "level=95.0"),
        ({}, "no bound.*at_least"),
        ({"below": math.nan}, "below=nan.*finite"),
        ({"at_least": -math.inf}, "at_least=-inf.*finite"),
        ({"above": 1.0, "below": 0.0}, "above=1.0, below=0.0.*no number"),
        ({"at_least": 1.0, "below": 1.0}, "no number"),
        ({"above": 1.0, "at_least": 0.0, "at_most": 1.0}, "no number"),
    ],
)
def test_what_predicts_nothing_is_refused_with_a_remedy(wrong: dict[str, float], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        Prediction(**wrong)


BOUNDS = st.none() | st.integers(-3, 3).map(float)


@given(BOUNDS, BOUNDS, BOUNDS, BOUNDS)
def test_exactly_what_some_number_can_meet_is_accepted(
    above: float | None, at_least: float | None, below: float | None, at_most: float | None
) -> None:
    given_bounds = [bound for bound in (above, at_least, below, at_most) if bound is not None]
    # Among numbers half as far apart as the bounds there is one that lies within, if there is any.
    within = [
        score
        for score in (step / 2 for step in range(-8, 9))
        if (above is None or score > above)
        and (at_least is None or score >= at_least)
        and (below is None or score < below)
        and (at_most is None or score <= at_most)
    ]
    try:
        prediction = Prediction(above=above, at_least=at_least, below=below, at_most=at_most)
    except SettingError:
        assert not given_bounds or not within
    else:
        assert [score for score in (step / 2 for step in range(-8, 9)) if prediction.held(score)] == within != []


def test_a_bound_itself_lies_within_only_where_it_says_so() -> None:
    assert Prediction(at_least=1.0).held(1.0)
    assert Prediction(at_most=1.0).held(1.0)
    assert not Prediction(above=1.0).held(1.0)
    assert not Prediction(below=1.0).held(1.0)
    assert Prediction(at_least=1.0, at_most=1.0).held(1.0)


def test_a_score_that_is_no_number_never_holds() -> None:
    for name in ("above", "at_least", "below", "at_most"):
        assert not Prediction(**{name: 0.0}).held(math.nan)


def test_both_sides_are_said() -> None:
    said = Prediction(at_least=-0.1, at_most=0.25, of_seeds=0.9, level=0.99).says("change")
    assert said == "change >= -0.1 and <= 0.25 in at least 90 % of the seeds (exact binomial, each bound at 99 %)"


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.999))
def test_fewer_than_the_fewest_could_never_show_the_share(of_seeds: float, level: float) -> None:
    fewest = Prediction(above=0.0, of_seeds=of_seeds, level=level).fewest()
    rounding = 1e-12
    assert clopper_pearson(fewest, fewest, 1.0 - level)[0] >= of_seeds - rounding
    assert fewest == 1 or clopper_pearson(fewest - 1, fewest - 1, 1.0 - level)[0] < of_seeds + rounding


@pytest.mark.parametrize("level", [5e-324, 1e-17, 0.1])
def test_without_any_seed_nothing_holds_at_any_level(level: float) -> None:
    assert Prediction(above=0.0, of_seeds=0.5, level=level).fewest() == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"above": 0.0, "of": "mode"}, "of='mode'.*mean or median"),
        ({"above": 0.0, "worth": -0.1}, "worth=-0.1.*at least 0"),
        ({"above": 0.0, "worth": math.nan}, "worth=nan.*finite"),
        ({"above": 0.0, "worth": math.inf}, "worth=inf.*finite"),
        ({"above": 0.0, "below": 1.0, "worth": 0.1}, "worth=0.1.*leave it out"),
        ({"worth": 0.1}, "Average.*gives no bound"),
        ({"above": 1.0, "below": 1.0}, "no number"),
    ],
)
def test_an_average_that_says_nothing_is_refused_with_a_remedy(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        Average(**wrong)


@pytest.mark.parametrize("given_limits", [{"above": 0.0}, {"at_most": 1.0}, {"above": -1.0, "at_least": 0.0}])
def test_an_equivalence_has_two_limits(given_limits: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=r"^Equivalence\(\): takes two limits; give a lower and an upper one$"):
        Equivalence(**given_limits)


def test_between_two_limits_less_distance_to_their_middle_is_more() -> None:
    rule = Equivalence(at_least=1.0, at_most=3.0)
    assert [rule.toward(score) for score in (0.0, 2.0, 2.5)] == [-2.0, 0.0, -0.5]


def test_an_average_of_an_average_takes_an_of() -> None:
    said = ["mean gain", "mean of mean |cos|", "mean of median error"]
    assert [average_of(effect, "mean") for effect in ("gain", "mean |cos|", "median error")] == said


LEVELS = st.floats(0.01, 0.999)


@st.composite
def limits(draw: st.DrawFn, sides: tuple[str, ...]) -> dict[str, float]:
    """One or two limits on each of these sides, all lower ones below all upper ones."""
    low, high = sorted(draw(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=2, unique=True)))
    further = st.floats(0.0, 1e3)
    chosen: dict[str, float] = {}
    if "lower" in sides:
        chosen |= {
            name: low - draw(further) for name in draw(st.sets(st.sampled_from(["above", "at_least"]), min_size=1))
        }
    if "upper" in sides:
        chosen |= {
            name: high + draw(further) for name in draw(st.sets(st.sampled_from(["below", "at_most"]), min_size=1))
        }
    return chosen


@st.composite
def predictions(draw: st.DrawFn) -> Estimand:
    """Any that can be made."""
    kind = draw(st.sampled_from([Prediction, Average, Equivalence]))
    both = ("lower", "upper")
    sides = both if kind is Equivalence else draw(st.sampled_from([("lower",), ("upper",), both]))
    numbers: dict[str, Any] = {**draw(limits(sides)), "level": draw(LEVELS)}
    if kind is Prediction:
        return Prediction(**numbers, of_seeds=draw(st.floats(0.01, 0.99)))
    worth = 0.0 if sides == both else draw(st.just(0.0) | st.floats(0.0, 10.0))
    return kind(**numbers, of=draw(st.sampled_from(["mean", "median"])), worth=worth)


@given(predictions())
def test_what_a_report_keeps_of_a_prediction_is_all_of_it(predicts: Estimand) -> None:
    kept = json.loads(json.dumps(as_record(predicts)))
    assert from_record(kept) == predicts
    assert type(from_record(kept)) is type(predicts)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({}, "kind=None"),
        ({"kind": "vote", "above": 0.0}, "kind='vote': give one of share, average, equivalence"),
        ({"kind": "share"}, "gives no bound"),
        ({"kind": "share", "above": 0.0, "worth": 1.0}, "worth"),
        ({"kind": "average", "above": "much"}, "prediction"),
        ({"kind": "average", "above": 0.0, "level": "high"}, "prediction"),
    ],
)
def test_what_is_no_record_of_one_is_refused(record: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        from_record(record)


@given(predictions(), st.floats(-1e6, 1e6))
def test_what_lies_beyond_no_limit_holds_and_what_lies_beyond_one_does_not(predicts: Estimand, score: float) -> None:
    """On a limit it depends on which one it is."""
    inside = predicts.beyond(score)
    assert not inside > 0.0 or predicts.held(score)
    assert not inside < 0.0 or not predicts.held(score)


@given(predictions(), st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_more_is_better_in_the_direction_claimed(predicts: Estimand, one: float, other: float) -> None:
    if predicts.floor is None or predicts.ceiling is None:
        further = predicts.toward(one) - predicts.toward(other)
        assert further == pytest.approx(predicts.beyond(one) - predicts.beyond(other), abs=1e-6)
    if predicts.toward(one) >= predicts.toward(other):
        assert predicts.beyond(one) >= predicts.beyond(other) - 1e-6


def test_of_two_limits_on_one_side_the_closer_one_is_the_limit() -> None:
    assert Prediction(above=0.0, at_least=1.0).floor == 1.0
    assert Prediction(below=0.0, at_most=1.0).ceiling == 0.0
    assert (Prediction(above=0.0).ceiling, Prediction(below=0.0).floor) == (None, None)


@given(LEVELS)
def test_fewer_than_the_fewest_have_no_bound_on_a_median(level: float) -> None:
    fewest = Average(above=0.0, of="median", level=level).fewest()
    rounding = 1e-9
    assert median_interval(np.ones(fewest), 1.0 - level + rounding).low == 1.0
    if fewest > 2:
        assert math.isinf(median_interval(np.ones(fewest - 1), 1.0 - level - rounding).low)


@pytest.mark.parametrize(
    ("predicts", "estimand", "said"),
    [
        (
            Average(at_most=0.05, of="median", level=0.99),
            "median",
            "median share <= 0.05 (order statistics, each bound at 99 %)",
        ),
        (
            Average(below=0.0, worth=0.1),
            "mean",
            (
                "mean share < 0 (Student's t, wider if skewed, each bound at 95 %), and the mean itself <= -0.1 "
                "(fails if both bounds are more)"
            ),
        ),
        (
            Equivalence(above=-0.5, below=0.5, of="median"),
            "equivalence",
            "median share > -0.5 and < 0.5 (two one-sided tests, order statistics, each at 95 %)",
        ),
        (
            Prediction(above=0.0),
            "share",
            "share > 0 in at least 80 % of the seeds (exact binomial, each bound at 95 %)",
        ),
    ],
)
def test_every_estimand_says_what_it_asks_for(predicts: Estimand, estimand: str, said: str) -> None:
    assert predicts.estimand == estimand
    assert predicts.says("share") == said
