"""What a prediction accepts, refuses and says."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.errors import SettingError
from spikecheck.stats.bounds import clopper_pearson
from spikecheck.stats.prediction import Prediction


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
