"""`spikecheck map` with planted cells: what is asked for, printed and written."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spikecheck.core.errors import BudgetSpent, Interrupted
from spikecheck.core.scope import Scope
from spikecheck.report import json_file
from spikecheck.session import verify as session
from tests.commands.planted import HOLDS, Lab, judgement

MAP = ("map", "--claim", "spikes-come", "--x", "lr=0.05,0.1", "--y", "width=20,50,80")


@pytest.fixture
def surveyed(monkeypatch: pytest.MonkeyPatch, lab: Lab) -> Callable[..., list[dict[str, Any]]]:
    """Plants maps that hold in every cell, or an exception in their place; gives what was asked for."""
    asked: list[dict[str, Any]] = []

    def plant(stop: BaseException | None = None) -> list[dict[str, Any]]:
        def survey(claim: Any, _: object, grid: Any, seeds: int, root: int, observe: object) -> Scope:
            asked.append({"x": grid.x, "y": grid.y, "centre": grid.centre, "seeds": seeds, "root": root})
            if stop is not None:
                raise stop
            cells = tuple(judgement(HOLDS, cell.setting) for cell in grid.cells)
            return Scope(x=grid.x, y=grid.y, centre=grid.centre, seeds=seeds, fewest=14, cells=cells)

        monkeypatch.setattr(session, "survey", survey)
        return asked

    return plant


def test_a_map_is_asked_for_as_it_is_typed_and_printed(spikecheck: Any, surveyed: Any, capsys: Any) -> None:
    asked = surveyed()
    assert spikecheck(*MAP, "--at", "points=11", "--seeds", "16", "--seed", "3") == 0
    out, err = capsys.readouterr()
    (found,) = asked
    assert (found["x"].values, found["y"].values) == ((0.05, 0.1), (20, 50, 80))
    assert (found["centre"].points, found["seeds"], found["root"]) == (11, 16, 3)
    assert out.startswith("spikes-come  where it holds")
    assert out.count("✓ 60/64") == 6
    assert err == ""


def test_without_axes_the_claims_own_maps_are_drawn_into_numbered_files(
    spikecheck: Any, surveyed: Any, capsys: Any
) -> None:
    asked = surveyed()
    assert spikecheck("map", "--claim", "spikes-come", "--figure", "m.png", "--figure", "m.svg", "--quiet") == 0
    assert [(found["x"].name, found["y"].name) for found in asked] == [("lr", "width"), ("dtype", "gradient_noise")]
    assert sorted(file.name for file in Path().glob("m*")) == ["m-1.png", "m-1.svg", "m-2.png", "m-2.svg"]
    assert capsys.readouterr() == ("", "")


def test_a_map_as_json_is_alone_on_standard_output(spikecheck: Any, surveyed: Any, capsys: Any) -> None:
    surveyed()
    assert spikecheck(*MAP, "--json", "-") == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["command"].startswith("spikecheck map --claim spikes-come")
    assert "where it holds" in err
    assert spikecheck(*MAP, "--json", "map.json", "--figure", "map.png") == 0
    assert json_file.read_map(Path("map.json")).scopes[0].x.values == (0.05, 0.1)
    assert Path("map.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("stop", "code", "told"),
    [
        (Interrupted("x"), 130, "interrupted; everything trained so far is kept, run again to go on\n"),
        (KeyboardInterrupt(), 130, "interrupted; everything trained so far is kept, run again to go on\n"),
        (BudgetSpent("the budget is spent; run again"), 3, "the budget is spent; run again\n"),
    ],
)
def test_a_map_that_is_stopped_is_one_line_and_no_file(
    spikecheck: Any, surveyed: Any, capsys: Any, stop: BaseException, code: int, told: str
) -> None:
    surveyed(stop)
    assert spikecheck(*MAP, "--json", "map.json", "--figure", "map.png") == code
    assert capsys.readouterr() == ("", told)
    assert not list(Path().glob("map*"))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["--claim", "slas"],
            "slas: defines no map; give --x AXIS and --y AXIS; it has ladders for: width, lr, init",
        ),
        (["--claim", "slas", "--x", "lr"], "--x lr: a map has two axes; give --y AXIS as well; slas has ladders for:"),
        (["--claim", "slas", "--y", "lr"], "--y lr: a map has two axes; give --x AXIS as well"),
        (["--x", "lr", "--y", "width"], "--claim"),
        ([*MAP[1:], "--figure", "m.pdf"], "--figure m.pdf: ends in neither .png nor .svg"),
        ([*MAP[1:], "--figure", "no/m.png"], "--figure no/m.png: cannot be written"),
        ([*MAP[1:], "--json", "no/m.json"], "--json no/m.json: cannot be written"),
        ([*MAP[1:], "--budget", "soon"], "--budget 'soon'"),
        ([*MAP[1:], "--seeds", "0"], "--seeds"),
        ([*MAP[1:], "--at", "lr=0.1"], "at lr: lr is an axis of the map"),
        (["--claim", "slas", "--x", "lr=0.1,,0.2", "--y", "width"], "--x 'lr=0.1,,0.2': a value is missing"),
        (["--claim", "slas", "--x", "rate", "--y", "width"], "no axis is called 'rate'"),
        (["--claim", "spikes-come", "--x", "lr", "--y", "cutoff"], "spikes-come has no cut-off that varies"),
        (["--claim", "slas", "--x", "lr", "--y", "cutoff=as claimed,half"], "no cut-off of slas is called 'half'"),
    ],
)
def test_what_makes_no_map_is_one_line_before_anything_is_trained(
    spikecheck: Any, surveyed: Any, capsys: Any, words: list[str], told: str
) -> None:
    asked = surveyed()
    assert spikecheck("map", *words) == 2
    out, err = capsys.readouterr()
    (line,) = err.splitlines()
    assert line.startswith("error: ")
    assert told in line
    assert (out, asked) == ("", [])
