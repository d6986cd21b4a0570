"""Trained runs by their recipes: in memory, and in the store where there is one."""

from spikecheck.core.errors import StoreError
from spikecheck.core.events import Observer, StoreTrouble
from spikecheck.core.recipe import Environment, Recipe
from spikecheck.lab.batching import compiles, cut_short
from spikecheck.lab.memory_cache import MEMORY, Recent
from spikecheck.lab.run_codec import decode, encode
from spikecheck.lab.store_address import RunStore
from spikecheck.lab.trained import Trained
from spikecheck.objective.sources import sources


class RunCache:
    """Looks runs up and keeps them. After a failed write the store is still read, and memory keeps every new run."""

    def __init__(self, store: RunStore | None, where: Environment, observe: Observer) -> None:
        self.writes = store is not None
        """Whether kept runs are stored. False without a store, and after a failed write."""
        self._store, self._where, self._observe = store, where, observe
        self._recent = Recent(MEMORY if store is not None else None)
        self._digests: dict[Recipe, str] = {}

    def digest(self, recipe: Recipe) -> str:
        """The digest under which the recipe's run is stored on this machine."""
        if recipe not in self._digests:
            where = self._where if compiles(recipe) else self._where.uncompiled()
            self._digests[recipe] = recipe.digest(where, sources(recipe.setting) + cut_short(recipe.setting))
        return self._digests[recipe]

    def __contains__(self, recipe: Recipe) -> bool:
        """Whether there is an entry for the recipe. Whether it is damaged shows only when it is read."""
        digest = self.digest(recipe)
        return digest in self._recent or (self._store is not None and digest in self._store)

    def get(self, recipe: Recipe) -> Trained | None:
        """The recipe's run; None where it must be trained."""
        digest = self.digest(recipe)
        known = self._recent.get(digest)
        if known is not None or self._store is None:
            return known
        try:
            entry = self._store.get(digest)
            if entry is None:
                return None
            trained = Trained(*decode(entry))
        except StoreError as error:  # a damaged entry, or a disk that cannot be read
            self._observe(StoreTrouble(f"{error}; it is trained again"))
            return None
        self._recent.add(digest, trained)
        return trained

    def stored(self, recipe: Recipe) -> Trained:
        """The run that a worker reports to have stored.

        Raises:
            StoreError: when the store does not have it.
        """
        trained = self.get(recipe)
        if trained is None:
            where = self._store.address if self._store is not None else "no store"
            raise StoreError(
                f"store {where}: lacks what a worker has stored; give --store a place that all workers see"
            )
        return trained

    def keep(self, recipe: Recipe, trained: Trained, *, in_memory: bool = True) -> None:
        """Store a run, and keep it in memory too. Without `in_memory`, memory keeps it only if it cannot be stored."""
        digest = self.digest(recipe)
        if in_memory or not self.writes:
            self._recent.add(digest, trained)
        if self._store is None or not self.writes:
            return
        try:
            self._store.put(digest, encode(trained.run, trained.checkpoints, recipe.probe))
        except StoreError as error:
            self.writes, self._recent.limit = False, None
            self._recent.add(digest, trained)
            self._observe(StoreTrouble(f"{error}; going on without storing"))

    def forget(self) -> None:
        """Drop from memory the runs that the store has."""
        self._digests.clear()
        if self.writes:
            self._recent.clear()
