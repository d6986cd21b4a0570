"""The Markdown file and its folder of figures."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from spikecheck.core.errors import UsageError
from spikecheck.core.scope import Axis
from spikecheck.report import markdown_file

if TYPE_CHECKING:
    from spikecheck.core.judgement import Judgement

Make = Callable[..., Any]


def test_the_file_has_its_figures_beside_it_and_both_are_the_same_twice(
    tmp_path: Path, report: Make, verdict: Make
) -> None:
    first, second = (tmp_path / name for name in ("a", "b"))
    for folder in (first, second):
        folder.mkdir()
        markdown_file.write(report(verdict(), verdict(id="slas")), folder / "found.md")
    text = (first / "found.md").read_text(encoding="utf-8")
    for name in ("condensation", "slas"):
        picture = first / "found" / f"{name}.png"
        assert f"(found/{name}.png)" in text
        assert picture.read_bytes() == (second / "found" / f"{name}.png").read_bytes()
        assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_claim_without_a_single_seed_has_no_figure(tmp_path: Path, report: Make, verdict: Make) -> None:
    found = verdict()
    nothing: Judgement = found.reference.model_copy(update={"applicable": 0, "held": 0, "scores": ()})
    markdown_file.write(report(found.model_copy(update={"reference": nothing})), tmp_path / "found.md")
    assert list((tmp_path / "found").iterdir()) == []
    unreached = nothing.model_copy(update={"drawn": 0})
    markdown_file.write(report(found.model_copy(update={"reference": unreached})), tmp_path / "unreached.md")
    assert "none of the" not in (tmp_path / "unreached.md").read_text(encoding="utf-8")
    assert "none of the 64 seeds met the precondition" in (tmp_path / "found.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["nowhere/found.md", "found"])
def test_where_it_cannot_be_written_one_line_says_so(tmp_path: Path, report: Make, verdict: Make, name: str) -> None:
    with pytest.raises(UsageError, match="--markdown"):
        markdown_file.write(report(verdict()), tmp_path / name)


def test_maps_have_numbered_figures_beside_the_claims_own(
    tmp_path: Path, report: Make, verdict: Make, scope: Make
) -> None:
    several = (scope(), scope(y=Axis(name="points", values=(10, 20))))
    for name in ("a.md", "b.md"):
        markdown_file.write(report(verdict(scopes=several)), tmp_path / name)
    names = ["condensation-map-1.png", "condensation-map-2.png", "condensation.png"]
    assert sorted(file.name for file in (tmp_path / "a").iterdir()) == names
    assert (tmp_path / "a" / names[0]).read_bytes() != (tmp_path / "a" / names[1]).read_bytes()
    text = (tmp_path / "a.md").read_text(encoding="utf-8")
    assert "![condensation: share of seeds that held, over lr and width](a/condensation-map-1.png)" in text
    assert "![condensation: share of seeds that held, over lr and points](a/condensation-map-2.png)" in text
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
