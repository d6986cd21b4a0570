"""Scorecards and baselines as they are read from files, old ones too."""

import pytest
from pydantic import TypeAdapter

from spikecheck.core.errors import SettingError
from spikecheck.core.scorecard import AnyPlace, Change, Decision, Row, Scores, SuiteSetting, WorkloadPlace
from spikecheck.core.setting import Setting

PLACES: TypeAdapter[SuiteSetting | WorkloadPlace] = TypeAdapter(AnyPlace)


def row(**changes: object) -> Row:
    given: dict[str, object] = {
        "name": "final loss",
        "unit": "log10",
        "candidate": 0.0,
        "reference": 0.0,
        "difference": 0.0,
        "low": None,
        "high": None,
        "margin": 0.1,
        "p_worse": 1.0,
        "p_better": 1.0,
        "pairs": 16,
        "change": "same",
    }
    return Row.model_validate(given | changes)


@pytest.mark.parametrize(
    "place",
    [
        SuiteSetting(name="sines", setting=Setting(steps=10)),
        WorkloadPlace(name="gpt", workload="gpt", steps=10, options={"batch": 4, "dtype": "float32", "seed": None}),
    ],
)
def test_a_place_is_read_as_the_kind_that_was_written(place: SuiteSetting | WorkloadPlace) -> None:
    again = PLACES.validate_json(place.model_dump_json())
    assert type(again) is type(place)
    assert again == place
    assert PLACES.validate_python(place) == place


def test_the_word_of_older_scorecards_is_read() -> None:
    assert Decision("not decided") is Decision.NOT_DECIDED
    assert [Decision(each.value) for each in Decision] == list(Decision)
    with pytest.raises(ValueError, match="decided not"):
        Decision("decided not")


@pytest.mark.parametrize("change", list(Change))
@pytest.mark.parametrize("alarms", [True, False])
def test_only_a_row_that_alarms_and_is_worse_fails_the_gate(change: Change, alarms: bool) -> None:
    assert row(change=change, alarms=alarms).fails == ((change, alarms) == (Change.WORSE, True))


def test_a_row_is_told_from_the_same_row_elsewhere() -> None:
    assert {row().title, row(where="sines").title, row(where="gpt").title} == {
        "final loss",
        "final loss in sines",
        "final loss in gpt",
    }


def test_a_score_that_is_not_finite_is_refused_and_a_missing_one_is_kept() -> None:
    kept = Scores(values={"late edge": {"sines": (1.0, None)}})
    assert Scores.model_validate_json(kept.model_dump_json()) == kept
    with pytest.raises(SettingError, match="inf"):
        Scores(values={"late edge": {"sines": (float("inf"),)}})
