"""A judged setting: counts are counts, and a report's JSON gives back the judgement that was written."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.errors import SettingError
from spikecheck.core.judgement import Answer, Companion, ConditionJudged, Contrast, Effect, FurtherControl, Judgement
from spikecheck.core.judgement import Outcome as State
from spikecheck.core.setting import Setting

NUMBER = st.floats(-1e9, 1e9)
COUNT = st.integers(0, 10**6)
EFFECTS = st.builds(Effect, unit=st.text(max_size=5), median=st.none() | NUMBER, low=st.none(), high=st.none() | NUMBER)
SHARE = st.floats(0.0, 1.0)


@st.composite
def companions(draw: st.DrawFn) -> Companion:
    held, measured = sorted((draw(COUNT), draw(COUNT)))
    return Companion(effect=draw(EFFECTS), measured=measured, held=held)


@st.composite
def judgements(draw: st.DrawFn) -> Judgement:
    held, applicable, drawn = sorted(draw(COUNT) for _ in range(3))
    return Judgement(
        setting=Setting(width=3),
        outcome=draw(st.sampled_from(State)),
        drawn=drawn,
        applicable=applicable,
        held=held,
        low=draw(SHARE),
        high=draw(SHARE),
        required=draw(st.none() | SHARE),
        level=draw(SHARE),
        effect=draw(EFFECTS),
        scores=draw(st.lists(st.none() | NUMBER, max_size=3).map(tuple)),
        companions=draw(st.lists(companions(), max_size=2).map(tuple)),
        would_decide=draw(st.none() | COUNT),
    )


ONE = Judgement(
    setting=Setting(), outcome=State.HOLDS, drawn=16, applicable=14, held=14, low=0.8, high=1.0, required=0.8, level=0.95,
    effect=Effect(unit="nats", median=1.0, low=0.5, high=None),
)  # fmt: skip
APART = Contrast(outcome=State.HOLDS, estimate=0.5, low=0.3, high=None, margin=0.0, pairs=14)
RULE = ConditionJudged(rule="gain > 0", outcome=State.FAILS, effect=ONE.effect, applicable=3)


@given(judgements())
def test_a_judgement_is_read_as_it_was_written(judgement: Judgement) -> None:
    assert Judgement.model_validate_json(judgement.model_dump_json()) == judgement


def test_an_answer_is_read_with_its_controls_as_it_was_written() -> None:
    control = FurtherControl(says="calm", judgement=ONE, contrast=APART)
    answer = Answer(
        role="reference", outcome=State.INVALID, reason="the control holds too", control=ONE, contrast=APART,
        judgement=ONE.model_copy(update={"conditions": (RULE,)}), also_not=(control,), positive=ONE,
    )  # fmt: skip
    assert Answer.model_validate_json(answer.model_dump_json()) == answer


REFUSED: list[tuple[Any, Any, str, object]] = [
    *((Judgement, ONE, name, -1) for name in ("drawn", "applicable", "held", "numerical_failures")),
    (Judgement, ONE, "low", float("nan")),
    *((Judgement, ONE, name, value) for name in ("low", "high", "required", "level") for value in (-0.1, 1.1)),
    (Judgement, ONE, "estimand", "mode"),
    (Judgement, ONE, "outcome", "maybe"),
    (Contrast, APART, "pairs", -1),
    (Contrast, APART, "estimate", float("inf")),
    (ConditionJudged, RULE, "applicable", -1),
]


@pytest.mark.parametrize(("kind", "whole", "name", "value"), REFUSED)
def test_what_is_no_count_no_number_or_no_outcome_is_refused_by_name(
    kind: Any, whole: Any, name: str, value: object
) -> None:
    with pytest.raises(SettingError, match=f"^{name}="):
        kind(**{**whole.__dict__, name: value})


PARTS: list[tuple[Any, Any, str, int]] = [
    (Judgement, ONE, "held", 15),
    (Judgement, ONE, "applicable", 17),
    (Companion, Companion(effect=ONE.effect, measured=3, held=3), "held", 4),
]


@pytest.mark.parametrize(("kind", "whole", "name", "value"), PARTS)
def test_a_part_that_is_more_than_its_whole_is_refused_by_name(kind: Any, whole: Any, name: str, value: int) -> None:
    """A report with such counts was drawn beyond the end of its bar."""
    with pytest.raises(SettingError, match=rf"{name}: is {value}, more than"):
        kind(**{**whole.__dict__, name: value})
    kind(**{**whole.__dict__, name: value - 1})
