"""A page of text: prose, rows under a column of labels, and lines that must stay whole."""

from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

_LABELS = 13
"""Width of the column of labels."""
_WIDEST = 100
"""Longer lines are hard to read, however wide the terminal is."""


class Page:
    """Prints lines that never exceed the console's width and carry no trailing blanks.

    Everything is `Text`, so that brackets in a user's strings stay brackets.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.width = min(console.width, _WIDEST)
        self.ascii_only = not (console.encoding or "").lower().startswith("utf")

    @property
    def room(self) -> int:
        """Characters beside the labels."""
        return self.width - _LABELS

    def say(self, text: str | Text, style: str = "", indent: int = 0) -> None:
        """A paragraph."""
        for line in self._wrapped(_text(text, style), self.width - indent):
            self._put(Text(" " * indent) + line)

    def row(self, label: str, value: str | Text, style: str = "") -> None:
        """A value beside its label; further lines hang under the first."""
        lines = self._wrapped(_text(value, style), self.room)
        for number, line in enumerate(lines):
            head = Text.assemble((f"  {label if number == 0 else '':<{_LABELS - 2}}", "cyan"))
            if number == 0 and len(label) > _LABELS - 3:
                self._put(Text(f"  {label}", style="cyan"))
                head = Text(" " * _LABELS)
            self._put(head + line)

    def rows(self, label: str, values: Iterable[str | Text], style: str = "") -> None:
        """Several values beside one label."""
        for number, value in enumerate(values):
            self.row(label if number == 0 else "", value, style)

    def rule(self) -> None:
        """A line across the page."""
        self._put(Text(("-" if self.ascii_only else "─") * self.width, style="dim"))

    def blank(self) -> None:
        """An empty line."""
        self._put(Text())

    def verbatim(self, text: str | Text) -> None:
        """One line as it is, however long: to be copied, or already made to measure."""
        self._put(_text(text, ""))

    def _wrapped(self, text: Text, width: int) -> Iterable[Text]:
        return text.wrap(self.console, max(width, 16)) if text.plain else [text]

    def _put(self, line: Text) -> None:
        line = line.copy()
        if self.console.color_system is None or not _ends_in_colour(line):
            line.rstrip()
        self.console.print(line, soft_wrap=True, highlight=False)


def _text(value: str | Text, style: str) -> Text:
    return value if isinstance(value, Text) else Text(value, style=style)


def _ends_in_colour(line: Text) -> bool:
    """Whether the last characters have a background, so that they are seen even where they are blank."""
    return any(" on " in str(span.style) and span.end == len(line) for span in line.spans)
