"""Trainings done before they are requested, where a core would otherwise be idle."""

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress

from spikecheck.core.errors import SpikecheckError
from spikecheck.core.recipe import Recipe
from spikecheck.lab.batching import tiles
from spikecheck.lab.execution.order import Tile
from spikecheck.lab.lineage import can_start, generations, starts, with_ancestors
from spikecheck.lab.run_cache import RunCache

Round = deque[list[Recipe]]
"""The generations of one future request that are left, parents before children."""


class Prefetch:
    """The recipes that will be requested next, and which of them are trained already."""

    def __init__(self, cache: RunCache, memory: int) -> None:
        self._cache, self._memory = cache, memory
        self._later: Iterator[Iterable[Recipe]] = iter(())
        """Rounds whose runs were not requested yet."""
        self._open: list[Round] = []
        self._ready: deque[Tile] = deque()
        """Tiles that can be trained now."""
        self._under_way: set[Recipe] = set()
        """Recipes being trained now, requested or ahead; they must not be begun a second time."""
        self._ahead: dict[Recipe, Tile] = {}
        """Of these, the ones that are trained ahead, with their tiles."""
        self._unclaimed: set[Recipe] = set()
        """Recipes that were trained ahead and have not been requested yet."""

    def anticipate(self, rounds: Iterable[Iterable[Recipe]]) -> None:
        """Train these ahead, in this order. A round is what one request will need."""
        self._later, self._open = iter(rounds), []
        self._ready.clear()

    def take(self, room: int) -> list[Tile]:
        """At most `room` tiles to train ahead. None begins before everything that it starts from is there."""
        taken: list[Tile] = []
        while len(taken) < room and (self._ready or self._look_further()):
            if left := self._untouched(self._ready.popleft()):
                self._under_way.update(left)
                self._ahead.update(dict.fromkeys(left, left))
                taken.append(left)
        return taken

    def begin(self, recipes: Sequence[Recipe]) -> list[Tile]:
        """The tiles that these, which are requested now, are trained in; those begun ahead stay as they were begun."""
        self._under_way.update(recipes)
        begun = dict.fromkeys(self._ahead[recipe] for recipe in recipes if recipe in self._ahead)
        return [*begun, *tiles((recipe for recipe in recipes if recipe not in self._ahead), self._memory)]

    def end(self, tile: Tile, requested: Collection[Recipe]) -> None:
        """Note that a tile is trained, of which these recipes were requested by now."""
        self._under_way.difference_update(tile)
        for recipe in tile:
            self._ahead.pop(recipe, None)
        self._unclaimed.update(recipe for recipe in tile if recipe not in requested)

    def claim(self, recipes: Iterable[Recipe]) -> int:
        """How many of these were trained ahead and are requested for the first time: they count as trained, not as reused."""
        first = self._unclaimed.intersection(recipes)
        self._unclaimed -= first
        return len(first)

    def _look_further(self) -> bool:
        """Find tiles that can be trained: in the rounds that were begun, else in later ones. False where there are none."""
        for one in self._open:
            self._advance(one)
            if self._ready:
                return True
        self._open = [one for one in self._open if one]
        for recipes in self._later:
            with suppress(SpikecheckError):  # a recipe that cannot be trained raises when it is requested
                self._open.append(deque(generations(with_ancestors(recipes))))
                self._advance(self._open[-1])
            if self._ready:
                return True
        return False

    def _advance(self, one: Round) -> None:
        """Make the round's next generation ready, unless something that it starts from is still being trained."""
        while one and not self._ready and not any(self._waits(recipe) for recipe in one[0]):
            missing = self._untouched(one.popleft())
            self._ready.extend(tiles(filter(self._can_start, missing), self._memory))

    def _waits(self, recipe: Recipe) -> bool:
        return any(start in self._under_way for start in starts(recipe) if start != recipe)

    def _can_start(self, recipe: Recipe) -> bool:
        """Whether everything that the recipe starts from is there; what never spiked has no fork."""
        before = [start for start in starts(recipe) if start != recipe]
        known = {start: trained.run for start in before if (trained := self._cache.get(start)) is not None}
        return len(known) == len(before) and can_start(recipe, known)

    def _untouched(self, recipes: Iterable[Recipe]) -> tuple[Recipe, ...]:
        return tuple(recipe for recipe in recipes if recipe not in self._under_way and recipe not in self._cache)
