"""`spikecheck verify --workload`: the training that the options name, and options that contradict it."""

from typing import Any

import pytest

from spikecheck.cli.workload_verifying import SEEDS, STEPS, _planned, check_not_given, request_of
from spikecheck.core.errors import UsageError

LINE: dict[str, Any] = {
    "optimizer": None, "numbers": (), "changes": (), "steps": None, "seeds": None, "seed": 0, "quiet": True,
}  # fmt: skip


def test_what_is_not_given_has_the_documented_defaults() -> None:
    request = request_of("mlp", LINE)
    assert (request.path, request.options, request.steps, request.seeds, request.root) == ("mlp", {}, STEPS, SEEDS, 0)
    assert (request.optimizer, request.numbers) == (None, {})
    assert request.words == ("--workload", "mlp", "--steps", "500")


def test_the_words_of_a_request_say_all_of_it_but_the_seeds() -> None:
    given = {"changes": ("batch=16", "steps=40"), "optimizer": "adam", "numbers": ("lr=0.01",), "seeds": 9, "seed": 3}
    request = request_of("mlp", {**LINE, **given})
    assert (request.options, request.steps, request.numbers) == ({"batch": 16}, 40, {"lr": 0.01})
    assert (request.seeds, request.root) == (9, 3)
    assert request.words == (
        "--workload", "mlp", "--at", "batch=16", "--steps", "40", "--optimizer", "adam", "--set", "lr=0.01",
    )  # fmt: skip
    again = request_of(
        "mlp", {**LINE, "changes": ("batch=16",), "steps": 40, "optimizer": "adam", "numbers": ("lr=0.01",)}
    )
    assert again.words == request.words


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"steps": 19}, "--steps 19: give 20 or more"),
        ({"changes": ("steps=1.5",)}, "--steps 1.5: give 20 or more"),
        ({"changes": ("steps=50",), "steps": 60}, "--at steps=50, --steps 60: give one of them"),
        ({"numbers": ("lr=0.1",)}, "--set lr=0.1: belongs to an optimizer; give --optimizer MODULE:CLASS as well"),
        ({"optimizer": "adam"}, "--optimizer adam: has no learning rate; add --set lr=0.01"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_one_line(given: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError) as refused:
        request_of("mlp", {**LINE, **given})
    assert str(refused.value) == says


@pytest.mark.parametrize(
    ("given", "option"),
    [({"changes": ("size=small",)}, "--at"), ({"steps": 50}, "--steps"), ({"seeds": 20}, "--seeds")],
)
def test_options_of_a_workload_are_refused_without_one(given: dict[str, Any], option: str) -> None:
    check_not_given(LINE)
    with pytest.raises(UsageError, match=f"^{option}: belongs to a workload; add --workload NAME"):
        check_not_given({**LINE, **given})


def test_a_plan_names_the_claims_the_reasons_and_the_time(capsys: pytest.CaptureFixture[str]) -> None:
    """16 trainings of 2.5 s are 40 s."""
    assert _planned(["spikes-come"], {"slas": "compares single losses"}, 2.5, request_of("mlp", LINE)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "spikes-come"
    assert "slas" in lines[1] and "compares single losses" in lines[1]
    assert " ".join(lines[2:]).startswith("16 trainings, each about 2.5 s on one core: 40 s")
