"""A page of text in the terminal: paragraphs, labelled rows, and unwrapped lines."""

from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

_LABELS = 13
"""Width of the column of labels."""
_WIDEST = 100
"""Widest line, in characters: longer ones are hard to read."""


class Page:
    """Prints lines within the console's width and without trailing blanks.

    Strings become `Text`, so that rich does not read brackets in a user's strings as markup.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.width = min(console.width, _WIDEST)
        self.ascii_only = not (console.encoding or "").lower().startswith("utf")

    @property
    def room(self) -> int:
        """Width right of the labels, in characters."""
        return self.width - _LABELS

    def say(self, text: str | Text, style: str = "", indent: int = 0) -> None:
        """Print a paragraph, wrapped."""
        for line in self._wrapped(_text(text, style), self.width - indent):
            self._put(Text(" " * indent) + line)

    def row(self, label: str, value: str | Text, style: str = "") -> None:
        """Print a value next to its label; wrapped lines are indented below it."""
        lines = self._wrapped(_text(value, style), self.room)
        for number, line in enumerate(lines):
            head = Text.assemble((f"  {label if number == 0 else '':<{_LABELS - 2}}", "cyan"))
            if number == 0 and len(label) > _LABELS - 3:
                self._put(Text(f"  {label}", style="cyan"))
                head = Text(" " * _LABELS)
            self._put(head + line)

    def rows(self, label: str, values: Iterable[str | Text], style: str = "") -> None:
        """Print several values next to one label, each on lines of its own."""
        for number, value in enumerate(values):
            self.row(label if number == 0 else "", value, style)

    def rule(self) -> None:
        """Print a line across the page."""
        self._put(Text(("-" if self.ascii_only else "─") * self.width, style="dim"))

    def blank(self) -> None:
        """Print an empty line."""
        self._put(Text())

    def verbatim(self, text: str | Text) -> None:
        """Print one line unwrapped: a command to copy, or a line that already fits."""
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
    """Whether the last characters have a background colour, so that blanks at the end are visible."""
    return any(" on " in str(span.style) and span.end == len(line) for span in line.spans)
