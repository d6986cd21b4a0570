"""The changes between two files of results."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["regressed", "improved", "changed", "same"]


@dataclass(frozen=True)
class Line:
    """One claim, or one row of a scorecard, in both files."""

    name: str
    kind: Kind
    before: str
    after: str


@dataclass(frozen=True)
class Comparison:
    """Everything that both files contain, regressions first."""

    before: str
    after: str
    lines: tuple[Line, ...]

    @property
    def code(self) -> int:
        """The exit code: 1 if something that passed before no longer passes, otherwise 0."""
        return int(any(line.kind == "regressed" for line in self.lines))
