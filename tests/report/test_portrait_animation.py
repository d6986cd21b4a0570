"""The fit through a spike as a moving picture."""

from pathlib import Path

import pytest
from PIL import Image

from spikecheck.core.errors import UsageError
from spikecheck.report.portrait_animation import animate
from tests.report.portraits import planted


def test_it_moves_and_leaves_nothing_else_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fifth of the frames, each of which takes as long as a figure."""
    monkeypatch.setattr("spikecheck.report.portrait_animation._FRAMES", 24)
    animate(planted(), tmp_path / "fit.gif")
    with Image.open(tmp_path / "fit.gif") as moving:
        assert getattr(moving, "n_frames", 1) > 20
    assert [path.name for path in tmp_path.iterdir()] == ["fit.gif"]


def test_a_folder_that_has_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--animate .*gone/fit.gif: cannot be written"):
        animate(planted(), tmp_path / "gone" / "fit.gif")
