"""An answer at one setting: how many looks it takes, at which level, and which controls are asked."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from spikecheck.core.errors import Stopped, UsageError
from spikecheck.core.events import Event, SettingJudged
from spikecheck.core.judgement import Answer, Outcome
from spikecheck.core.recipe import Recipe
from spikecheck.core.run import Run
from spikecheck.harness.answer import Inquiry
from spikecheck.harness.claim import Claim, Condition, Trial
from spikecheck.harness.evidence import gather, judged, pairs
from spikecheck.harness.plan import fresh_seeds
from spikecheck.harness.simulated_lab import REFERENCE, PlantedLab, control_effect, effect, normal, planted_claim
from spikecheck.stats.looks import nominal_alpha
from spikecheck.stats.prediction import Average

SIZES = (32, 64, 128)
NEAR = REFERENCE.but(width=50)
CLAIM = planted_claim()


def asked(
    lab: PlantedLab, role: str = "reference", claim: Claim = CLAIM, sizes: Sequence[int] = SIZES
) -> tuple[Answer, list[str]]:
    """The answer, and what was judged on the way: stage and seeds."""
    heard: list[Event] = []
    setting = REFERENCE if role == "reference" else NEAR
    _, found = Inquiry(claim, lab, 0, heard.append).answer(setting, role, role, sizes)
    return found, [f"{event.stage} {event.judgement.drawn}" for event in heard if isinstance(event, SettingJudged)]


def world(truth: float, **changes: Any) -> PlantedLab:
    return PlantedLab(lambda setting: truth, **changes)


def test_what_is_clear_at_once_takes_one_look_and_both_controls_at_the_reference() -> None:
    for truth, outcome in ((0.99, Outcome.HOLDS), (0.2, Outcome.FAILS)):
        found, judged_on_the_way = asked(world(truth))
        assert found.outcome is outcome
        assert judged_on_the_way == ["reference 32", "control 32", "positive control 32"]
        assert found.control is not None and found.contrast is not None and found.positive is not None


@pytest.mark.parametrize("role", ["suspect", "a setting beside"])
def test_elsewhere_the_negative_control_is_asked_only_where_the_claim_holds(role: str) -> None:
    held, on_the_way = asked(world(0.99), role)
    assert on_the_way == [f"{role} 32", "control 32", "positive control 32"]
    assert (held.outcome, held.positive is not None) == (Outcome.HOLDS, True)
    failed, on_the_way = asked(world(0.2), role)
    assert on_the_way == [f"{role} 32", "positive control 32"]
    assert (failed.outcome, failed.control, failed.contrast) == (Outcome.FAILS, None, None)


def test_what_stays_open_takes_every_look_and_its_controls_once() -> None:
    found, on_the_way = asked(world(0.8))
    assert found.outcome is Outcome.UNDECIDED
    assert on_the_way == ["reference 32", "reference 64", "reference 128", "control 128", "positive control 128"]
    _, on_the_way = asked(world(0.8), "suspect")
    assert on_the_way == ["suspect 32", "suspect 64", "suspect 128", "positive control 128"]


def test_a_control_that_is_not_clear_asks_for_more_seeds() -> None:
    found, on_the_way = asked(world(0.99, control=0.25))
    assert on_the_way[:4] == ["reference 32", "control 32", "positive control 32", "reference 64"]
    assert (found.outcome, found.judgement.drawn) == (Outcome.HOLDS, 128)
    found, _ = asked(world(0.1, positive=0.8))
    assert (found.outcome, found.judgement.drawn) == (Outcome.UNDECIDED, 128)
    assert "not clearly been found" in found.reason


def test_what_no_number_of_seeds_mends_takes_none() -> None:
    for lab in (world(0.99, control=0.99), world(0.1, positive=0.1)):
        found, _ = asked(lab)
        assert (found.outcome, found.judgement.drawn) == (Outcome.INVALID, 32)
    found, _ = asked(world(0.1), claim=replace(CLAIM, positive=None))
    assert (found.outcome, found.judgement.drawn) == (Outcome.INVALID, 32)
    assert "no positive control" in found.reason


def test_a_control_that_is_too_rare_is_looked_at_again() -> None:
    """At 32 seeds it is untriggered, and at 128 it is not: INVALID would have been rash."""

    def scarce(trial: Trial) -> float:
        return control_effect(trial) if trial.seed % 6 == 0 else float("nan")

    claim = replace(CLAIM, control=replace(CLAIM.control, measure=scarce))
    found, on_the_way = asked(world(1.0, control=0.0), claim=claim)
    assert on_the_way[1] == "control 32"
    assert found.judgement.drawn > 32
    assert found.outcome is Outcome.HOLDS


def test_every_look_and_every_control_of_it_is_paid_for() -> None:
    found, _ = asked(world(0.8))
    level = 1.0 - nominal_alpha(0.05, SIZES)
    assert found.control is not None and found.positive is not None
    assert {found.judgement.level, found.control.level, found.positive.level} == {level}
    single, _ = asked(world(0.8), sizes=(32,))
    assert single.judgement.level == 0.95


def test_a_later_look_keeps_the_seeds_of_the_ones_before_and_controls_have_the_same() -> None:
    found, _ = asked(world(0.8))
    assert found.judgement.seeds == fresh_seeds(0, REFERENCE, 128)
    assert fresh_seeds(0, REFERENCE, 128)[:32] == fresh_seeds(0, REFERENCE, 32)
    assert found.control is not None and found.positive is not None
    assert found.judgement.seeds == found.control.seeds == found.positive.seeds


@pytest.mark.parametrize(
    ("after", "outcome", "reason"),
    [
        (1, Outcome.UNDECIDED, "By itself it holds; its controls were not reached."),
        (2, Outcome.UNDECIDED, "By itself it holds; its controls were not reached."),
    ],
)
def test_stopped_before_its_controls_nothing_is_decided(after: int, outcome: Outcome, reason: str) -> None:
    inquiry = Inquiry(CLAIM, world(0.99, stop_after=after), 0, lambda event: None)
    with pytest.raises(Stopped):
        inquiry.answer(REFERENCE, "reference", "reference", SIZES)
    found = inquiry.reached["reference"]
    assert (found.outcome, found.reason, found.control) == (outcome, reason, None)


def test_stopped_at_once_there_is_no_answer() -> None:
    inquiry = Inquiry(CLAIM, world(0.99, stop_after=0), 0, lambda event: None)
    with pytest.raises(Stopped):
        inquiry.answer(REFERENCE, "reference", "reference", SIZES)
    assert inquiry.reached == {}


def test_a_setting_beside_whose_data_are_not_here_is_left_out_with_the_reason() -> None:
    class Without(PlantedLab):
        def runs(self, recipes: Sequence[Recipe]) -> dict[Recipe, Run]:
            raise UsageError("no such data")

    inquiry = Inquiry(CLAIM, Without(lambda setting: 0.99), 0, lambda event: None)
    inquiry.beside(NEAR, "near", SIZES)
    found = inquiry.reached["near"]
    assert (found.outcome, found.reason, found.judgement.drawn) == (Outcome.UNDECIDED, "Not judged: no such data", 0)


def test_pairs_are_the_seeds_to_which_claim_and_control_both_apply() -> None:
    lab = world(0.9, control=0.3, triggers=lambda setting: 0.8)
    seeds = range(60)

    def even(trial: Trial) -> float:
        return control_effect(trial) if trial.seed % 2 == 0 else float("inf")

    one = gather(CLAIM, lab, {REFERENCE: seeds})[REFERENCE]
    control = replace(CLAIM.control, measure=even)
    other = gather(CLAIM.as_control(control), lab, {REFERENCE: seeds})[REFERENCE]
    found = pairs(one, other)
    both = [s for s, a, b in zip(seeds, one.scores, other.scores, strict=True) if a is not None and b is not None]
    assert 0 < len(found) == len(both) < other.applicable + one.applicable
    assert all(seed % 2 == 0 for seed in both)
    for pair, seed in zip(found, both, strict=True):
        assert (pair.claim, pair.control) == (one.scores[seed], other.scores[seed])
        assert (pair.claim_held, pair.control_held) == (one.held[seed], other.held[seed])


def further(limit: float, unit: str = "further") -> Condition:
    """That the control's effect has a mean above a limit."""
    return Condition(measure=control_effect, unit=unit, predicts=Average(above=limit, worth=0.1))


