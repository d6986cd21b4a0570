"""The answer as a sentence, and its notes, of planted answers."""

import pytest

from spikecheck.core.why import Cause, Effect, LayerSign, Outcome, Ranked, Signs
from spikecheck.why.words import notes, sentence
from tests.report.planted_why import answer, arm


def test_the_sentence_says_cause_layer_and_counts() -> None:
    assert answer().sentence == (
        "The loss spike at step 130 was caused by steps too large for the curvature, because the optimizer's second moment "
        "lagged behind the gradients (most in layer half the rate: |g|/√v = 14, 1 before). In forks of the training from step "
        "100 on, the spike is gone in 4 of 4 with half the rate; in 0 of 4 with other batches; with the placebo (weights "
        "nudged by 1e-6) it comes again in 4 of 4."
    )


def test_other_batches_alone_say_from_where() -> None:
    arms = (
        arm("placebo", Effect.LEAVES, None),
        arm("other batches", Effect.REMOVES, Cause.DATA, claimed=True),
        arm("batches left out", Effect.LEAVES, Cause.DATA),
    )
    causes = (Ranked(cause=Cause.DATA, arms=("other batches",)),)
    assert answer(arms=arms, cause=Cause.DATA, causes=causes, batches=(126, 135)).sentence == (
        "The loss spike at step 130 was caused by the data: batches from step 100 on, and not only the last ones before the "
        "spike. In forks of the training from step 100 on, the spike is gone in 4 of 4 with other batches; in 0 of 4 with "
        "batches left out; with the placebo (weights nudged by 1e-6) it comes again in 4 of 4."
    )


def test_an_arm_that_removes_the_spike_and_names_no_cause_is_not_denied() -> None:
    """Regression: the answer was "no arm removes the spike" beside a table in which beta2 = 0.9 removes it."""
    removing = answer("beta2 = 0.9", outcome=Outcome.NO_CAUSE, cause=None, causes=())
    assert "what removes it (beta2 = 0.9) does not show a cause by itself" in removing.sentence
    leaving = (arm("placebo", Effect.LEAVES, None), arm("other batches", Effect.LEAVES, Cause.DATA))
    nothing = answer(outcome=Outcome.NO_CAUSE, cause=None, causes=(), arms=leaving)
    assert (
        "none of the changes that were tried removes it. In forks of the training from step 100 on" in nothing.sentence
    )


def test_an_arm_that_removes_the_spike_little_more_often_than_the_placebo_is_not_trusted() -> None:
    arms = (
        arm("placebo", Effect.LEAVES, None, hits=3),
        arm("half the rate", Effect.REMOVES, Cause.CURVATURE, p_holm=0.2),
    )
    unsure = answer(outcome=Outcome.NO_CAUSE, cause=None, causes=(), arms=arms).sentence
    assert "it is gone more often with half the rate than with the placebo, but that may be chance. In forks" in unsure
    assert "in 4 of 4 with half the rate; with the placebo (weights nudged by 1e-6) it comes again in 3 of 4." in unsure


def test_an_arm_that_was_not_decided_is_counted_too() -> None:
    arms = (*answer().arms, arm("eps = 1e-3", Effect.UNDECIDED, Cause.LAG, hits=2))
    assert "in 2 of 4 with eps = 1e-3; with the placebo" in answer(arms=arms).sentence


def test_mixed_counts_are_said_to_be_chance_except_of_other_batches() -> None:
    arms = (*answer().arms, arm("eps = 1e-3", Effect.UNDECIDED, Cause.LAG, hits=2))
    assert any("whether they spike (eps = 1e-3 2 of 4): chance has a part" in note for note in answer(arms=arms).notes)
    others = (*answer().arms[:2], arm("other batches", Effect.LEAVES, Cause.DATA, hits=1))
    assert not any("chance has a part" in note for note in (*answer(arms=others).notes, *answer().notes))


def test_a_chaotic_answer_says_how_often_the_placebo_spikes() -> None:
    arms = (arm("placebo", Effect.UNDECIDED, None, hits=1),)
    chaotic = answer(outcome=Outcome.CHAOTIC, cause=None, causes=(), arms=arms)
    assert "it comes again in 1 of 4 forks only" in chaotic.sentence


