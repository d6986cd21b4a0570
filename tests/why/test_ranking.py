"""Which cause comes first, over tables of what arms did."""

import pytest

from spikecheck.core.why import ArmResult, Cause, Effect, LayerSign, Signs
from spikecheck.why import arms as built_in
from spikecheck.why.ranking import asks_whether_held, ranked, ranked_of_a_fall

STABLE, UNSTABLE = Signs(overshoot=0.2), Signs(overshoot=1.4)
LAGGING = Signs(overshoot=1.4, layers=(LayerSign(name="h.3.mlp", surprise=14.0, usual=1.0),))


def table(*removing: str, own: tuple[ArmResult, ...] = ()) -> list[ArmResult]:
    """Results of the built-in arms, of which those named remove the spike."""
    known = {arm.name: arm for arm in built_in.ARMS}
    assert set(removing) <= set(known)
    return [
        ArmResult(
            name=arm.name,
            question=arm.question,
            cause=arm.cause,
            effect=Effect.REMOVES if arm.name in removing else Effect.LEAVES,
            claimed=arm.name in removing,
        )
        for arm in known.values()
    ] + list(own)


def own(name: str, height: float) -> ArmResult:
    return ArmResult(name=name, question="?", cause=name, effect=Effect.REMOVES, claimed=True, height=height)


LEFT_OUT, OTHERS = built_in.LEFT_OUT.name, built_in.OTHER_BATCHES.name
HELD, HALF, CLIP = built_in.RATE_HELD.name, built_in.HALF_RATE.name, built_in.CLIPPED.name
BETA2, EPS, EMPTIED = built_in.FASTER_SECOND.name, built_in.LARGER_EPS.name, built_in.EMPTIED.name
FULL = built_in.FULL_PRECISION.name


OF_OTHER_ARMS = {
    HELD: Cause.SCHEDULE,
    HALF: Cause.CURVATURE,
    CLIP: Cause.CURVATURE,
    BETA2: None,
    EPS: None,
    EMPTIED: Cause.MOMENTUM,
    FULL: Cause.ROUNDING,
}
"""What is named where one arm removes the spike, and other batches do as well: not the data."""


@pytest.mark.parametrize(
    ("removing", "signs", "first"),
    [
        ((), STABLE, None),
        # The two prototypes: five batches of random labels, and a rate 30 times as high for ten steps.
        ((LEFT_OUT, OTHERS), STABLE, Cause.DATA),
        ((HELD,), STABLE, Cause.SCHEDULE),
        # The prototype at step 4,909 of an MLP under Adam.
        ((HALF, BETA2, EPS), LAGGING, Cause.LAG),
        ((HALF, BETA2, EPS), UNSTABLE, Cause.CURVATURE),
        ((LEFT_OUT,), STABLE, None),
        ((OTHERS,), STABLE, Cause.DATA),
        ((OTHERS,), UNSTABLE, None),
        *(((OTHERS, one), STABLE, cause) for one, cause in OF_OTHER_ARMS.items()),
        ((LEFT_OUT, OTHERS, HALF, CLIP), STABLE, Cause.DATA),
        ((LEFT_OUT, OTHERS, HALF, CLIP), UNSTABLE, Cause.CURVATURE),
        ((LEFT_OUT, OTHERS, HALF, HELD), UNSTABLE, Cause.SCHEDULE),
        ((EMPTIED,), STABLE, Cause.MOMENTUM),
        ((EMPTIED, HALF), STABLE, Cause.CURVATURE),
        ((EMPTIED, CLIP), STABLE, Cause.CURVATURE),
        ((EMPTIED, BETA2), STABLE, None),
        ((EMPTIED, EPS), LAGGING, Cause.LAG),
        ((FULL, HALF), STABLE, Cause.ROUNDING),
        ((HALF, HELD), STABLE, Cause.SCHEDULE),
        ((BETA2,), STABLE, None),
    ],
)
def test_the_most_specific_cause_comes_first(removing: tuple[str, ...], signs: Signs, first: Cause | None) -> None:
    causes = ranked(table(*removing), signs)
    assert (causes[0].cause if causes else None) == first


