"""Settings, counts and scores in words."""

from collections.abc import Callable
from typing import Any

import pytest

from spikecheck.report.phrases import lost, percent

Make = Callable[..., Any]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"settings": 8, "of": 8, "holds": 6, "triggered": 8},
            "holds in 6 of 8 settings of its whole domain: 75 % of it",
        ),
        (
            {"settings": 8, "of": 9, "holds": 0, "triggered": 0},
            "none of 8 settings sampled from its domain met the precondition in enough seeds",
        ),
        (
            {"settings": 2, "of": 9, "holds": 1, "triggered": 1},
            "holds in 1 of 1 setting sampled from its domain: 100 % of it (58 to 93 %); 1 more setting met the",
        ),
    ],
)
def test_reach_says_no_more_than_it_knows(
    shown: Make, guarded: Make, reach: Make, changes: dict[str, int], said: str
) -> None:
    assert said in " ".join(shown(guarded(reach=reach(**changes)), width=100).split())


def test_shares_near_one_are_not_rounded_up_to_it() -> None:
    assert [percent(share) for share in (0.0, 0.8, 0.0995, 0.99951, 1.0)] == [
        "0 %",
        "80 %",
        "9.95 %",
        "99.95 %",
        "100 %",
    ]


def test_every_cause_of_a_numerical_failure_is_named() -> None:
    """Regression: an effect that is no number counts as one, and was not named."""
    assert lost(0) == "no numerical failures"
    why = "diverged, unresolved, or an effect that is not finite"
    assert lost(2) == f"2 numerical failures ({why}), neither for nor against"
