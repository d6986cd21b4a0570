"""Further negative controls: each guards what holds, and none is asked about what does not."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from spikecheck.core.judgement import Answer, Outcome
from spikecheck.harness.answer import Inquiry
from spikecheck.harness.claim import Claim, Condition, Control, Trial
from spikecheck.harness.simulated_lab import REFERENCE, PlantedLab, effect, normal, planted_claim
from spikecheck.stats.prediction import Average


def asked(claim: Claim, lab: PlantedLab) -> Answer:
    _, found = Inquiry(claim, lab, 0, lambda event: None).answer(REFERENCE, "reference", "reference", (32, 64))
    return found


def share(further: Callable[[Trial], float]) -> Claim:
    return replace(planted_claim(), also_not=(Control(says="the further one", measure=further),))


@pytest.mark.parametrize(
    ("further", "outcome"),
    [
        (lambda trial: -1.0, Outcome.HOLDS),
        (effect, Outcome.INVALID),
        (lambda trial: effect(trial) if trial.seed % 2 else -1.0, Outcome.UNDECIDED),
    ],
)
def test_what_holds_must_exceed_every_further_control(further: Callable[[Trial], float], outcome: Outcome) -> None:
    found = asked(share(further), PlantedLab(lambda setting: 1.0, control=0.0))
    assert found.outcome is outcome
    assert [one.says for one in found.also_not] == ["the further one"]
    assert (outcome is Outcome.HOLDS) is (found.reason == "")


def test_what_fails_is_not_compared_with_them() -> None:
    found = asked(share(effect), PlantedLab(lambda setting: 0.1, control=0.0))
    assert (found.outcome, found.also_not) == (Outcome.FAILS, ())


@pytest.mark.parametrize(("size", "outcome"), [(-1.0, Outcome.HOLDS), (1.0, Outcome.INVALID)])
def test_of_averages_one_may_differ_in_a_further_condition_alone(size: float, outcome: Outcome) -> None:
    """Its main effect is then the claim's own, and no contrast of that could tell them apart."""

    def marked(trial: Trial) -> Trial:
        return replace(trial, lost=True)

    def other(trial: Trial) -> float:
        return (size if trial.lost else 1.0) * (1.0 + 0.1 * effect(trial))

    claim = replace(
        planted_claim(predicts=Average(above=0.0, worth=0.1)),
        also=(Condition(measure=other, unit="other", predicts=Average(above=0.0)),),
        also_not=(Control(says="without the other part", plant=marked),),
    )
    found = asked(claim, PlantedLab(lambda setting: 1.0, 0.0, positive=1.0, law=normal))
    assert found.outcome is outcome
