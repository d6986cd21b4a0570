"""What the soak promises can fail: each promise is broken by rows of its own."""

import pytest

from studies.soak import GROWTH, LIMIT, Row, judged

CALM: Row = {"memory": 5e8, "files": 6, "threads": 1, "children": 0, "largest": LIMIT, "removed": 0}


def rows(**broken: float) -> list[Row]:
    """Fifty cycles that remove forty records each, and grow by so much a cycle in one measurement."""
    return [
        CALM | {"removed": 40.0 * cycle} | {name: CALM[name] + by * cycle for name, by in broken.items()}
        for cycle in range(50)
    ]


def test_a_calm_soak_keeps_all_of_it() -> None:
    assert all(judged(rows()).values())


@pytest.mark.parametrize(
    ("name", "a_cycle"), [("memory", GROWTH / 29), ("files", 1.0), ("threads", 1.0), ("children", 1.0)]
)
def test_what_grows_from_cycle_to_cycle_is_named(name: str, a_cycle: float) -> None:
    assert [one for one, kept in judged(rows(**{name: a_cycle})).items() if not kept] == [name]


def test_a_store_beyond_its_bound_is_named_even_after_one_command() -> None:
    grown = rows()
    grown[20] = grown[20] | {"largest": LIMIT * 1.07}
    assert [name for name, kept in judged(grown).items() if not kept] == ["store"]


def test_a_store_that_removed_nothing_shows_nothing() -> None:
    assert [name for name, kept in judged([row | {"removed": 40.0} for row in rows()]).items() if not kept] == [
        "removed"
    ]
