"""A cell of a map: what it says without colour, and a shade that says the same."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from spikecheck.core.judgement import Outcome
from spikecheck.report.cells import ABOVE, BELOW, DECIDED, Face, face, fill, ink, interval, shade, written

Make = Callable[..., Any]
SHARES = st.floats(0.0, 1.0)
REQUIRED = st.floats(0.05, 0.95)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome.HOLDS, Face("✓ 60/64", "86-98 %", "median 0.0412")),
        (Outcome.FAILS, Face("✗ 12/64", "12-28 %", "median 0.0412")),
        (Outcome.UNDECIDED, Face("? 48/64", "65-83 %", "median 0.0412")),
        (Outcome.UNTRIGGERED, Face("∅ n=6", "of 64")),
    ],
)
def test_a_cell_has_its_sign_counts_and_interval(judgement: Make, outcome: Outcome, expected: Face) -> None:
    assert face(judgement(outcome)) == expected
    ascii_only = face(judgement(outcome), ascii_only=True)
    assert (ascii_only.count + ascii_only.interval).isascii()
    assert ascii_only.width == expected.width == max(len(expected.count), len(expected.interval))


@pytest.mark.parametrize(
    ("estimand", "outcome", "expected", "line"),
    [
        ("mean", Outcome.HOLDS, Face("✓ 60/64", "0.031 to 0.055", "mean 0.0431"), "✓ 60/64, mean 0.0431"),
        ("equivalence", Outcome.FAILS, Face("✗ 12/64", "-0.011 to 0.015", "mean 0.0021"), "✗ 12/64, mean 0.0021"),
        ("median", Outcome.UNDECIDED, Face("? 48/64", "0.02 to 0.063", "median 0.0412"), "? 48/64, median 0.0412"),
        ("mean", Outcome.UNTRIGGERED, Face("∅ n=6", "of 64"), "∅ n=6"),
    ],
)
def test_where_an_average_decides_its_bounds_stand_in_the_shares_place(
    average: Make, estimand: str, outcome: Outcome, expected: Face, line: str
) -> None:
    cell = average(outcome, estimand=estimand)
    assert face(cell) == expected
    assert written(cell) == line
    assert fill(cell) == DECIDED.get(outcome)


def test_an_outcome_has_the_shade_of_the_side_that_it_is_on() -> None:
    assert DECIDED[Outcome.UNDECIDED] == ABOVE[0] == BELOW[-1]
    assert DECIDED[Outcome.HOLDS] in ABOVE
    assert DECIDED[Outcome.FAILS] in BELOW
    assert all(contrast(colour, ink(colour)) >= 4.5 for colour in DECIDED.values())


def test_a_cell_of_one_seed_has_no_bounds_and_says_so(average: Make) -> None:
    cell = average(Outcome.UNDECIDED)
    bare = cell.effect.model_copy(update={"mean_low": None, "mean_high": None})
    assert face(cell.model_copy(update={"effect": bare})).interval == "no bounds"


def test_what_may_not_be_read_has_neither_a_share_nor_a_shade(judgement: Make) -> None:
    untriggered = judgement(Outcome.UNTRIGGERED)
    lost = judgement(Outcome.HOLDS).model_copy(update={"numerical_failures": 33})
    assert face(lost) == Face("~ 33 lost", "of 64")
    for cell in (untriggered, lost):
        assert fill(cell) is None
        assert not set("/%") & set(face(cell).count + face(cell).interval)


def test_the_required_share_is_white_and_both_ends_are_dark(judgement: Make) -> None:
    assert shade(0.8, 0.8) == ABOVE[0] == BELOW[-1]
    assert (shade(0.0, 0.8), shade(1.0, 0.8)) == (BELOW[0], ABOVE[-1])
    assert fill(judgement(Outcome.HOLDS)) == shade(60 / 64, 0.8)


@given(REQUIRED)
def test_shades_meet_in_white_at_the_required_share(required: float) -> None:
    for share in (required - 1e-4, required + 1e-4):
        assert max(abs(part - white) for part, white in zip(shade(share, required), ABOVE[0], strict=True)) <= 1


@given(SHARES, SHARES, REQUIRED)
def test_further_from_the_required_share_is_darker(one: float, other: float, required: float) -> None:
    below, above = sorted((one, other))
    assume((below < required) == (above < required))
    darker, lighter = (below, above) if above < required else (above, below)
    assert sum(shade(darker, required)) <= sum(shade(lighter, required))


@given(SHARES, REQUIRED)
def test_below_is_orange_above_is_blue_and_every_shade_can_be_written_on(share: float, required: float) -> None:
    colour = shade(share, required)
    assert colour.red >= colour.blue if share < required else colour.red <= colour.blue
    assert contrast(colour, ink(colour)) >= 4.5  # WCAG 2.1, level AA


def contrast(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """WCAG 2.1's contrast ratio, from 1 to 21, by its own formula."""
    linear = [
        [(v / 255 / 12.92 if v / 255 <= 0.03928 else ((v / 255 + 0.055) / 1.055) ** 2.4) for v in c]
        for c in (one, other)
    ]
    dark, light = sorted(0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in linear)
    return (light + 0.05) / (dark + 0.05)


@given(st.integers(0, 100), SHARES, SHARES)
def test_no_bound_is_rounded_across_the_required_share(required: int, one: float, other: float) -> None:
    low, high = sorted((one, other))
    below, above = map(int, interval(low, high).removesuffix(" %").split("-"))
    assert below <= above
    assert (below >= required) == (low >= required / 100 - 1e-9)
    assert (above >= required) == (high >= required / 100 - 1e-9)
