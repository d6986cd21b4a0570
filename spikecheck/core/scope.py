"""A map of where a claim holds over two ladders, as it is written to a file: one judgement a cell, without pooling."""

from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, model_validator

from spikecheck.core.errors import SettingError
from spikecheck.core.judgement import Judgement, Outcome
from spikecheck.core.record import Record
from spikecheck.core.setting import Setting

Value = bool | int | float | str | None

CUTOFF = "cutoff"
"""The axis that is not a condition of a setting: the cut-off with which the claim's effect is measured."""

AS_CLAIMED = "as claimed"
"""The value of the axis `CUTOFF` for the claim's own measure."""


class Axis(Record):
    """One condition, or the claim's cut-off, and the values it takes over the map, in the order in which they are drawn."""

    name: str = Field(description="a condition of the setting, or cutoff")
    values: tuple[Value, ...] = Field(min_length=2)


class Scope(Record):
    """A claim judged in every cell of a grid. It is descriptive: nothing is corrected for the number of cells."""

    x: Axis
    y: Axis
    centre: Setting = Field(description="the setting that gives every other condition")
    seeds: int = Field(ge=1, description="seeds trained in every cell")
    fewest: int = Field(ge=1, description="applicable seeds below which a cell is untriggered")
    cells: tuple[Judgement, ...] = Field(
        description="row-major: y's first value with each of x's values, then the next"
    )

    @model_validator(mode="after")
    def _has_every_cell(self) -> Self:
        columns, rows = len(self.x.values), len(self.y.values)
        if len(self.cells) != columns * rows:
            raise SettingError(
                f"cells: contains {len(self.cells)} judgements; give {columns} x {rows}, one for each cell"
            )
        return self

    def cell(self, column: int, row: int) -> Judgement:
        """The judgement at x's value number `column` and y's value number `row`, both counted from 0."""
        return self.cells[row * len(self.x.values) + column]

    def place(self, setting: Setting) -> tuple[int, int] | None:
        """Column and row of the cell with this setting and the claim's own cut-off; None where there is none."""
        for number, cell in enumerate(self.cells):
            row, column = divmod(number, len(self.x.values))
            values = {self.x.name: self.x.values[column], self.y.name: self.y.values[row]}
            if cell.setting == setting and values.get(CUTOFF, AS_CLAIMED) == AS_CLAIMED:
                return column, row
        return None


class ScopeMap(Record):
    """The result of one `spikecheck map`."""

    schema_: Literal["spikecheck/map@1"] = Field("spikecheck/map@1", alias="schema")
    command: str
    claim: str = Field(description="the claim's id")
    says: str
    where: str
    rule: str = Field(description="the decision rule in words, applied to each cell by itself")
    reference: Setting = Field(description="the claim's reference setting, whether or not it is a cell")
    scopes: tuple[Scope, ...] = Field(min_length=1, description="one a map, in the order in which they were requested")
    seed: int = Field(description="root of all seeds")
    environment: dict[str, str | int | float]
    definitions: dict[str, str]
    specification: str = Field(description="digest of the claim: thresholds, domain, arms")


class Reading(StrEnum):
    """How a cell of a map is to be read."""

    JUDGED = "judged"
    UNTRIGGERED = "untriggered"
    """Too few seeds met the precondition: the cell counts neither for nor against the claim."""
    LOST = "lost"
    """Most trainings diverged, so the rest are no fair sample of the setting: the cell counts neither for nor against."""


def reading(cell: Judgement) -> Reading:
    """Whether the cell's share of seeds may be read, and if not, why."""
    if 2 * cell.numerical_failures > cell.drawn:
        return Reading.LOST
    return Reading.UNTRIGGERED if cell.outcome is Outcome.UNTRIGGERED else Reading.JUDGED
