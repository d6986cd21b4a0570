"""The progress of tiles as reported to observers: in member-steps, and in seconds of a typical core."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spikecheck.core.events import Observer, TileAdvanced, TileStored, WorkPlanned
from spikecheck.core.work import Work, total
from spikecheck.lab.batching import kind_of, member_steps, seconds
from spikecheck.lab.execution.order import Tile

if TYPE_CHECKING:
    from spikecheck.core.recipe import Recipe


@dataclass
class _Left:
    member_steps: int
    a_step: float
    """Seconds that a member-step is expected to take on a typical core."""
    kind: str
    """Kind of work."""

    @property
    def work(self) -> Work:
        return {self.kind: self.member_steps * self.a_step}


class TileProgress:
    """Reports the progress of tiles, and never more of a tile than was planned.

    The limit is needed because the length of an Anatomy's window is not known before it is measured.
    """

    def __init__(self, observe: Observer, memory: int) -> None:
        self._observe, self._memory = observe, memory
        self._left: dict[Recipe, _Left] = {}
        """Work left, by the first recipe of each tile."""

    def plan(self, tiles: Sequence[Tile], reused: int) -> None:
        """Report the tiles to be trained, and how many runs are reused."""
        left = [self._of(tile) for tile in tiles]
        self._observe(WorkPlanned(sum(one.member_steps for one in left), reused, total(*(one.work for one in left))))

    def advance(self, tile: Tile, made: int, *, ahead: bool) -> None:
        """Report `made` more member-steps of a tile; `ahead` where it was not requested yet."""
        left = self._of(tile)
        made = min(made, left.member_steps)
        left.member_steps -= made
        if made:
            self._observe(TileAdvanced(made, made * left.a_step, ahead, left.kind))

    def finish(self, tile: Tile, spikes: int, *, ahead: bool) -> None:
        """Report that a tile is done, and how many spikes its runs had."""
        self.advance(tile, self._of(tile).member_steps, ahead=ahead)
        del self._left[tile[0]]
        self._observe(TileStored(len(tile), spikes))

    def _of(self, tile: Tile) -> _Left:
        if tile[0] not in self._left:
            planned = member_steps(tile, self._memory)
            self._left[tile[0]] = _Left(planned, seconds(tile) / max(planned, 1), kind_of(tile[0]))
        return self._left[tile[0]]
