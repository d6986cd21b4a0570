"""Trainings done ahead of being asked for, where a core would otherwise be idle."""

from collections.abc import Iterable, Iterator
from contextlib import suppress

from spikecheck.core.errors import SpikecheckError
from spikecheck.core.recipe import Recipe
from spikecheck.lab.batching import tiles
from spikecheck.lab.execution.order import NOTHING, Tile
from spikecheck.lab.run_cache import RunCache


class Prefetch:
    """What will be asked for next, and what of it is trained already."""

    def __init__(self, cache: RunCache, memory: int) -> None:
        self.tiles: Iterator[Tile] = NOTHING
        """The next tiles to train ahead, as it is when each one's turn has come."""
        self._cache, self._memory = cache, memory
        self._under_way: set[Recipe] = set()
        """What is being trained, asked for or ahead: not to be begun a second time."""
        self._unclaimed: set[Recipe] = set()
        """What was trained ahead and has not been asked for."""

    def anticipate(self, rounds: Iterable[Iterable[Recipe]]) -> None:
        """Train these in this order; trainings only, no forks and no probes."""
        self.tiles = self._tiles(rounds)

    def begin(self, recipes: Iterable[Recipe]) -> None:
        """These are being trained now."""
        self._under_way.update(recipes)

    def end(self, tile: Tile, *, ahead: bool) -> None:
        """These are trained; `ahead` of being asked for."""
        self._under_way.difference_update(tile)
        if ahead:
            self._unclaimed.update(tile)

    def claim(self, recipes: Iterable[Recipe]) -> int:
        """How many of these were trained ahead and are asked for the first time: they count as trained, not as reused."""
        first = self._unclaimed.intersection(recipes)
        self._unclaimed -= first
        return len(first)

    def _tiles(self, rounds: Iterable[Iterable[Recipe]]) -> Iterator[Tile]:
        for recipes in rounds:
            missing: tuple[Recipe, ...] = ()
            with suppress(SpikecheckError):  # one that cannot be trained says so when it is asked for
                missing = self._untouched(dict.fromkeys(recipes))
            for tile in tiles(missing, self._memory):
                if left := self._untouched(tile):
                    self.begin(left)
                    yield left

    def _untouched(self, recipes: Iterable[Recipe]) -> tuple[Recipe, ...]:
        return tuple(recipe for recipe in recipes if recipe not in self._under_way and recipe not in self._cache)