def test_all_causes_that_hold_are_listed_with_their_arms() -> None:
    causes = ranked(table(LEFT_OUT, OTHERS, HELD, HALF, CLIP, BETA2), LAGGING)
    assert [(one.cause, one.arms) for one in causes] == [
        (Cause.SCHEDULE, (HELD,)),
        (Cause.LAG, (BETA2,)),
        (Cause.CURVATURE, (HALF, CLIP)),
    ]


def test_the_data_are_shown_by_both_arms_that_exchange_them() -> None:
    """The sentence names the batches that were left out where the first arm is among them, and else later ones."""
    (cause,) = ranked(table(LEFT_OUT, OTHERS), STABLE)
    assert (cause.cause, cause.arms) == (Cause.DATA, (LEFT_OUT, OTHERS))


def test_a_cause_of_ones_own_is_specific_where_half_the_rate_leaves_the_spike() -> None:
    mine = (own("decay", 0.5), own("noise", 0.1))
    assert [one.cause for one in ranked(table(own=mine), STABLE)] == ["noise", "decay"]
    assert [one.cause for one in ranked(table(HALF, own=mine), STABLE)] == [Cause.CURVATURE, "noise", "decay"]


def test_of_ones_own_causes_that_whose_arm_leaves_least_of_the_excursion_comes_first() -> None:
    mine = (own("half", 0.5), own("nothing", 0.0), own("most", 0.9))
    assert [one.cause for one in ranked(table(own=mine), STABLE)] == ["nothing", "half", "most"]


def test_a_cause_of_ones_own_is_called_as_its_arm_says_and_else_as_the_arm() -> None:
    named = own("without decay", 0.5).model_copy(update={"cause": "weight decay"})
    nameless = own("without noise", 0.9).model_copy(update={"cause": None})
    assert [(one.cause, one.arms) for one in ranked(table(own=(named, nameless)), STABLE)] == [
        ("weight decay", ("without decay",)),
        ("without noise", ("without noise",)),
    ]


def test_other_batches_alone_come_after_a_cause_of_ones_own() -> None:
    causes = ranked(table(OTHERS, own=(own("decay", 0.5),)), STABLE)
    assert [(one.cause, one.arms) for one in causes] == [("decay", ("decay",)), (Cause.DATA, (OTHERS,))]


def test_other_batches_alone_tell_nothing_where_another_arm_is_missing_or_undecided() -> None:
    whole = table(OTHERS)
    for name in {arm.name for arm in whole} - {OTHERS}:
        undecided = [arm.model_copy(update={"effect": Effect.UNDECIDED}) if arm.name == name else arm for arm in whole]
        assert ranked(undecided, STABLE) == ranked([arm for arm in whole if arm.name != name], STABLE) == ()
    absent = [arm.model_copy(update={"effect": Effect.NOT_APPLICABLE}) if arm.name != OTHERS else arm for arm in whole]
    assert [one.cause for one in ranked(absent, STABLE)] == [Cause.DATA]


def test_a_lag_needs_more_than_noise() -> None:
    assert LAGGING.lagging is not None
    for surprise, usual in ((0.9, 0.1), (1.4, 1.0), (2.0, 1.5)):
        assert Signs(layers=(LayerSign(name="a", surprise=surprise, usual=usual),)).lagging is None


def test_what_is_not_claimed_names_nothing_and_still_tells_a_smaller_step() -> None:
    unclaimed = [arm.model_copy(update={"claimed": False}) for arm in table(LEFT_OUT, OTHERS, HALF, HELD)]
    assert ranked(unclaimed, STABLE) == ()
    half = [arm.model_copy(update={"claimed": arm.name == EMPTIED}) for arm in table(EMPTIED, HALF)]
    assert ranked(half, STABLE) == ()


