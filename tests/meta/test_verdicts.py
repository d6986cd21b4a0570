"""The harness judged on planted worlds: how often it errs, and whether it finds what is there."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from spikecheck.core.events import ClaimFinished, Event, SettingJudged
from spikecheck.core.judgement import Outcome
from spikecheck.core.setting import Setting
from spikecheck.core.verdict import Verdict
from spikecheck.harness import planted
from spikecheck.harness.domain import Ladder
from spikecheck.harness.gather import gather
from spikecheck.harness.plan import Plan, fresh_seeds, search_seeds
from spikecheck.harness.verify import replay, verify

PLAN = Plan(settings=8, looks=2)


def verdict(truth: float, plan: Plan = PLAN, **lab: Any) -> Verdict:
    return verify(planted.planted_claim(), planted.PlantedLab(lambda setting: truth, **lab), plan)


@pytest.mark.parametrize("looks", [1, 3])
def test_at_the_threshold_a_thousand_verdicts_err_in_at_most_one_of_twenty(looks: int) -> None:
    claim = planted.planted_claim(width=Ladder(20, 50))
    outcomes: dict[str, list[Outcome]] = {"replicates": [], "generalises": []}
    for root in range(1_000):
        plan = Plan(settings=1, search_seeds=32, fresh_seeds=32, looks=looks, seed=root)
        found = verify(claim, planted.PlantedLab(lambda setting: 0.8, control=0.0), plan)
        outcomes["replicates"].append(found.replicates)
        outcomes["generalises"].append(found.generalises)
    margin = 3 * np.sqrt(0.05 * 0.95 / 1_000)
    for answers in outcomes.values():
        assert answers.count(Outcome.HOLDS) / 1_000 <= 0.05 + margin
        assert answers.count(Outcome.FAILS) / 1_000 <= 0.05 + margin


def test_a_true_claim_holds_and_generalises() -> None:
    found = verdict(0.99)
    assert (found.replicates, found.generalises, found.passed) == (Outcome.HOLDS, Outcome.HOLDS, True)
    assert found.counterexample is None
    assert found.weakest is not None


def test_settings_beside_the_domain_are_found_again_by_name_and_dear_ones_only_where_asked() -> None:
    near, dear = planted.REFERENCE.but(points=7), planted.REFERENCE.but(points=9)
    claim = replace(planted.planted_claim(), beside={"near": near}, further={"dear": dear})
    lab = planted.PlantedLab(lambda setting: 0.0 if setting == dear else 1.0)
    for plan, names in (
        (Plan(settings=2, beside=False), []),
        (Plan(settings=2), ["near"]),
        (Plan(settings=2, further=True), ["near", "dear"]),
    ):
        found = verify(claim, lab, plan)
        assert list(found.beside) == names
        settings = {"near": near, "dear": dear}
        assert all(found.tried[place].setting == settings[name] for name, place in found.beside.items())
    assert found.tried[found.beside["dear"]].outcome is Outcome.FAILS


def test_a_false_claim_fails() -> None:
    found = verdict(0.4)
    assert (found.replicates, found.generalises, found.passed) == (Outcome.FAILS, Outcome.FAILS, False)


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


def test_a_claim_whose_control_also_holds_is_invalid() -> None:
    found = verdict(0.99, control=0.99)
    assert (found.replicates, found.generalises, found.passed) == (Outcome.INVALID, Outcome.INVALID, False)
    assert "does not tell what is claimed" in found.reason


def test_a_claim_whose_control_stays_open_does_not_hold() -> None:
    assert verdict(0.99, control=0.8).replicates is Outcome.UNDECIDED


@pytest.mark.parametrize("kind", ["law", "tendency"])
def test_a_claim_false_in_one_corner_is_refuted_there(kind: str) -> None:
    def truth(setting: Setting) -> float:
        return 0.2 if setting.width == 100 and setting.lr == 0.3 else 0.99

    found = verify(planted.planted_claim(kind), planted.PlantedLab(truth), Plan(settings=8))
    assert (found.replicates, found.generalises) == (Outcome.HOLDS, Outcome.FAILS)
    assert found.counterexample is not None
    assert found.counterexample.differs == {"width": 100, "lr": 0.3}
    assert found.counterexample.replay.startswith("spikecheck replay planted --at width=100 --at lr=0.3")
    assert found.passed is (kind == "tendency")


def test_the_counterexample_is_the_smallest() -> None:
    def truth(setting: Setting) -> float:
        return 0.1 if setting.lr != 0.1 else 0.99

    found = verify(planted.planted_claim(), planted.PlantedLab(truth), Plan(settings=8))
    assert found.counterexample is not None
    assert found.counterexample.differs == {"lr": 0.2}


def test_a_known_counterexample_is_judged_even_if_none_is_drawn() -> None:
    corner = planted.REFERENCE.but(width=50)
    claim = replace(planted.planted_claim(), known=(corner,))
    found = verify(claim, planted.PlantedLab(lambda s: 0.1 if s == corner else 0.99), Plan(settings=0))
    assert found.counterexample is not None
    assert found.counterexample.setting == corner


def test_a_precondition_that_is_too_rare_is_neither_for_nor_against() -> None:
    found = verdict(0.99, triggers=lambda setting: 0.05)
    assert (found.replicates, found.generalises, found.passed) == (Outcome.UNTRIGGERED, Outcome.UNTRIGGERED, False)


def test_search_false_alarms_are_not_confirmed() -> None:
    """Sixty settings at a true share of 0.9: some look weak on search seeds, fresh seeds must not refute."""
    refuted = 0
    for root in range(40):
        claim = planted.planted_claim(width=Ladder(*range(20, 80)))
        found = verify(claim, planted.PlantedLab(lambda setting: 0.85), Plan(settings=40, seed=root))
        refuted += found.generalises is Outcome.FAILS
    assert refuted <= 6  # at most 5 % each: more than 6 of 40 has probability 0.3 %


def test_a_stopped_verification_concludes_from_what_it_has() -> None:
    found = verdict(0.99, stop_after=2)
    assert found.replicates is Outcome.HOLDS
    assert found.generalises is Outcome.UNDECIDED
    assert verdict(0.99, stop_after=0).replicates is Outcome.UNDECIDED


def test_observers_hear_every_judgement() -> None:
    heard: list[Event] = []
    verify(planted.planted_claim(), planted.PlantedLab(lambda setting: 0.99), PLAN, heard.append)
    stages = [event.stage for event in heard if isinstance(event, SettingJudged)]
    assert stages[:2] == ["reference", "control"]
    assert stages.count("search") == 8
    assert isinstance(heard[-1], ClaimFinished)


def test_a_replay_sees_the_seeds_of_the_confirmation() -> None:
    lab = planted.PlantedLab(lambda setting: 0.2 if setting.lr == 0.2 else 0.99)
    claim = planted.planted_claim(lr=Ladder(0.1, 0.2))
    found = verify(claim, lab, Plan(settings=2))
    assert found.counterexample is not None
    setting = found.counterexample.setting
    again = replay(claim, lab, setting, fresh_seeds(0, setting, 64))
    assert (again.held, again.applicable) == (
        found.counterexample.judgement.held,
        found.counterexample.judgement.applicable,
    )


def test_search_and_fresh_seeds_share_nothing_and_longer_blocks_extend_shorter_ones() -> None:
    setting = Setting()
    search, fresh = search_seeds(0, setting, 500), fresh_seeds(0, setting, 500)
    assert not set(search) & set(fresh)
    assert fresh_seeds(0, setting, 64) == fresh[:64]
    assert fresh_seeds(1, setting, 64) != fresh[:64]
    assert fresh_seeds(0, setting.but(lr=0.2), 64) != fresh[:64]


def test_a_score_that_is_no_number_counts_neither_way() -> None:
    claim = replace(planted.planted_claim(), measure=lambda trial: float("nan"))
    evidence = gather(claim, planted.PlantedLab(lambda setting: 1.0), {planted.REFERENCE: range(20)})
    assert evidence[planted.REFERENCE].numerical_failures == 20
    assert evidence[planted.REFERENCE].applicable == 0
