"""What readers are told of a claim's functions: their own words, the claim's, or words with the claim's numbers in them."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from spikecheck import described
from spikecheck.harness.claim import Trial
from spikecheck.harness.simulated_lab import planted_claim


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