SLINGSHOT = (EPS, CLIP)
"""What removes the slingshots of `modular`, besides the second moment held."""


def of_arm(arm: built_in.Arm, effect: Effect) -> ArmResult:
    claimed = effect is Effect.REMOVES
    return ArmResult(name=arm.name, question="?", cause=arm.cause, effect=effect, claimed=claimed)


HELD_UP, NOT_HELD = (of_arm(built_in.SECOND_HELD, effect) for effect in (Effect.REMOVES, Effect.LEAVES))


@pytest.mark.parametrize(
    ("removing", "signs", "asks"),
    [
        ((EPS,), STABLE, True),
        (SLINGSHOT, STABLE, True),
        ((EPS,), UNSTABLE, True),
        ((), STABLE, False),
        ((CLIP,), STABLE, False),
        ((EPS, HALF), STABLE, False),
        ((EPS, BETA2), STABLE, False),
        ((EPS, EMPTIED), STABLE, False),
        ((EPS,), LAGGING, False),
        ((EPS, HELD), STABLE, False),  # the schedule is named before
        ((EPS, LEFT_OUT, OTHERS), STABLE, False),
        ((EPS, OTHERS), STABLE, True),
        ((EPS, FULL), STABLE, False),
    ],
)
def test_whether_the_second_moment_is_held_is_asked_only_where_eps_alone_tells_nothing(
    removing: tuple[str, ...], signs: Signs, asks: bool
) -> None:
    assert asks_whether_held(table(*removing), signs) is asks
    named = [one.cause for one in ranked(table(*removing, own=(HELD_UP,)), signs)]
    assert (named[:1] == [Cause.DECAYED]) is asks
    assert Cause.DECAYED not in [one.cause for one in ranked(table(*removing, own=(NOT_HELD,)), signs)]


def test_half_the_rate_must_be_known_to_leave_the_spike() -> None:
    whole = table(EPS)
    for effect in (Effect.UNDECIDED, Effect.NOT_APPLICABLE):
        arms = [arm.model_copy(update={"effect": effect}) if arm.name == HALF else arm for arm in whole]
        assert not asks_whether_held(arms, STABLE)
    assert not asks_whether_held([arm for arm in whole if arm.name != HALF], STABLE)
    assert not asks_whether_held([arm.model_copy(update={"claimed": False}) for arm in whole], STABLE)


def test_a_small_second_moment_is_shown_by_both_arms_and_comes_before_the_step() -> None:
    causes = ranked(table(*SLINGSHOT, own=(HELD_UP,)), STABLE)
    assert [(one.cause, one.arms) for one in causes] == [
        (Cause.DECAYED, (built_in.SECOND_HELD.name, EPS)),
        (Cause.CURVATURE, (CLIP,)),
    ]


def test_a_cause_of_ones_own_comes_before_a_small_second_moment() -> None:
    mine = own("decay", 0.5)
    assert not asks_whether_held(table(EPS, own=(mine,)), STABLE)
    assert ranked(table(EPS, own=(mine, HELD_UP)), STABLE)[0].cause == "decay"


def test_for_a_fall_no_instability_is_named() -> None:
    smaller_steps = ("half the rate", "clip at median", "beta2 = 0.9", "eps = 1e-3", "momentum emptied")
    assert ranked_of_a_fall(table(*smaller_steps), LAGGING) == ()
    causes = ranked_of_a_fall(table(*smaller_steps, "other batches", "rate held", "float32"), UNSTABLE)
    assert [one.cause for one in causes] == [Cause.DATA, Cause.SCHEDULE, Cause.ROUNDING]
    of_ones_own = ranked_of_a_fall(table("half the rate", own=(own("a leak", 1.0),)), STABLE)
    assert [one.cause for one in of_ones_own] == ["a leak"]
    unclaimed = [arm.model_copy(update={"claimed": False}) for arm in table("other batches")]
    assert ranked_of_a_fall(unclaimed, STABLE) == ()
