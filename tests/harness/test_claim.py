"""The parts of a claim: functions with words of their own, and controls judged by the claim's rule."""

from dataclasses import replace
from functools import partial

from spikecheck import described
from spikecheck.harness.claim import Control, Trial, unchanged
from spikecheck.harness.simulated_lab import control_effect, effect, planted_claim


def test_a_described_function_is_called_with_what_was_given() -> None:
    def join(first: str, *, then: str, last: str = "c") -> str:
        return first + then + last

    assert described("Letters.", join, then="b")("a") == "abc"
    assert described("Letters.", partial(join, then="x"), then="b", last="d")("a") == "abd"


def test_a_control_has_its_own_measure_arms_and_plant_and_the_claims_rule() -> None:
    def planted(trial: Trial) -> Trial:
        return trial

    arms = {"run": unchanged, "twin": unchanged}
    claim = replace(planted_claim(), plant=planted)
    own = claim.as_control(Control(says="other arms", measure=control_effect, arms=arms))
    assert (own.says, own.measure, own.arms, own.plant) == ("other arms", control_effect, arms, None)
    assert (own.predicts, own.applies, own.domain) == (claim.predicts, claim.applies, claim.domain)
    same = claim.as_control(Control(says="planted", plant=planted))
    assert (same.measure, same.arms, same.plant) == (effect, claim.arms, planted)
