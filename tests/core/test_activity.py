"""Names of pauses reach every listener that is registered, and only those."""

import pytest

from spikecheck.core.activity import busy, heard_by


def test_every_listener_hears_the_beginning_and_the_end() -> None:
    first: list[str] = []
    second: list[str] = []
    with heard_by(first.append):
        with heard_by(second.append), busy("compiling"):
            assert first == second == ["compiling"]
        with busy("starting workers"):
            pass
    with busy("heard by nobody"):
        pass
    assert first == ["compiling", "", "starting workers", ""]
    assert second == ["compiling", ""]


def test_an_activity_that_fails_is_over_and_its_listener_gone() -> None:
    heard: list[str] = []
    with pytest.raises(ZeroDivisionError), heard_by(heard.append), busy("dividing"):
        _ = 1 / 0
    assert heard == ["dividing", ""]
    with busy("later"):
        assert heard == ["dividing", ""]
