"""How far tiles are, as observers are told: in member-steps, and in seconds of a usual core."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spikecheck.core.events import Observer, TileAdvanced, TileStored, WorkPlanned
from spikecheck.lab.batching import member_steps, seconds
from spikecheck.lab.execution.order import Tile

if TYPE_CHECKING:
    from spikecheck.core.recipe import Recipe


@dataclass
class _Left:
    member_steps: int
    a_step: float
    """Seconds that a member-step is expected to take on a usual core."""


class TileProgress:
    """Never tells more of a tile than was planned: how long an autopsy is, nobody knows beforehand."""

    def __init__(self, observe: Observer, memory: int) -> None:
        self._observe, self._memory = observe, memory
        self._left: dict[Recipe, _Left] = {}
        """By the first recipes of the tiles."""

    def plan(self, tiles: Sequence[Tile], reused: int) -> None:
        """These are to be trained; so many runs are there already."""
        left = [self._of(tile) for tile in tiles]
        self._observe(
            WorkPlanned(
                sum(one.member_steps for one in left), reused, sum(one.member_steps * one.a_step for one in left)
            )
        )

    def advance(self, tile: Tile, made: int, *, ahead: bool) -> None:
        """So many member-steps more were made."""
        left = self._of(tile)
        made = min(made, left.member_steps)
        left.member_steps -= made
        if made:
            self._observe(TileAdvanced(made, made * left.a_step, ahead))

    def finish(self, tile: Tile, spikes: int, *, ahead: bool) -> None:
        """The tile is done; its runs had so many spikes."""
        self.advance(tile, self._of(tile).member_steps, ahead=ahead)
        del self._left[tile[0]]
        self._observe(TileStored(len(tile), spikes))

    def _of(self, tile: Tile) -> _Left:
        if tile[0] not in self._left:
            planned = member_steps(tile, self._memory)
            self._left[tile[0]] = _Left(planned, seconds(tile) / max(planned, 1))
        return self._left[tile[0]]
