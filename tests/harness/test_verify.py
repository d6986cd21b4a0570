"""The harness judged on planted worlds: how often it errs, and whether it finds what is there."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from spikecheck.core.events import ClaimFinished, Event, SettingJudged
from spikecheck.core.intervention import Continue
from spikecheck.core.judgement import Outcome
from spikecheck.core.recipe import Recipe
from spikecheck.core.run import Run
from spikecheck.core.verdict import Verdict
from spikecheck.harness import simulated_lab as planted
from spikecheck.harness.claim import Arm, Control, unchanged
from spikecheck.harness.domain import Ladder
from spikecheck.harness.evidence import gather
from spikecheck.harness.plan import Plan, fresh_seeds
from spikecheck.harness.verify import certain_rounds, replay, verify
from spikecheck.stats.prediction import Average, Equivalence

PLAN = Plan(settings=8, looks=2)


def verdict(truth: float, plan: Plan = PLAN, **lab: Any) -> Verdict:
    return verify(planted.planted_claim(), planted.PlantedLab(lambda setting: truth, **lab), plan)


class Recording(planted.PlantedLab):
    """A planted world that keeps every request."""

    requests: list[list[Recipe]]

    def runs(self, recipes: Sequence[Recipe]) -> Mapping[Recipe, Run]:
        """The planted runs."""
        self.requests = [*getattr(self, "requests", []), list(recipes)]
        return super().runs(recipes)


def twin(name: str) -> Mapping[str, Arm]:
    """The training itself, and a fork that every name has of its own."""
    return {"run": unchanged, "twin": lambda setting: setting.but(intervention=Continue(horizon=len(name)))}


@pytest.mark.parametrize(("truth", "triggers"), [(0.99, 1.0), (0.01, 1.0), (0.8, 1.0), (0.99, 0.0)])
@pytest.mark.parametrize("plan", [PLAN, Plan(settings=2, reach=4, further=True), Plan(settings=0, beside=False)])
def test_whatever_a_verification_finds_it_requests_what_is_trained_in_advance(
    truth: float, triggers: float, plan: Plan
) -> None:
    claim = planted.planted_claim()
    claim = replace(
        claim,
        arms=twin("claim"),
        control=replace(claim.control, arms=twin("its control")),
        positive=Control(says="planted", measure=planted.positive_effect, arms=twin("its positive control")),
        beside={"near": planted.REFERENCE.but(points=7)},
        further={"dear": planted.REFERENCE.but(points=9)},
    )
    lab = Recording(lambda setting: truth, triggers=lambda setting: triggers)
    verify(claim, lab, plan)
    rounds = list(certain_rounds(claim, plan))
    assert rounds[0] == lab.requests[0]
    assert {recipe for one in rounds for recipe in one} <= {recipe for one in lab.requests for recipe in one}
    horizons = {recipe.setting.intervention.horizon for one in rounds for recipe in one if recipe.setting.intervention}
    assert horizons == {len("claim"), len("its control"), len("its positive control")}


def test_a_true_claim_holds_and_generalises() -> None:
    found = verdict(0.99)
    assert (found.replicates, found.generalises, found.passed) == (Outcome.HOLDS, Outcome.HOLDS, True)
    assert found.counterexample is None
    assert found.weakest is not None


def test_settings_beside_the_domain_are_guarded_answers_found_by_name_and_dear_ones_only_where_asked() -> None:
    near, dear = planted.REFERENCE.but(points=7), planted.REFERENCE.but(points=9)
    claim = replace(planted.planted_claim(), beside={"near": near}, further={"dear": dear})
    lab = planted.PlantedLab(lambda setting: 0.0 if setting == dear else 1.0, control=0.0)
    for plan, names in (
        (Plan(settings=2, beside=False), []),
        (Plan(settings=2), ["near"]),
        (Plan(settings=2, further=True), ["near", "dear"]),
    ):
        found = verify(claim, lab, plan)
        assert list(found.beside) == names
        settings = {"near": near, "dear": dear}
        for name, place in found.beside.items():
            answer = found.answers[place]
            assert (answer.role, answer.judgement.setting) == (name, settings[name])
            assert answer.judgement.seeds == fresh_seeds(0, settings[name], 32)
        assert not {judgement.setting for judgement in found.tried} & set(settings.values())
    held, failed = (found.answers[found.beside[name]] for name in ("near", "dear"))
    assert (held.outcome, held.contrast is not None, held.positive is not None) == (Outcome.HOLDS, True, True)
    assert (failed.outcome, failed.contrast, failed.positive is not None) == (Outcome.FAILS, None, True)


def test_a_false_claim_fails() -> None:
    found = verdict(0.4)
    assert (found.replicates, found.generalises, found.passed) == (Outcome.FAILS, Outcome.FAILS, False)


def test_a_claim_whose_control_also_holds_is_invalid() -> None:
    found = verdict(0.99, control=0.99)
    assert (found.replicates, found.generalises, found.passed) == (Outcome.INVALID, Outcome.INVALID, False)
    assert "does not tell what is claimed" in found.reason


def test_a_claim_that_does_not_clearly_exceed_its_control_does_not_hold() -> None:
    found = verdict(0.99, control=0.45)
    assert (found.replicates, found.passed) == (Outcome.UNDECIDED, False)
    assert "does not clearly exceed" in found.reason
    assert found.contrast is not None and found.contrast.estimate is not None
    assert found.contrast.estimate == pytest.approx(0.54, abs=0.15)


def test_a_claim_whose_failure_is_not_told_from_blindness_is_invalid_everywhere() -> None:
    blind = verdict(0.2, positive=0.1)
    assert (blind.replicates, blind.generalises, blind.passed) == (Outcome.INVALID, Outcome.INVALID, False)
    assert (blind.counterexample, blind.elsewhere) == (None, None)
    assert "the check is blind" in blind.reason
    unguarded = verify(replace(planted.planted_claim(), positive=None), planted.PlantedLab(lambda setting: 0.2), PLAN)
    assert (unguarded.replicates, unguarded.positive) == (Outcome.INVALID, None)
    assert "no positive control" in unguarded.reason


def test_what_holds_needs_no_positive_control_but_none_that_surely_fails() -> None:
    assert verdict(0.99, positive=0.8).passed
    blind = verdict(0.99, positive=0.1)
    assert blind.replicates is Outcome.INVALID
    assert "planted was not found" in blind.reason
    assert verify(
        replace(planted.planted_claim(), positive=None), planted.PlantedLab(lambda setting: 0.99), PLAN
    ).passed


LAWS = {"law": planted.normal, "positive": 1.0}


@pytest.mark.parametrize(
    ("predicts", "mean", "control", "expected"),
    [
        (Average(above=0.0, worth=0.1), 0.8, -0.2, Outcome.HOLDS),
        (Average(above=0.0, worth=0.1), 0.8, 0.8, Outcome.INVALID),  # its control holds too
        (Average(above=0.0, worth=0.5), 0.8, 0.8, Outcome.INVALID),  # surely by too little
        (Average(above=0.0, worth=0.1), -0.6, -1.0, Outcome.FAILS),
        (Average(above=0.0, worth=1.0), 0.2, -1.0, Outcome.FAILS),  # above 0, and surely too little
        (Average(above=0.0, of="median"), 1.0, -0.2, Outcome.HOLDS),
        (Equivalence(at_least=0.5, at_most=1.5), 1.0, -0.2, Outcome.HOLDS),
        (Equivalence(at_least=0.5, at_most=1.5), 1.0, 1.0, Outcome.INVALID),
        (Equivalence(at_least=0.5, at_most=1.5), 2.2, -2.0, Outcome.FAILS),
    ],
)
def test_averages_and_equivalences_are_guarded_alike(
    predicts: Average, mean: float, control: float, expected: Outcome
) -> None:
    claim = planted.planted_claim(predicts=predicts)
    plan = Plan(settings=2, fresh_seeds=64, looks=2)
    found = verify(claim, planted.PlantedLab(lambda setting: mean, control, **LAWS), plan)  # type: ignore[arg-type]
    assert found.replicates is expected
    assert (found.reference.estimand, found.reference.required) == (predicts.estimand, None)
    assert found.predicts["kind"] == ("equivalence" if isinstance(predicts, Equivalence) else "average")


def test_a_precondition_that_is_too_rare_is_neither_for_nor_against() -> None:
    found = verdict(0.99, triggers=lambda setting: 0.05)
    assert (found.replicates, found.generalises, found.passed) == (Outcome.UNTRIGGERED, Outcome.UNTRIGGERED, False)


def test_observers_hear_every_judgement() -> None:
    heard: list[Event] = []
    verify(planted.planted_claim(), planted.PlantedLab(lambda setting: 0.99), PLAN, heard.append)
    stages = [event.stage for event in heard if isinstance(event, SettingJudged)]
    assert stages[:3] == ["reference", "control", "positive control"]
    assert stages.count("search") == 8
    assert isinstance(heard[-1], ClaimFinished)


def test_a_replay_sees_the_seeds_of_the_confirmation() -> None:
    lab = planted.PlantedLab(lambda setting: 0.2 if setting.lr == 0.2 else 0.99)
    claim = planted.planted_claim(lr=Ladder(0.1, 0.2))
    found = verify(claim, lab, Plan(settings=2))
    assert found.counterexample is not None
    setting = found.counterexample.setting
    again = replay(claim, lab, setting, fresh_seeds(0, setting, 32))
    assert (again.held, again.applicable) == (
        found.counterexample.judgement.held,
        found.counterexample.judgement.applicable,
    )


def test_a_score_that_is_no_number_counts_neither_way() -> None:
    claim = replace(planted.planted_claim(), measure=lambda trial: float("nan"))
    evidence = gather(claim, planted.PlantedLab(lambda setting: 1.0), {planted.REFERENCE: range(20)})
    assert evidence[planted.REFERENCE].numerical_failures == 20
    assert evidence[planted.REFERENCE].applicable == 0
