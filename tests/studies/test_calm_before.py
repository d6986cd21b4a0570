"""The table of losses before the onset, over those of the placebo."""

from studies.calm_before import calm_table
from studies.spontaneous_page import Cell
from tests.why.planted_forks import answer, forks


def test_the_table() -> None:
    cells = [
        Cell(kind="a", seed=3, steps=200, onset=164, answer=answer(placebo=forks(2.0), half_the_rate=forks(1.0))),
        Cell(kind="a", seed=4, steps=200, onset=None),
    ]
    rows = list(calm_table(cells))
    assert "| a | 3 | 0.50 | - | - | - |" in rows
    assert sum(row.startswith("| a |") for row in rows) == 1
