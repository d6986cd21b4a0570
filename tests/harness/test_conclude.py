"""From answers to a verdict."""

from dataclasses import replace
from typing import Any

import pytest

from spikecheck.core.judgement import Answer, Judgement, Outcome
from spikecheck.core.setting import Setting
from spikecheck.core.verdict import Verdict
from spikecheck.harness import simulated_lab as planted
from spikecheck.harness.conclude import NOTHING_SEARCHED, SUSPECT, conclude, passes, reach
from spikecheck.harness.domain import Domain, Ladder
from spikecheck.harness.plan import Plan, fresh_seeds
from spikecheck.harness.simulated_lab import REFERENCE, planted_claim
from spikecheck.harness.verify import verify

PLAN = Plan(settings=8, looks=2)


def verdict(truth: float, plan: Plan = PLAN, **lab: Any) -> Verdict:
    return verify(planted.planted_claim(), planted.PlantedLab(lambda setting: truth, **lab), plan)


def test_a_claim_false_at_the_reference_alone_does_not_generalise_and_says_where_it_holds() -> None:
    """Regression: the search leaves the reference out, and for want of another failure the claim "generalised"."""

    def truth(setting: Setting) -> float:
        return 0.3 if setting == planted.REFERENCE else 0.99 if setting.lr == 0.3 else 0.6

    found = verify(planted.planted_claim(), planted.PlantedLab(truth), Plan(settings=12))
    assert (found.replicates, found.generalises) == (Outcome.FAILS, Outcome.FAILS)
    assert found.counterexample is not None and found.elsewhere is not None
    assert found.counterexample.differs == {}
    assert found.counterexample.judgement == found.reference
    assert found.counterexample.replay.startswith("spikecheck replay planted --seed 0 --seeds ")
    assert found.elsewhere.outcome is Outcome.HOLDS
    assert found.elsewhere.setting.lr == 0.3
    assert found.weakest is None


@pytest.mark.parametrize("positive", [0.99, 0.8])
def test_a_counterexample_is_one_only_where_what_was_planted_is_found(positive: float) -> None:
    """The reference holds; the corner fails, and whether that counts is told by the positive control there."""

    def truth(setting: Setting) -> float:
        return 0.2 if setting.lr == 0.2 else 0.99

    claim = planted.planted_claim("law", lr=Ladder(0.1, 0.2))
    found = verify(claim, planted.PlantedLab(truth, positive=positive), Plan(settings=2))
    confirmed = found.answers[1]
    assert (found.replicates, confirmed.judgement.outcome) == (Outcome.HOLDS, Outcome.FAILS)
    if positive == 0.99:
        assert (confirmed.role, found.generalises, found.passed) == ("counterexample", Outcome.FAILS, False)
        assert found.counterexample is not None
    else:
        assert (confirmed.role, found.generalises, found.passed) == ("weakest", Outcome.UNDECIDED, True)
        assert found.counterexample is None
        assert found.reason.startswith("At the weakest setting: It fails, but its positive control has not clearly")


def test_every_quoted_answer_is_on_fresh_seeds_with_the_control_that_it_needs() -> None:
    def truth(setting: Setting) -> float:
        return 0.2 if setting.width == 100 else 0.99

    beside = planted.REFERENCE.but(points=7)
    found = verify(
        replace(planted.planted_claim(), beside={"beside": beside}), planted.PlantedLab(truth), Plan(settings=6)
    )
    assert [answer.role for answer in found.answers] == ["reference", "counterexample", "beside"]
    for answer in found.answers:
        setting, drawn = answer.judgement.setting, answer.judgement.drawn
        assert answer.judgement.seeds == fresh_seeds(0, setting, drawn)
        heard = answer.control if answer.outcome is Outcome.HOLDS else answer.positive
        assert heard is not None and heard.seeds == answer.judgement.seeds
    assert found.answers[0].judgement == found.reference
    assert found.answers[0].control == found.control
    assert found.answers[0].positive == found.positive


def test_a_stopped_verification_concludes_from_what_it_has() -> None:
    found = verdict(0.99, stop_after=2)
    assert found.replicates is Outcome.UNDECIDED
    assert "By itself it holds; its controls were not reached." in found.reason
    found = verdict(0.99, stop_after=4)
    assert found.replicates is Outcome.HOLDS
    assert found.generalises is Outcome.UNDECIDED
    assert verdict(0.99, stop_after=0).replicates is Outcome.UNDECIDED


