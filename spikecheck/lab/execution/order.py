"""What an executor is given and what it answers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from spikecheck.core.recipe import Recipe
from spikecheck.lab.batch import Trained

Tile = tuple[Recipe, ...]


@dataclass(frozen=True)
class Job:
    """One tile, the trainings its recipes start from, and those they exchange with."""

    tile: Tile
    parents: tuple[Trained, ...]
    partners: tuple[Trained, ...] = ()
    size: int = field(kw_only=True)
    """Members that train together, copies of the first included."""

    def part(self, first: int, size: int) -> "Job":
        """At most `size` of its recipes, from `first` on, with what each starts from."""
        some = slice(first, first + size)
        return Job(self.tile[some], self.parents[some], self.partners[some], size=size)


Load = Callable[[Tile], Job]
"""A tile's job, with what its recipes start from. Called when the tile's turn has come: all at once would take gigabytes."""
NOTHING: Iterator[Tile] = iter(())


@dataclass(frozen=True)
class TrainingRequest:
    """What is to be trained."""

    tiles: Sequence[Tile]
    load: Load
    device: str
    tick: Callable[[Tile, int], None]
    """Is told how many more member-steps of a tile were made, and may raise to stop."""
    ahead: Iterator[Tile] = NOTHING
    """What will be ordered later: taken from where a core would be idle."""


Answers = Iterator[tuple[Tile, list[Trained] | None]]
"""Tiles as they are done, with their results; None for what a worker has stored itself."""


class Executor(Protocol):
    """Trains tiles and gives each one's results as soon as they are there."""

    def results(self, order: TrainingRequest) -> Answers:
        """In any order. What was taken from `ahead` is answered too, at this call or a later one."""
        ...

    def close(self) -> None:
        """Let go of what was started."""
        ...
