"""What changed between two files of results."""

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
    """Everything that both files have, the regressions first."""

    before: str
    after: str
    lines: tuple[Line, ...]

    @property
    def code(self) -> int:
        """1 where something that passed has stopped passing."""
        return int(any(line.kind == "regressed" for line in self.lines))
