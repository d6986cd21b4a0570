"""What controls make of a judgement: every combination, and which of them more seeds could still change."""

from itertools import product

import pytest

from spikecheck.core.judgement import Answer, Contrast, Effect, Judgement, Outcome
from spikecheck.core.setting import Setting
from spikecheck.harness.guard import guarded, settled

HOLDS, FAILS, UNDECIDED = Outcome.HOLDS, Outcome.FAILS, Outcome.UNDECIDED
UNTRIGGERED, INVALID = Outcome.UNTRIGGERED, Outcome.INVALID
JUDGED = (HOLDS, FAILS, UNDECIDED, UNTRIGGERED)


def judgement(outcome: Outcome, estimand: str = "share", drawn: int = 64) -> Judgement:
    counts = {"drawn": drawn, "applicable": drawn, "held": 0, "low": 0.0, "high": 1.0}
    share = {"required": 0.8 if estimand == "share" else None, "level": 0.95, "estimand": estimand}
    effect = Effect(unit="", median=None, low=None, high=None)
    return Judgement(setting=Setting(), outcome=outcome, effect=effect, **counts, **share)


def contrast(outcome: Outcome) -> Contrast:
    return Contrast(outcome=outcome, estimate=0.5, low=0.4, high=0.6, margin=0.2, pairs=64)


@pytest.mark.parametrize(
    ("control", "difference", "expected"),
    [
        (FAILS, HOLDS, HOLDS),
        (UNDECIDED, HOLDS, HOLDS),
        (HOLDS, HOLDS, INVALID),
        (FAILS, UNDECIDED, UNDECIDED),
        (UNDECIDED, UNDECIDED, UNDECIDED),
        (HOLDS, UNDECIDED, INVALID),
        (FAILS, FAILS, INVALID),
        (UNDECIDED, FAILS, INVALID),
        (HOLDS, FAILS, INVALID),
        (UNTRIGGERED, HOLDS, INVALID),
        (UNTRIGGERED, UNDECIDED, INVALID),
        (FAILS, UNTRIGGERED, INVALID),
    ],
)
def test_what_holds_must_surely_exceed_its_negative_control(
    control: Outcome, difference: Outcome, expected: Outcome
) -> None:
    """Whatever is asked for; and where what was planted is surely not found, it proves nothing."""
    for estimand in ("share", "mean", "median", "equivalence"):
        for positive in (None, *map(judgement, JUDGED)):
            found, reason = guarded(
                judgement(HOLDS, estimand), judgement(control, estimand), contrast(difference), positive
            )
            blind = positive is not None and positive.outcome is FAILS
            assert found is (INVALID if blind else expected)
            assert bool(reason) == (found is not HOLDS)


def test_what_holds_without_its_control_is_undecided() -> None:
    for control, difference in ((None, None), (judgement(FAILS), None), (judgement(FAILS, drawn=0), contrast(HOLDS))):
        found, reason = guarded(judgement(HOLDS), control, difference, None)
        assert found is UNDECIDED
        assert "not reached" in reason


@pytest.mark.parametrize(
    ("positive", "expected", "said"),
    [
        (HOLDS, FAILS, ""),
        (FAILS, INVALID, "the check is blind"),
        (UNDECIDED, UNDECIDED, "not clearly been found"),
        (UNTRIGGERED, UNDECIDED, "not clearly been found"),
        (None, INVALID, "no positive control"),
    ],
)
def test_what_fails_counts_only_where_what_was_planted_is_found(
    positive: Outcome | None, expected: Outcome, said: str
) -> None:
    """Whatever the negative control says."""
    for control in (None, *map(judgement, JUDGED)):
        found, reason = guarded(
            judgement(FAILS), control, contrast(HOLDS), None if positive is None else judgement(positive)
        )
        assert found is expected
        assert said in reason
        assert bool(reason) == bool(said)


def test_what_is_open_stays_open() -> None:
    for outcome, control, positive in product((UNDECIDED, UNTRIGGERED), JUDGED, JUDGED):
        found = guarded(judgement(outcome), judgement(control), contrast(control), judgement(positive))
        assert found == (outcome, "")


def answered(outcome: Outcome, control: Outcome, difference: Outcome, positive: Outcome) -> Answer:
    parts = {"control": judgement(control), "contrast": contrast(difference), "positive": judgement(positive)}
    return Answer(role="reference", outcome=outcome, judgement=judgement(HOLDS), **parts)


def test_more_seeds_are_asked_for_as_long_as_they_could_decide() -> None:
    for control, difference, positive in product(JUDGED, repeat=3):
        for outcome in (HOLDS, FAILS):
            assert settled(answered(outcome, control, difference, positive))
        for outcome in (UNDECIDED, UNTRIGGERED):
            assert not settled(answered(outcome, control, difference, positive))
        enough = UNTRIGGERED not in (control, difference, positive)
        assert settled(answered(INVALID, control, difference, positive)) == enough


def test_an_answer_that_has_no_controls_yet_is_settled_by_its_own_outcome() -> None:
    for outcome in Outcome:
        alone = Answer(role="reference", outcome=outcome, judgement=judgement(HOLDS))
        assert settled(alone) == (outcome in (HOLDS, FAILS, INVALID))
