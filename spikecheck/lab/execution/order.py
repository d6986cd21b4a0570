"""The types of an executor's requests and results."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from spikecheck.core.recipe import Recipe
from spikecheck.lab.trained import Trained

Tile = tuple[Recipe, ...]


@dataclass(frozen=True)
class Job:
    """One tile, the trainings that its recipes start from, and those that exchanges take parameters from."""

    tile: Tile
    parents: tuple[Trained, ...]
    partners: tuple[Trained, ...] = ()
    size: int = field(kw_only=True)
    """Members that train together, including the copies that fill the tile."""

    def part(self, first: int, size: int) -> "Job":
        """The job of at most `size` of its recipes, from index `first` on."""
        some = slice(first, first + size)
        return Job(self.tile[some], self.parents[some], self.partners[some], size=size)


Load = Callable[[Tile], Job]
"""Builds a tile's job. Called only when the tile's turn has come: the parents of all tiles would take gigabytes."""


def nothing_ahead(_: int) -> Sequence[Tile]:
    """No tile is known that will be ordered later."""
    return ()


@dataclass(frozen=True)
class TrainingRequest:
    """The tiles that an executor must train."""

    tiles: Sequence[Tile]
    load: Load
    device: str
    tick: Callable[[Tile, int], None]
    """Receives the additional member-steps made of a tile, and may raise to stop the work."""
    ahead: Callable[[int], Sequence[Tile]] = nothing_ahead
    """Yields at most so many tiles that will be ordered later; an executor takes them when cores would be idle."""
    expected: float = 0.0
    """Seconds on a typical core that this order and later ones are expected to take together, where that was announced."""


Answers = Iterator[tuple[Tile, list[Trained] | None]]
"""Finished tiles with their results; None where a worker has stored them itself."""


class Executor(Protocol):
    """Trains tiles, and yields each tile's results as soon as it is done."""

    def results(self, order: TrainingRequest) -> Answers:
        """Yield the results, in any order. Tiles taken from `ahead` are yielded too, by this call or a later one."""
        ...

    def close(self) -> None:
        """End the workers that were started."""
        ...