@pytest.mark.parametrize("replicates", list(Outcome))
@pytest.mark.parametrize("generalises", list(Outcome))
@pytest.mark.parametrize("kind", ["law", "tendency"])
def test_only_a_law_is_failed_by_its_domain(kind: str, replicates: Outcome, generalises: Outcome) -> None:
    refuted = kind == "law" and generalises == "fails"
    assert passes(kind, replicates, generalises) == (replicates == "holds" and not refuted)


def judged(outcome: Outcome) -> Judgement:
    return verdict(0.99).reference.model_copy(update={"outcome": outcome})


def answered(outcome: Outcome, reason: str = "") -> Answer:
    return Answer(role="suspect", outcome=outcome, reason=reason, judgement=judged(outcome))


@pytest.mark.parametrize(
    ("replicates", "tried", "suspect", "confirmed", "expected", "reason"),
    [
        (Outcome.FAILS, 3, Outcome.HOLDS, Outcome.HOLDS, Outcome.FAILS, "part of the domain"),
        (Outcome.INVALID, 3, Outcome.HOLDS, Outcome.HOLDS, Outcome.INVALID, ""),
        (Outcome.HOLDS, 3, None, None, Outcome.UNTRIGGERED, "None of the drawn settings"),
        (Outcome.HOLDS, 0, None, None, Outcome.UNDECIDED, "was not finished"),
        (Outcome.HOLDS, 3, Outcome.FAILS, None, Outcome.UNDECIDED, "was not finished"),
        (Outcome.HOLDS, 3, Outcome.FAILS, Outcome.UNTRIGGERED, Outcome.UNDECIDED, "too rarely on fresh seeds"),
        (Outcome.HOLDS, 3, Outcome.FAILS, Outcome.FAILS, Outcome.FAILS, ""),
        (Outcome.HOLDS, 3, Outcome.HOLDS, Outcome.HOLDS, Outcome.HOLDS, ""),
        (Outcome.UNTRIGGERED, 3, Outcome.HOLDS, Outcome.HOLDS, Outcome.HOLDS, ""),
    ],
)
def test_what_the_reference_and_the_weakest_setting_say_of_the_domain(
    replicates: Outcome,
    tried: int,
    suspect: Outcome | None,
    confirmed: Outcome | None,
    expected: Outcome,
    reason: str,
) -> None:
    found, said = reach(
        replicates,
        [judged(Outcome.HOLDS)] * tried,
        None if suspect is None else judged(suspect),
        None if confirmed is None else answered(confirmed),
    )
    assert found is expected
    assert (reason in said) and bool(said) == bool(reason)


def test_a_domain_of_one_setting_is_not_called_unfinished() -> None:
    """Regression: "The search over the domain was not finished", of a domain in which there is nothing to search."""
    assert reach(Outcome.HOLDS, [], None, None, searched=False) == (Outcome.UNDECIDED, NOTHING_SEARCHED)
    alone = replace(planted_claim(), domain=Domain(REFERENCE))
    assert NOTHING_SEARCHED in conclude(alone, Plan(settings=2), {}, [], None).reason
    assert NOTHING_SEARCHED not in conclude(planted_claim(), Plan(settings=2), {}, [], None).reason


def test_a_setting_off_the_ladders_called_weakest_is_found_at_its_own_place() -> None:
    """Regression: its place was that of the weakest setting, which has the same word."""
    claim = replace(planted_claim(), beside={"weakest": REFERENCE.but(lr=0.7)})
    suspect = judged(Outcome.HOLDS)
    answers = {
        name: answered(Outcome.HOLDS).model_copy(update={"role": name}) for name in ("reference", SUSPECT, "weakest")
    }
    assert conclude(claim, Plan(settings=2), answers, [suspect], suspect).beside == {"weakest": 2}


def test_why_the_weakest_setting_is_open_is_told() -> None:
    suspect = judged(Outcome.FAILS)
    found = reach(Outcome.HOLDS, [suspect], suspect, answered(Outcome.UNDECIDED, "Its control is open."))
    assert found == (Outcome.UNDECIDED, "At the weakest setting: Its control is open.")
