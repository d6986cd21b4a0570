"""A user's strings cannot control a terminal."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from spikecheck.report.sanitize import inert


@given(st.text(st.characters(), max_size=60))
def test_no_control_character_and_no_line_break_is_left(text: str) -> None:
    assert not [c for c in inert(text) if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")]


@given(st.text(max_size=60))
def test_a_second_pass_changes_nothing(text: str) -> None:
    assert inert(inert(text)) == inert(text)


def test_letters_of_any_script_stay() -> None:
    assert inert("η λ_max = 2, 学習率, [bold]") == "η λ_max = 2, 学習率, [bold]"


def test_text_that_reads_backwards_does_not() -> None:
    assert inert("safe\u202eexe.txt\u2066") == "safeexe.txt"
