"""The scorecard's verdicts in worlds whose truth is known."""

import numpy as np
import pytest

from spikecheck.core.scorecard import Change, Row, Scores
from spikecheck.gate.judge import not_compared, rows
from spikecheck.gate.rows import MEMORY
from spikecheck.gate.selftest import PLACES, SEEDS, planted_scores
from spikecheck.stats import paired


def named(found: tuple[Row, ...], name: str) -> Row:
    return next(row for row in found if row.name == name)


def test_the_same_scores_are_the_same_in_every_row() -> None:
    alike = planted_scores(np.random.default_rng(0))
    assert {row.change for row in rows(alike, alike)} == {Change.SAME}


def test_a_shift_is_named_by_its_row_and_by_no_other() -> None:
    generator = np.random.default_rng(1)
    found = rows(planted_scores(generator, shift=0.5), planted_scores(generator))
    assert {row.name for row in found if row.change is Change.WORSE} == {"final loss"}
    assert (
        named(rows(planted_scores(generator), planted_scores(generator, shift=0.5)), "final loss").change
        is Change.BETTER
    )


def test_a_sure_difference_within_the_margin_is_none() -> None:
    generator = np.random.default_rng(2)
    base = planted_scores(generator)
    moved = {
        name: {p: tuple(None if v is None else v + 0.01 for v in values) for p, values in blocks.items()}
        for name, blocks in base.values.items()
        if name == "final loss"
    }
    found = rows(Scores(values=moved), base)
    assert [row.where for row in found] == ["", *PLACES]
    for row in found:
        assert row.low > 0
        assert row.change is Change.SAME


def test_what_is_worse_in_one_setting_and_better_in_another_is_named_there() -> None:
    generator = np.random.default_rng(7)
    base = planted_scores(generator)
    shifts = dict(zip(PLACES, (0.5, -0.5, 0.0), strict=True))
    moved = {p: tuple(v + shifts[p] for v in values if v is not None) for p, values in base.values["best loss"].items()}
    found = rows(Scores(values={**base.values, "best loss": moved}), base)
    changes = {row.where: row.change for row in found if row.name == "best loss"}
    assert changes == {"": Change.SAME, "one": Change.WORSE, "two": Change.BETTER, "three": Change.SAME}
    assert [row.title for row in found if row.fails] == ["best loss in one"]


def test_state_needs_no_sample() -> None:
    generator = np.random.default_rng(3)
    found = rows(planted_scores(generator, state=2.0), planted_scores(generator, state=1.0))
    assert named(found, MEMORY[0]).change is Change.WORSE
    assert named(rows(planted_scores(generator), planted_scores(generator)), MEMORY[0]).change is Change.SAME


def test_a_number_that_one_of_a_pair_lacks_takes_the_pair_out() -> None:
    own = Scores(values={"late edge": {"one": (1.0, None, 3.0)}})
    other = Scores(values={"late edge": {"one": (0.5, 2.0, None)}})
    (row,) = rows(own, other)
    assert (row.pairs, row.difference) == (1, 0.5)


def test_a_row_that_only_describes_is_not_adjusted_for() -> None:
    generator = np.random.default_rng(4)
    found = rows(planted_scores(generator), planted_scores(generator))
    assert {row.name for row in found if not row.alarms} == {"spread"}


@pytest.mark.parametrize(("shift", "gates", "most"), [(0.0, 20, 1), (0.1, 40, 2)])
def test_false_alarms_stay_below_the_promise(
    shift: float, gates: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gates without a difference, and with one as large as the margin: at most 5 of 100 alarm. docs/gates.py makes 230."""
    monkeypatch.setattr(paired, "RESAMPLES", 1_999)  # for time: of forty rows one still can alarm
    generator = np.random.default_rng(5)
    alarms = 0
    for _ in range(gates):
        found = rows(planted_scores(generator, shift), planted_scores(generator))
        alarms += any(row.alarms and row.change is Change.WORSE for row in found)
    assert alarms <= most


def test_a_row_that_one_side_lacks_is_named_and_not_passed_over() -> None:
    whole = planted_scores(np.random.default_rng(6))
    values = {**whole.values, "late edge": dict.fromkeys(PLACES, (None,) * SEEDS)}
    lacking = Scores(values=values)
    assert not_compared(whole, whole) == ()
    assert not_compared(lacking, whole) == ("late edge: no number of the candidate",)
    assert not_compared(whole, lacking) == ("late edge: no number of the reference",)
    assert "late edge" not in {row.name for row in rows(lacking, whole)}
