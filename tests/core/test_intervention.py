"""Forks: how many steps they train, and which are refused."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from spikecheck.core.errors import SettingError
from spikecheck.core.intervention import (
    Continue,
    Exchange,
    Fork,
    FreezeOutside,
    Hold,
    Inject,
    Jitter,
    LowerRate,
    Retune,
    annealing_steps,
    own_steps,
    steps_of,
)


def test_a_fork_that_would_change_nothing_is_refused() -> None:
    with pytest.raises(SettingError, match="retune changes nothing"):
        Retune(horizon=9)


def test_a_calm_twin_covers_the_same_learning_rate_times_steps() -> None:
    assert steps_of(LowerRate(factor=0.25, horizon=100)) == 400


@given(st.integers(1, 10_000), st.integers(1, 64), st.integers(0, 500), st.integers(1, 10))
@example(horizon=1, parts=1, anneal=3, tenths=4)
def test_learning_rate_times_steps_is_the_horizon(horizon: int, parts: int, anneal: int, tenths: int) -> None:
    """Within half a step, for the fork and for its annealing; the half itself but for rounding (3 / 0.4 is 7.5)."""
    slow = LowerRate(factor=1 / parts, horizon=horizon, anneal=anneal, anneal_factor=tenths / 10)
    half = 0.5 + 1e-9
    assert own_steps(slow) * slow.factor == pytest.approx(horizon, abs=slow.factor * half)
    assert annealing_steps(slow) * slow.anneal_factor == pytest.approx(anneal, abs=slow.anneal_factor * half)
    assert steps_of(slow) == own_steps(slow) + annealing_steps(slow)
    spike = Inject(factor=1 / parts, horizon=horizon, rank=1, rise=2.0)
    assert steps_of(spike) == own_steps(slow)


@pytest.mark.parametrize(
    "fork",
    [Continue(horizon=70), FreezeOutside(horizon=70), Jitter(horizon=70, noise=0.1), Hold(horizon=70)],
)
def test_other_forks_train_as_many_steps_as_they_cover(fork: Fork) -> None:
    assert steps_of(fork) == 70


@pytest.mark.parametrize(
    ("fork", "parts"),
    [
        (Continue(horizon=1_200), ["80 steps before the onset", "1,200 steps", "unchanged"]),
        (Continue(at="end", horizon=5), ["forked at its end"]),
        (Continue(at="onset", horizon=5, anneal=30, anneal_factor=0.2), ["at the onset", "30 steps", "0.2 x its"]),
        (LowerRate(factor=0.25, horizon=5), ["0.25 x its learning rate"]),
        (Hold(horizon=5, level=0.9), ["0.9 x 2/lr"]),
        (Hold(horizon=5), ["sharpness held at 2/lr"]),
        (Exchange(other=(("lr", 0.2),)), ["lr=0.2"]),
        (Inject(horizon=5, rank=3, rise=7.0), ["eigendirection 3", "7 x the loss"]),
        (Inject(horizon=5, rank=3, rise=7.0, factor=0.5), ["0.5 x its learning rate"]),
        (Retune(horizon=5, numbers=(("beta2", 0.9),), empties_momentum=True), ["beta2=0.9 and its momentum emptied"]),
    ],
)
def test_a_fork_says_where_it_begins_how_long_it_is_and_what_it_changes(fork: Fork, parts: list[str]) -> None:
    said = fork.says()
    assert [part for part in parts if part not in said] == []
    assert said.startswith("forked at ")
    assert ("annealed" in said) == bool(fork.anneal)
