"""Trainings done before they are requested, where a core would otherwise be idle."""

from collections.abc import Iterable, Iterator
from contextlib import suppress

from spikecheck.core.errors import SpikecheckError
from spikecheck.core.recipe import Recipe
from spikecheck.lab.batching import tiles
from spikecheck.lab.execution.order import NOTHING, Tile
from spikecheck.lab.run_cache import RunCache


class Prefetch:
    """The recipes that will be requested next, and which of them are trained already."""

    def __init__(self, cache: RunCache, memory: int) -> None:
        self.tiles: Iterator[Tile] = NOTHING
        """The next tiles to train ahead; each is put together only when its turn has come."""
        self._cache, self._memory = cache, memory
        self._under_way: set[Recipe] = set()
        """Recipes being trained now, requested or ahead; they must not be begun a second time."""
        self._unclaimed: set[Recipe] = set()
        """Recipes that were trained ahead and have not been requested yet."""

    def anticipate(self, rounds: Iterable[Iterable[Recipe]]) -> None:
        """Train these ahead, in this order. They must be plain trainings, no forks and no probes."""
        self.tiles = self._tiles(rounds)

    def begin(self, recipes: Iterable[Recipe]) -> None:
        """Note that training of these begins."""
        self._under_way.update(recipes)

    def end(self, tile: Tile, *, ahead: bool) -> None:
        """Note that a tile is trained; `ahead` where it was not requested."""
        self._under_way.difference_update(tile)
        if ahead:
            self._unclaimed.update(tile)

    def claim(self, recipes: Iterable[Recipe]) -> int:
        """How many of these were trained ahead and are requested for the first time: they count as trained, not as reused."""
        first = self._unclaimed.intersection(recipes)
        self._unclaimed -= first
        return len(first)

    def _tiles(self, rounds: Iterable[Iterable[Recipe]]) -> Iterator[Tile]:
        for recipes in rounds:
            missing: tuple[Recipe, ...] = ()
            with suppress(SpikecheckError):  # a recipe that cannot be trained raises when it is requested
                missing = self._untouched(dict.fromkeys(recipes))
            for tile in tiles(missing, self._memory):
                if left := self._untouched(tile):
                    self.begin(left)
                    yield left

    def _untouched(self, recipes: Iterable[Recipe]) -> tuple[Recipe, ...]:
        return tuple(recipe for recipe in recipes if recipe not in self._under_way and recipe not in self._cache)
