"""The figures of an answer in words."""

from typing import Any

import pytest

from spikecheck.core.why import HIGHEST, Cause, Effect, LayerSign, Outcome, Ranked, Signs
from spikecheck.report.why_words import (
    COLUMNS,
    cells,
    effect_of,
    forks_say,
    height_of,
    is_told,
    layers_say,
    not_applying,
    overlaid,
    overshoot_says,
    remedies_say,
    spike_says,
)
from tests.report.planted_why import EMPTY, answer, arm

UNNAMED: dict[str, Any] = {"outcome": Outcome.NO_CAUSE, "causes": (), "cause": None}


def test_a_row_has_a_cell_for_every_column() -> None:
    tested = arm("clip", Effect.REMOVES, Cause.CURVATURE, low=0.4, high=1.0, p_holm=0.0234, height=0.3, cost=-0.25)
    assert cells(tested) == ("clip", "removes it", "4 of 4", "40-100 %", "0.3", "0.023", "-0.25")
    placebo = arm("placebo", Effect.LEAVES, None, low=0.29, high=1.0, height=260.4, cost=None)
    assert cells(placebo) == ("placebo", "spikes again", "4 of 4", "29-100 %", "260", "", "")
    unused = arm("float32", Effect.NOT_APPLICABLE, Cause.ROUNDING)
    assert cells(unused) == ("float32", "does not apply", "", "", "", "", "")
    assert all(len(cells(one)) == len(COLUMNS) for one in (tested, placebo, unused))


def test_the_placebo_removes_nothing() -> None:
    assert effect_of(arm("placebo", Effect.LEAVES, None)) == "spikes again"
    assert effect_of(arm("placebo", Effect.UNDECIDED, None)) == "not decided"
    assert effect_of(arm("eps", Effect.UNDECIDED, Cause.LAG)) == "not decided"


@pytest.mark.parametrize(
    ("height", "said"),
    [(None, ""), (0.0, "0"), (HIGHEST, "1e6 or more"), (HIGHEST - 1, "1,000,000"), (-1.714, "-1.71")],
)
def test_a_height_that_stands_for_infinity_says_so(height: float | None, said: str) -> None:
    assert height_of(arm("x", Effect.LEAVES, Cause.DATA).model_copy(update={"height": height})) == said


def test_the_spike_says_where_it_was_how_high_and_whether_it_came_back() -> None:
    """Regression: the height of a loss that is not finite was formatted all the same, which ended the report."""
    assert spike_says(answer()) == (
        "At step 133 the loss was 3, 20 spreads above its level before of 1; it was back at step 136."
    )
    spike = answer().spike
    assert spike is not None
    lost = answer(spike=spike.model_copy(update={"over": None, "loss": None}))
    assert spike_says(lost) == "At step 133 the loss was not finite; it did not come back."
    assert spike_says(EMPTY) == forks_say(EMPTY) == overshoot_says(EMPTY) == ""


def test_forks_are_counted_over_all_arms_and_end_before_the_end() -> None:
    assert forks_say(answer(seconds=59.4)) == "12 forks of steps 100 to 159 took 59 s."


@pytest.mark.parametrize(("value", "side"), [(1.0, "below 1"), (1.01, "above 1")])
def test_an_overshoot_of_1_is_stable(value: float, side: str) -> None:
    assert side in overshoot_says(answer(signs=Signs(overshoot=value)))


def test_layers_stand_under_what_their_figures_are() -> None:
    layers = tuple(LayerSign(name=f"layer {n}", surprise=2.0 + n, usual=1.0) for n in range(3))
    said = layers_say(answer(signs=Signs(layers=layers)), 2)
    rows = [f"layer {n}: |g|/√v {2.0 + n:.2f} before the onset, at most 1.00 earlier" for n in range(2)]
    assert len(said) == 3 and said[1:] == rows
    assert layers_say(answer(signs=Signs()), 2) == []


def test_remedies_begin_with_the_cheapest_and_those_of_unknown_cost_end() -> None:
    def shown(name: str, cost: float | None) -> Any:
        return arm(name, Effect.REMOVES, Cause.DATA, claimed=True, remedy=f"use {name}", cost=cost)

    arms = (shown("unknown", None), shown("dear", 0.5), shown("free", 0.0), shown("gains", -0.1))
    assert remedies_say(answer(arms=(arm("placebo", Effect.LEAVES, None), *arms), **UNNAMED)) == [
        "use gains: the spike is gone in 4 of 4 forks, and the loss ends 0.1 lower than the placebo's",
        "use free: the spike is gone in 4 of 4 forks, and the loss ends as the placebo's does",
        "use dear: the spike is gone in 4 of 4 forks, and the loss ends 0.5 higher than the placebo's",
        "use unknown: the spike is gone in 4 of 4 forks",
    ]


def test_what_does_not_apply_has_its_reason() -> None:
    assert not_applying(answer()) == ["float32: because half the rate"]


def test_drawn_are_the_placebo_and_the_first_arm_of_the_cause() -> None:
    assert [one.name for one in overlaid(answer())] == ["placebo", "half the rate"]
    first = answer(causes=(Ranked(cause=Cause.DATA, arms=("other batches", "half the rate")),))
    assert [one.name for one in overlaid(first)] == ["placebo", "other batches"]
    assert [one.name for one in overlaid(answer(**UNNAMED))] == ["placebo"]
    assert overlaid(EMPTY) == []


@pytest.mark.parametrize("outcome", list(Outcome))
def test_only_a_cause_is_told(outcome: Outcome) -> None:
    assert is_told(answer(outcome=outcome)) == (outcome is Outcome.CAUSE)
