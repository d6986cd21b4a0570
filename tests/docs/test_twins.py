"""The twins' table runs, and its statistics find what was planted."""

import sys
from collections.abc import Iterator
from dataclasses import fields, replace
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from spikecheck import SETTING_A, Laboratory

Modules = dict[str, ModuleType]
NAMES = ("twins", "twins_cells", "twins_report", "twins_statistics")


@pytest.fixture
def twins(monkeypatch: pytest.MonkeyPatch) -> Iterator[Modules]:
    """The script's modules, imported as they import one another."""
    yield {name: import_module(f"studies.{name}") for name in NAMES}
    for name in NAMES:
        sys.modules.pop(f"studies.{name}", None)


def planted(twins: Modules, rows: int, seeds: int = 40) -> list[Any]:
    """Cells in which the overshoot decides the gain between seeds, and the height between cells."""
    numbers = np.random.default_rng(3)
    cells = []
    for place, row in enumerate(twins["twins_cells"].ROWS[:rows]):
        for step, rate in enumerate(row.rates[:4]):
            columns = {f.name: numbers.normal(size=seeds) for f in fields(twins["twins_cells"].Twins)}
            dose = 10.0 * (place + step)
            columns["gain"] = columns["overshoot"] + 0.3 * numbers.normal(size=seeds) + dose
            columns["height"] = columns["height"] + dose
            cells.append(
                twins["twins_cells"].Cell(row, rate, seeds, 0, 0, 0, 3, 0, twins["twins_cells"].Twins(**columns))
            )
    return cells


def test_what_decides_within_cells_is_told_from_what_decides_between_them(twins: Modules) -> None:
    cells, statistics = planted(twins, 6), twins["twins_statistics"]
    overshoot, height, start = (statistics.associated(cells, name) for name in ("overshoot", "height", "start"))
    assert overshoot.within > 0.9 and overshoot.counts_within and not overshoot.counts_between
    assert abs(height.within) < 0.2 and not height.counts_within and height.between > 0.95 and height.counts_between
    assert height.rows_up == height.rows == 6
    assert not start.counts_within and not start.counts_between


def test_the_slope_of_what_decides_is_its_own(twins: Modules) -> None:
    slopes = twins["twins_statistics"].regression(planted(twins, 6))
    assert slopes["overshoot"][1] > 0.85
    assert all(abs(slope) < 0.1 for name, (slope, _, _) in slopes.items() if name != "overshoot")


def test_a_zero_is_no_gain(twins: Modules) -> None:
    found = twins["twins_statistics"].share(np.array([0.0, 0.1, -0.1, 0.2]))
    assert str(found) == "2/4 [0.07, 0.93]"


def test_the_report_names_what_was_not_run_and_what_was_planted(
    twins: Modules, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twins["twins_statistics"], "RESAMPLES", 100)
    cells = planted(twins, 3)
    text = twins["twins_report"].text(cells, 40, "twins.png")
    assert "Not run, for time: A, width 50 (std 0.14);" in text
    assert "Between seeds of one setting the gain goes with: overshoot" in text
    twins["twins_report"].figure(cells).canvas.draw()


def test_a_cell_is_measured_on_its_twins(twins: Modules, monkeypatch: pytest.MonkeyPatch) -> None:
    script = twins["twins_cells"]
    monkeypatch.setattr(script, "HORIZON", 200)
    row = replace(script.ROWS[0], setting=SETTING_A.but(steps=600), rates=(0.125,))
    (cell,) = twins["twins"].table(Laboratory(), [row], 4)
    assert cell.asked == 4 == cell.unspiked + cell.early + cell.diverged + len(cell.twins)
    assert len(cell.twins) > 0 and (cell.twins.height > np.log10(3)).all() and (cell.twins.overshoot > 0).all()
    assert (cell.twins.fork >= 0).all() and (np.abs(cell.twins.gain) < 1).all()
