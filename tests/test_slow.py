"""The list of slow tests names what exists, and leaves tests of every room to the fast ones."""

from pathlib import Path

import pytest
from hypothesis import settings

from tests.conftest import SLOW, usual_profile

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("line", SLOW)
def test_a_line_names_a_folder_a_file_or_a_test(line: str) -> None:
    path, _, test = line.partition("::")
    file = ROOT / path
    assert file.is_dir() if path.endswith("/") else file.is_file()
    assert not test or f"def {test}(" in file.read_text(encoding="utf-8")


def test_no_line_is_part_of_another() -> None:
    assert [(line, other) for line in SLOW for other in SLOW if line != other and line.startswith(other)] == []


def test_a_listed_test_is_marked_and_no_other(request: pytest.FixtureRequest) -> None:
    for item in request.session.items:
        assert (item.get_closest_marker("slow") is not None) == item.nodeid.startswith(SLOW)


@pytest.mark.parametrize("fast", [False, True])
def test_under_ci_every_example_is_drawn_and_always_the_same(fast: bool) -> None:
    """CI runs the fast tests under several versions of Python: what fails in one has to be seen here too."""
    profile = settings.get_profile(usual_profile(fast=fast, ci=True))
    assert profile.derandomize and profile.max_examples == 30


def test_elsewhere_examples_are_new_every_time_and_the_fast_tests_draw_fewer() -> None:
    fast, all_ = (settings.get_profile(usual_profile(fast=fast, ci=False)) for fast in (True, False))
    assert not fast.derandomize and not all_.derandomize
    assert fast.max_examples < all_.max_examples
