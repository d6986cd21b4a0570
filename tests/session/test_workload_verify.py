"""Claims on a workload: what is trained for them, which apply, and a verdict that speaks of one setting."""

from dataclasses import replace
from typing import Any

import pytest

from spikecheck.core.errors import ClaimError, NothingSelected
from spikecheck.core.events import ClaimStarted, Event, ignore
from spikecheck.core.judgement import Outcome
from spikecheck.core.work import TRAINING, Expected
from spikecheck.harness.claim import Trial
from spikecheck.harness.domain import Domain
from spikecheck.harness.plan import fresh_seeds
from spikecheck.harness.simulated_lab import PlantedLab, planted_claim
from spikecheck.session.lab_options import LabOptions
from spikecheck.session.workload_verify import (
    ONE_SETTING,
    WorkloadRequest,
    asked_of,
    judge_again,
    verify_on_workload,
)
from spikecheck.watch.examined import Examined
from spikecheck.watch.measured import Wanted

REQUEST = WorkloadRequest("mlp", {"batch": 16}, steps=20, seeds=32, root=5)
OWN = Examined({"optimizer": "adam", "lr": 0.001, "weight_decay": 0.0}, "", True, True, 0.1, 0.2)
SETTING = REQUEST.setting(OWN)
PLANTED = replace(planted_claim(), domain=Domain(SETTING))


class Lab(PlantedLab):
    """A simulated laboratory that knows its setting and what its trainings take, as a workload's does."""

    base = SETTING

    def expected(self, setting: Any) -> float:
        return 2.0


def lab(share: float = 1.0) -> Any:
    return Lab(lambda _: share)


def test_a_workload_is_one_setting_at_which_all_seeds_are_judged_at_once() -> None:
    plan = REQUEST.plan
    assert (plan.settings, plan.descents, plan.beside) == (0, 0, False)
    assert (plan.sizes, plan.seed) == ((32,), 5)


def test_its_setting_names_the_workload_with_its_own_optimizer_or_the_one_that_was_asked_for() -> None:
    assert (SETTING.optimizer, SETTING.lr, SETTING.steps) == ("adam", 0.001, 20)
    other = replace(REQUEST, optimizer="heavy-ball", numbers={"lr": 0.2, "momentum": 0.5})
    setting = other.setting(OWN)
    assert (setting.optimizer, setting.lr, setting.momentum) == ("heavy-ball", 0.2, 0.5)
    assert setting.problem == SETTING.problem
    order = other.order("cpu", Wanted(batches=2))
    assert order.optimizer is not None and dict(order.optimizer.numbers) == {"lr": 0.2, "momentum": 0.5}
    assert (order.seed, order.steps, order.wanted) == (0, 20, Wanted(batches=2))
    assert REQUEST.order("cpu", Wanted()).optimizer is None


def test_a_verdict_says_that_it_speaks_of_one_setting_unless_nothing_was_decided() -> None:
    events: list[Event] = []
    for share, outcome in ((1.0, Outcome.HOLDS), (0.2, Outcome.FAILS), (0.85, Outcome.UNDECIDED)):
        (verdict,), failed = verify_on_workload([PLANTED], lab(share), REQUEST.plan, events.append)
        assert (verdict.replicates, failed) == (outcome, {})
        assert (ONE_SETTING in verdict.reason) is (outcome is not Outcome.UNDECIDED)
    started = next(event for event in events if isinstance(event, ClaimStarted))
    assert (started.position, started.total) == (1, 1)
    reference, control = started.expected
    assert (reference[0], reference[1].all[TRAINING]) == ("reference", 2.0 * 32)
    assert control == ("control", Expected())  # the controls' arms are the claim's


def test_one_claim_that_raises_is_named_and_the_others_are_judged() -> None:
    def raising(trial: Trial) -> float:
        raise ClaimError("measure raised ZeroDivisionError")

    broken = replace(PLANTED, id="broken", measure=raising)
    verdicts, failed = verify_on_workload([broken, PLANTED], lab(), REQUEST.plan, ignore)
    assert [verdict.id for verdict in verdicts] == ["planted"]
    assert list(failed) == ["broken"]


def test_a_laboratory_that_was_stopped_judges_no_further_claim() -> None:
    stopping: Any = Lab(lambda _: 1.0, stop_after=1)
    verdicts, _ = verify_on_workload([PLANTED, PLANTED, PLANTED], stopping, REQUEST.plan, ignore)
    assert len(verdicts) == 1 and stopping.stopped is not None


def test_a_replay_has_the_seeds_of_the_verification() -> None:
    judgement = judge_again(PLANTED, lab(), REQUEST.plan, ignore)
    assert judgement.seeds == fresh_seeds(5, SETTING, 32)
    (verdict,), _ = verify_on_workload([PLANTED], lab(), REQUEST.plan, ignore)
    assert (judgement.scores, judgement.outcome) == (verdict.reference.scores, Outcome.HOLDS)


def test_claims_that_apply_are_given_the_workload_as_their_only_setting() -> None:
    here = LabOptions(no_store=True, device="cpu", executor="local")
    needs_more = replace(
        planted_claim(), id="needs-adamw", domain=Domain(SETTING.but(optimizer="adamw", problem="sines"))
    )
    applies = replace(planted_claim(), measure=lambda trial: 1.0, positive=None)
    adapted, left_out, made = asked_of([applies, needs_more], REQUEST, here, ignore)
    (claim,) = adapted
    assert claim.domain.reference == made.base
    assert made.base.problem == SETTING.problem and made.base.optimizer == "adam"
    assert left_out["needs-adamw"].startswith("is about adamw; add --optimizer adamw")
    assert made.own_optimizer and made.noisy and made.pace[0] > 0 and made.pace[1] == 0.0
    with pytest.raises(NothingSelected, match="no selected claim applies to the workload mlp: needs-adamw is about"):
        asked_of([needs_more], REQUEST, here, ignore)


def test_the_reason_that_can_be_mended_first_is_told() -> None:
    """Regression: it was that of the first claim, also where most needed more seeds alone."""
    here = LabOptions(no_store=True, device="cpu", executor="local")
    first, *others = (
        replace(planted_claim(), id=f"needs-{name}", domain=Domain(SETTING.but(optimizer=name)))
        for name in ("heavy-ball", "adamw", "adamw")
    )
    named = replace(others[1], id="again-adamw")
    seeds = replace(planted_claim(), measure=lambda trial: 1.0, positive=None)
    few = replace(REQUEST, seeds=1)
    with pytest.raises(NothingSelected, match=rf"mlp: {seeds.id} needs \d+ seeds to hold; add --seeds \d+$"):
        asked_of([first, seeds], few, here, ignore)
    with pytest.raises(NothingSelected, match=r"mlp: 2 of 3 claims need \d+ seeds to hold; add --seeds \d+$"):
        asked_of([first, seeds, replace(seeds, id="as-many")], few, here, ignore)
    with pytest.raises(NothingSelected, match=r"needs-adamw is about adamw; .* \(as 1 more of 3 claims\)$"):
        asked_of([first, others[0], named], REQUEST, here, ignore)
