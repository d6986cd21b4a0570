"""What an answer about a spike says of its own arms and signs."""

import pytest

from spikecheck.core.why import Answer, ArmResult, Effect, LayerSign, Outcome, Signs


def layer(name: str, surprise: float, usual: float = 1.0) -> LayerSign:
    return LayerSign(name=name, surprise=surprise, usual=usual)


def arm(name: str, *, claimed: bool = True, remedy: str = "use it", cost: float | None = 0.0) -> ArmResult:
    return ArmResult(
        name=name, question="?", cause="data", effect=Effect.REMOVES, remedy=remedy, claimed=claimed, cost=cost
    )


@pytest.mark.parametrize(
    ("layers", "lagging"),
    [
        ((), None),
        ((layer("a", 1.0, 0.1),), None),  # its second moment does not under-estimate
        ((layer("a", 1.4, 1.0),), None),  # as surprised as always
        ((layer("a", 1.5, 1.0),), "a"),
        ((layer("a", 3.0), layer("b", 9.0, 6.0), layer("c", 8.9, 6.0)), "b"),
        ((layer("a", 3.0), layer("b", 9.0, 6.1)), "a"),
    ],
)
def test_the_lagging_layer_is_surprised_more_than_it_ever_was(
    layers: tuple[LayerSign, ...], lagging: str | None
) -> None:
    named = Signs(layers=layers).lagging
    assert (named.name if named else None) == lagging


@pytest.mark.parametrize(("overshoot", "unstable"), [(None, False), (0.9, False), (1.0, False), (1.01, True)])
def test_steps_are_unstable_above_an_overshoot_of_1(overshoot: float | None, unstable: bool) -> None:
    assert Signs(overshoot=overshoot).unstable is unstable


def test_remedies_are_what_was_shown_the_cheapest_first_and_unknown_costs_last() -> None:
    arms = (
        arm("dear", cost=0.5),
        arm("unknown", cost=None),
        arm("gain", cost=-0.1),
        arm("not shown", claimed=False),
        arm("without a remedy", remedy=""),
    )
    answer = Answer(outcome=Outcome.CAUSE, sentence="", arms=arms)
    assert [one.name for one in answer.remedies] == ["gain", "dear", "unknown"]


def test_an_arm_is_found_by_its_name() -> None:
    placebo = ArmResult(name="placebo", question="?", cause=None, effect=Effect.LEAVES)
    answer = Answer(outcome=Outcome.NO_CAUSE, sentence="", arms=(placebo, arm("half the rate")))
    assert answer.arm("half the rate").tested
    assert not answer.arm("placebo").tested
    with pytest.raises(KeyError):
        answer.arm("no such arm")