@pytest.mark.parametrize(
    ("highest", "said"),
    [
        (None, "No loss spike."),
        ((70, 3.0), "No loss spike."),
        (
            (70, 3.1),
            "No loss spike. The highest excursion, 3.1 spreads at step 70, raises no alarm: noise may",
        ),
    ],
)
def test_without_a_spike_a_high_excursion_is_named(highest: tuple[int, float] | None, said: str) -> None:
    whole = answer(outcome=Outcome.NO_SPIKE, spike=None, highest=highest, causes=(), cause=None)
    assert sentence(whole).startswith(said)
    assert ("--at-step 70" in sentence(whole)) == (said != "No loss spike.")


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (Cause.SCHEDULE, "caused by a change of the learning rate."),
        (Cause.DECAYED, "because the optimizer's second moment had become too small"),
        (Cause.CURVATURE, "caused by steps too large for the curvature."),
        ("wild labels", "caused by wild labels."),
    ],
)
def test_a_cause_has_its_words_and_a_users_own_cause_stands_as_it_is(cause: str, said: str) -> None:
    whole = answer(cause=cause, causes=(Ranked(cause=cause, arms=("half the rate",)),))
    assert said in sentence(whole)


def test_an_answer_that_was_stopped_says_what_is_known_so_far() -> None:
    assert "So far the arms name steps too large" in sentence(answer(outcome=Outcome.STOPPED))
    unnamed = sentence(answer(outcome=Outcome.STOPPED, cause=None, causes=()))
    assert unnamed.endswith("no cause can be named yet.")


def test_a_layer_that_does_not_lag_is_not_named() -> None:
    calm = Signs(layers=(LayerSign(name="head", surprise=1.4, usual=1.0),))
    assert "most in" not in answer(signs=calm).sentence
    assert "most in head" in answer(signs=Signs(layers=(LayerSign(name="head", surprise=1.5, usual=1.0),))).sentence


def test_notes_are_those_that_apply() -> None:
    assert any("Forks begin at step 100" in note for note in answer().notes)
    early = answer(start=0).notes
    assert any("forks begin with the training itself" in note for note in early)
    assert not any("Forks begin at step" in note for note in early)
    assert any("differs from step 0 on" in note for note in answer(differs_at=0).notes)
    assert not any("Made again" in note for note in answer().notes)
    unseen = answer(signs=Signs(missing="no overshoot: there is no loss")).notes
    assert "No overshoot is known for the steps before the spike: there is no loss." in unseen
    assert notes(answer(spike=None)) == ()


CALM = "so shorter steps may only calm the training."


def calmed(
    before: float, cause: Cause = Cause.CURVATURE, overshoot: float | None = 0.3, clipped: float = 0.3
) -> list[str]:
    """Notes where two arms remove a spike that doubles the loss, and where each brings the loss to before it."""
    levels = {"placebo": 1.0, "half the rate": before, "clip at median": clipped}
    arms = [
        arm(name, Effect.LEAVES if level == 1.0 else Effect.REMOVES, None if name == "placebo" else cause, claimed=True)
        for name, level in levels.items()
    ]
    forked = [
        one.model_copy(
            update={
                "forks": tuple(fork.model_copy(update={"losses": (levels[one.name],) * 30}) for fork in one.forks),
                "height": 10.0,
            }
        )
        for one in arms
    ]
    named = (Ranked(cause=cause, arms=("half the rate", "clip at median")),)
    known = answer(arms=tuple(forked), cause=cause, causes=named)
    assert known.spike is not None
    spike = known.spike.model_copy(update={"level": 1.0, "spread": 0.1})
    return [*notes(known.model_copy(update={"spike": spike, "signs": Signs(overshoot=overshoot)}))]


def test_arms_that_calm_the_whole_training_are_said_to() -> None:
    (said,) = [note for note in calmed(0.3) if CALM in note]
    assert (
        "long before it: to 0.3 with half the rate, 0.3 with clip at median, as shares of the placebo's loss." in said
    )
    assert said.endswith("Most steps just before it lowered the loss of their own batch (median overshoot 0.30).")
    assert not any(CALM in note for note in calmed(0.3, Cause.DATA))
    assert not any("own batch" in note for overshoot in (None, 1.2) for note in calmed(0.3, overshoot=overshoot))


def test_one_arm_that_removes_the_spike_without_is_enough() -> None:
    assert not any(CALM in note for note in [*calmed(0.9), *calmed(0.3, clipped=0.9)])
