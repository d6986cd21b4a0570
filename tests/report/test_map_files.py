"""Files of maps: their names, and what cannot be written."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spikecheck.core.errors import UsageError
from spikecheck.report import map_files

Make = Callable[..., Any]


def test_one_map_has_the_name_itself_and_several_are_numbered(tmp_path: Path, scope: Make, scope_map: Make) -> None:
    asked = [tmp_path / "m.png", tmp_path / "m.SVG"]
    map_files.check(asked, 1)
    map_files.write(scope_map(scope()), asked)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["m.SVG", "m.png"]
    map_files.write(scope_map(scope(), scope()), [tmp_path / "n.png"])
    assert sorted(file.name for file in tmp_path.glob("n*")) == ["n-1.png", "n-2.png"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("m.pdf", "give such a name"),
        ("m", "give such a name"),
        ("no/m.png", "cannot be written"),
        ("taken.png", "cannot be written"),
    ],
)
def test_a_figure_that_could_never_be_written_is_refused_beforehand(tmp_path: Path, name: str, told: str) -> None:
    (tmp_path / "taken.png").mkdir()
    with pytest.raises(UsageError, match=f"--figure .*{told}"):
        map_files.check([tmp_path / name], 1)


def test_a_numbered_name_that_is_taken_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / "m-2.png").mkdir()
    map_files.check([tmp_path / "m.png"], 1)
    with pytest.raises(UsageError, match=r"--figure .*m-2\.png: cannot be written"):
        map_files.check([tmp_path / "m.png"], 2)
