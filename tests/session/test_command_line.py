"""The command as it was typed."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.session.command_line import command_line

PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126))


@given(words=st.lists(PRINTABLE))
def test_a_shell_reads_the_same_words(words: list[str]) -> None:
    with pytest.MonkeyPatch.context() as here:
        here.setattr("sys.argv", ["/usr/bin/spikecheck", *words])
        assert shlex.split(command_line()) == ["spikecheck", *words]


def test_control_characters_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["x", "--claim", "a\x1b[31m\u202eb"])
    assert "\x1b" not in command_line() and "\u202e" not in command_line()
    assert command_line().startswith("spikecheck --claim ")