@pytest.mark.parametrize(
    ("mean", "limits", "expected"),
    [
        (1.0, (0.0,), Outcome.HOLDS),
        (1.0, (0.5, 0.0), Outcome.HOLDS),
        (1.0, (1.0,), Outcome.UNDECIDED),
        (1.0, (2.0,), Outcome.FAILS),
        (1.0, (0.0, 2.0), Outcome.FAILS),
        (-1.0, (0.0,), Outcome.FAILS),
        (-0.05, (0.0,), Outcome.UNDECIDED),
    ],
)
def test_of_several_averages_all_must_hold_and_one_that_fails_is_enough(
    mean: float, limits: tuple[float, ...], expected: Outcome
) -> None:
    claim = replace(planted_claim(predicts=Average(above=0.0, worth=0.1)), also=tuple(map(further, limits)))
    lab = PlantedLab(lambda setting: mean, control=1.0, law=normal)
    evidence = gather(claim, lab, {REFERENCE: range(200)})[REFERENCE]
    found = judged(claim, evidence, 0.05)
    assert found.outcome is expected
    assert [condition.applicable for condition in found.conditions] == [200] * len(limits)
    assert all(condition.scores for condition in found.conditions)


def test_a_further_average_does_not_change_which_seeds_held() -> None:
    plain = planted_claim(predicts=Average(above=0.0))
    lab = PlantedLab(lambda setting: 0.5, control=-3.0, law=normal)
    alone, more = (
        judged(claim, gather(claim, lab, {REFERENCE: range(64)})[REFERENCE], 0.05)
        for claim in (plain, replace(plain, also=(further(0.0),)))
    )
    assert (alone.held, alone.effect) == (more.held, more.effect)
    assert (alone.outcome, more.outcome) == (Outcome.HOLDS, Outcome.FAILS)


def test_a_further_average_is_of_the_seeds_in_which_it_is_a_number() -> None:
    def scarce(trial: Trial) -> float:
        return effect(trial) if trial.seed % 2 else float("nan")

    rare = Condition(measure=scarce, unit="scarce", predicts=Average(above=0.0))
    claim = replace(planted_claim(predicts=Average(above=0.0)), also=(rare,))
    lab = PlantedLab(lambda setting: 2.0, law=normal)
    for seeds, applicable, expected in ((22, 11, Outcome.UNDECIDED), (40, 20, Outcome.HOLDS)):
        found = judged(claim, gather(claim, lab, {REFERENCE: range(seeds)})[REFERENCE], 0.05)
        assert (found.conditions[0].applicable, found.outcome) == (applicable, expected)
        assert found.numerical_failures == 0
