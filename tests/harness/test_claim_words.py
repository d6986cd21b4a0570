"""What readers are told of a claim's functions: their own words, the claim's, or words with the claim's numbers in them."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from spikecheck import Anatomy, Continue, Setting, described
from spikecheck.harness.claim import Claim, Control, Trial, unchanged
from spikecheck.harness.claim_words import arm_says, control_says, definitions_of, explanation_of
from spikecheck.harness.domain import Domain
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


def slower(setting: Setting, *, times: int = 4) -> Setting:
    """1/{times} of the learning rate."""
    return setting.but(lr=setting.lr / times)


def at_a_tenth() -> Claim:
    """A claim whose reference trains at a rate of 0.1."""
    return replace(planted_claim(), domain=Domain(Setting(lr=0.1, steps=10)))


def test_an_arm_is_described_with_the_conditions_that_it_changes() -> None:
    claim = at_a_tenth()
    assert arm_says(claim, "run", unchanged) == "The run itself"
    assert arm_says(claim, "run", slower) == "1/4 of the learning rate; lr=0.025"
    assert arm_says(claim, "run", partial(slower, times=2)) == "1/2 of the learning rate; lr=0.05"

    def fork(setting: Setting) -> Setting:
        return setting.but(intervention=Continue(horizon=5))

    assert arm_says(claim, "run", fork) == f"fork; {Continue(horizon=5).says()}"


def test_a_control_is_described_by_what_differs_from_the_claim() -> None:
    def plant(trial: Trial) -> Trial:
        """Nothing is planted."""
        return trial

    assert control_says(at_a_tenth(), Control(says="the same")) == ["the same"]
    whole = Control(says="other", arms={"run": slower}, plant=plant, measure=partial(loss_at, step=1))
    assert control_says(at_a_tenth(), whole) == [
        "other",
        "run: 1/4 of the learning rate; lr=0.025",
        "planted: Nothing is planted",
        "measured: 1 times the loss at step 1, in nats and {no argument}",
    ]


def test_definitions_are_those_on_which_the_verdict_depends() -> None:
    claim = replace(planted_claim(), detects_spikes=True, probe=None)
    assert list(definitions_of(claim)) == ["spike", "applies", "effect"]
    assert definitions_of(claim)["spike"] == claim.definition.says()
    assert list(definitions_of(replace(claim, detects_spikes=False))) == ["applies", "effect"]
    assert "at most 0.01" in definitions_of(replace(claim, probe=Anatomy()))["eigenpairs"]


def test_an_explanation_has_every_part_of_the_claim() -> None:
    claim = replace(planted_claim(), also_not=(Control(says="one"), Control(says="two", arms={"run": slower})))
    said = explanation_of(claim)
    assert said == claim.explain()
    assert (said.id, said.says, said.rule, said.unit) == (claim.id, claim.says, claim.rule, claim.unit)
    assert said.also_not == ["one", "two", f"run: {arm_says(claim, 'run', slower)}"]
    assert explanation_of(replace(claim, positive=None)).positive == []
    assert said.reference["lr"] == claim.domain.reference.lr and not said.workload
    assert said.axes == {name: list(ladder.rungs) for name, ladder in claim.domain.axes.items()}
