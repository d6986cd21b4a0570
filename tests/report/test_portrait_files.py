"""Files that no portrait can be drawn into are refused before anything is trained."""

from collections.abc import Callable
from pathlib import Path

import pytest

from spikecheck.core.errors import UsageError
from spikecheck.report.portrait_files import check_animation, check_figure


@pytest.mark.parametrize(
    ("check", "name", "said"),
    [
        (check_figure, "a.jpg", r"give FILE.png or FILE.svg"),
        (check_animation, "a.avi", r"give FILE.gif or FILE.mp4"),
        (check_figure, "nowhere/a.png", r"cannot be written"),
        (check_animation, "nowhere/a.gif", r"cannot be written"),
    ],
)
def test_it_says_what_to_give(check: Callable[[Path], None], name: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=said):
        check(tmp_path / name)


@pytest.mark.parametrize(
    ("check", "name"), [(check_figure, "a.png"), (check_figure, "a.SVG"), (check_animation, "a.gif")]
)
def test_what_can_be_drawn_is_left_alone(check: Callable[[Path], None], name: str, tmp_path: Path) -> None:
    check(tmp_path / name)
    assert list(tmp_path.iterdir()) == []
