"""Pages in the terminal: no line is wider than the console, and nothing is lost."""

import io

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from spikecheck.report.page import Page

WORDS = st.lists(st.text(st.characters(categories=["Ll"], max_codepoint=127), min_size=1, max_size=9), max_size=30)


def printed(page: Page) -> list[str]:
    file = page.console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue().split("\n")


def page_of(width: int) -> Page:
    return Page(Console(file=io.StringIO(), width=width, force_terminal=False))


@given(WORDS, st.integers(40, 140))
def test_lines_fit_and_keep_every_word_in_order(words: list[str], width: int) -> None:
    page = page_of(width)
    page.say(" ".join(words), indent=2)
    page.row("label", " ".join(words))
    lines = printed(page)
    assert max(map(len, lines)) <= min(width, 100)
    assert all(line == line.rstrip() for line in lines)
    assert " ".join(lines).replace("label", "").split() == [*words, *words]


def test_a_long_label_stands_on_a_line_of_its_own() -> None:
    page = page_of(80)
    page.row("a label that is too long", "value")
    assert printed(page) == ["  a label that is too long", "             value", ""]


def test_a_command_to_copy_is_never_wrapped() -> None:
    page = page_of(40)
    page.verbatim("x" * 90)
    assert printed(page) == ["x" * 90, ""]


def test_brackets_of_a_user_are_no_markup() -> None:
    page = page_of(80)
    page.say("[bold]not bold[/bold]")
    assert printed(page)[0] == "[bold]not bold[/bold]"
