"""What readers are told of a claim's functions: their own words, the claim's, or words with the claim's numbers in them."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from spikecheck import described
from spikecheck.harness.claim import Control, Trial, unchanged
from spikecheck.harness.simulated_lab import control_effect, effect, planted_claim


def loss_at(trial: Trial, *, step: int, times: float = 1.0, unit: str = "nats") -> float:
    """{times} times the loss at step {step}, in {unit} and {no argument}.

    Nothing of {step} here is told.
    """
    return times * float(trial["run"].loss[step])


def told(measure: Callable[[Trial], float]) -> str:
    return replace(planted_claim(), measure=measure).definitions["effect"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"step": 3_000}, "1 times the loss at step 3,000, in nats and {no argument}"),
        ({"step": 1, "times": 0.05}, "0.05 times the loss at step 1, in nats and {no argument}"),
        ({"step": 1, "unit": "bits"}, "1 times the loss at step 1, in bits and {no argument}"),
    ],
)
def test_arguments_and_defaults_fill_in_names_in_braces(arguments: dict[str, Any], words: str) -> None:
    assert told(partial(loss_at, **arguments)) == words
    outer = partial(partial(loss_at, step=99), **arguments)
    assert told(outer) == words


def test_a_claims_own_words_stand_for_a_functions() -> None:
    own = described("The loss at the start.", loss_at, step=0)
    assert told(own) == "The loss at the start"
    assert told(partial(own, times=2.0)) == "The loss at the start"
    assert told(described("Twice that.", own, times=2.0)) == "Twice that"


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
