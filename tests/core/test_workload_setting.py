"""A workload's setting tells the workload, its options and its optimizer's numbers, and the words that train it."""

import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.setting import Setting
from spikecheck.core.workload_setting import optimizer_numbers, workload_of, workload_setting, workload_words

PATHS = st.sampled_from(["gpt", "mlp", "mine.training:made"])
OPTIONS = st.dictionaries(
    st.text("abc_", min_size=1, max_size=5), st.none() | st.booleans() | st.integers() | st.text(max_size=5)
)


@given(PATHS, OPTIONS)
def test_a_workload_and_its_options_come_back(path: str, options: dict[str, Any]) -> None:
    setting = workload_setting(path, options, optimizer="gd", lr=0.1, steps=50)
    place = workload_of(setting)
    assert place is not None
    assert (place.path, dict(place.options)) == (path, options)
    backwards = dict(reversed(options.items()))
    assert workload_setting(path, backwards, optimizer="gd", lr=0.1, steps=50) == setting


def test_the_laboratorys_own_trainings_are_no_workloads() -> None:
    assert workload_of(Setting()) is None
    assert workload_words(Setting()) == []


@pytest.mark.parametrize(
    ("conditions", "numbers"),
    [
        ({"optimizer": "gd"}, {"lr": 0.1, "weight_decay": 0.0}),
        ({"optimizer": "heavy-ball", "momentum": 0.5}, {"lr": 0.1, "momentum": 0.5, "weight_decay": 0.0}),
        ({"optimizer": "torch.optim:SGD", "options": (("nesterov", True),)}, {"lr": 0.1, "nesterov": True}),
    ],
)
def test_an_optimizers_numbers_are_its_own(conditions: dict[str, Any], numbers: dict[str, Any]) -> None:
    assert optimizer_numbers(workload_setting("mlp", {}, lr=0.1, optimizer="gd").but(**conditions)) == numbers


def test_the_words_of_a_command_name_the_whole_training() -> None:
    plain = workload_setting("mlp", {"batch": 16}, optimizer="gd", lr=0.1)
    setting = plain.but(optimizer="torch.optim:SGD", options=(("momentum", 0.9),))
    words = workload_words(setting)
    assert shlex.split(shlex.join(words)) == words
    pairs = list(zip(words[::2], words[1::2], strict=True))
    assert sorted(pairs) == [
        ("--at", "batch=16"),
        ("--optimizer", "torch.optim:SGD"),
        ("--set", "lr=0.1"),
        ("--set", "momentum=0.9"),
        ("--steps", "5000"),
        ("--workload", "mlp"),
    ]
