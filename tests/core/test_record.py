"""Records: one line for a field that is refused, and one text for equal values, whatever fields come later."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from spikecheck.core.errors import SettingError
from spikecheck.core.probe import Anatomy, Directions
from spikecheck.core.recipe import Recipe
from spikecheck.core.record import Record
from spikecheck.core.setting import Setting


class Before(Record):
    """A record of the first release."""

    name: str
    share: float = Field(0.5, ge=0.0, le=1.0)


class After(Before):
    """The same with a field that was added later."""

    added = frozenset({"later"})

    later: int = 3


class Holder(Record):
    """A record that holds another."""

    inner: Before


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"name": "x", "share": 1.5}, "share=1.5: "),
        ({"name": "x", "share": float("nan")}, "share=nan: "),
        ({"name": "x", "share": float("inf")}, "share=inf: "),
        ({"name": "x", "shard": 1}, "shard=1: "),
        ({"share": 0.5}, "name="),
    ],
)
def test_a_field_that_is_refused_is_one_line_with_its_name_and_value(values: dict[str, object], said: str) -> None:
    with pytest.raises(SettingError) as refused:
        Before.model_validate(values)
    assert str(refused.value).startswith(said)
    assert "\n" not in str(refused.value)


def test_a_field_of_a_record_within_is_named_by_its_way() -> None:
    with pytest.raises(SettingError, match=r"^share=2\.0"):
        Holder.model_validate({"inner": {"name": "x", "share": 2.0}})


def test_a_record_is_not_changed() -> None:
    record = Before(name="x")
    with pytest.raises(ValidationError):
        record.name = "y"  # type: ignore[misc]


@given(st.text('abc"\\ é', max_size=6), st.floats(0.0, 1.0))
def test_the_canonical_text_is_sorted_json_without_spaces(name: str, share: float) -> None:
    text = Before(share=share, name=name).canonical()
    assert text == json.dumps({"name": name, "share": share}, sort_keys=True, separators=(",", ":"))
    assert Before.model_validate_json(text) == Before(name=name, share=share)


@given(st.text("abc", max_size=3), st.floats(0.0, 1.0), st.integers(0, 6))
def test_a_field_added_later_shows_only_where_it_is_not_its_default(name: str, share: float, later: int) -> None:
    old, new = Before(name=name, share=share), After(name=name, share=share, later=later)
    assert (new.canonical() == old.canonical()) is (later == 3)
    assert After.model_validate_json(new.canonical()) == new
    within = Holder(inner=new).canonical()
    assert (within == Holder(inner=old).canonical()) is (later == 3)


def test_fields_added_later_leave_older_identities_as_they_were() -> None:
    assert "batch" not in Setting().canonical()
    assert "gradient_noise" not in Recipe(setting=Setting(), seed=0).canonical()
    assert "outputs" not in Anatomy().canonical()
    assert "random" not in Directions().canonical()
    assert '"random":5' in Directions(random=5).canonical()
    assert '"batch":5' in Recipe(setting=Setting(batch=5), seed=0).canonical()
    assert Setting(batch=5).signature != Setting().signature
    assert Setting.model_validate_json(Setting().canonical()) == Setting()
