"""The laboratory: looks up, trains and stores the runs of requested recipes. Nothing else trains or stores."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

from spikecheck.core.activity import heard_by
from spikecheck.core.errors import BudgetSpent, Interrupted, Stopped, what_stays
from spikecheck.core.events import Busy, Observer, RunsRead, ignore
from spikecheck.core.recipe import Recipe
from spikecheck.core.run import Run
from spikecheck.lab.batching import filled_size
from spikecheck.lab.device import Device, environment, usable
from spikecheck.lab.execution.local import Local
from spikecheck.lab.execution.order import Executor, Job, Tile, TrainingRequest
from spikecheck.lab.interrupts import Interrupts
from spikecheck.lab.lineage import can_start, generation, generations, starts, with_ancestors
from spikecheck.lab.prefetch import Prefetch
from spikecheck.lab.run_cache import RunCache
from spikecheck.lab.store_address import RunStore
from spikecheck.lab.tile_progress import TileProgress
from spikecheck.lab.trained import Trained


@dataclass(frozen=True)
class Request:
    """Recipes requested together, and the runs found so far, of these recipes and of those they start from."""

    wanted: tuple[Recipe, ...]
    keeps_runs: bool = True
    """Whether all runs stay in memory. If not, only runs that others start from do; the rest is read from the store later."""
    counts_reused: bool = True
    runs: dict[Recipe, Run] = field(default_factory=dict)

    @cached_property
    def everything(self) -> list[Recipe]:
        """The wanted recipes and those they start from."""
        return with_ancestors(self.wanted)

    @cached_property
    def asked(self) -> frozenset[Recipe]:
        """`everything`, to look up."""
        return frozenset(self.everything)

    @cached_property
    def _started_from(self) -> set[Recipe]:
        return {start for recipe in self.everything for start in starts(recipe) if start != recipe}

    def keeps(self, recipe: Recipe) -> bool:
        """Whether the recipe's run stays in memory."""
        return self.keeps_runs or recipe in self._started_from

    def answers(self) -> dict[Recipe, Run]:
        """The runs of the wanted recipes. A recipe that cannot start has no run."""
        return {recipe: self.runs[recipe] for recipe in self.wanted if recipe in self.runs}


class Laboratory:
    """Looks up, trains and stores runs. Runs trained before are read from the store.

    Work stopped by Ctrl-C or by the deadline raises `Stopped`; every tile finished before is stored.
    """

    def __init__(
        self,
        store: RunStore | None = None,
        device: Device = "auto",
        observe: Observer = ignore,
        deadline: float | None = None,
        executor: Executor | None = None,
    ) -> None:
        """`store`: where runs are kept; without one, they live as long as the laboratory.

        `device`: "cpu", "cuda", "mps", or "auto" for CUDA where there is one and the CPU elsewhere. `observe` receives the
        events of the work. `deadline`: a value of `time.monotonic()`, in seconds. `executor` trains the tiles; by default,
        this process does.

        Raises:
            UsageError: when torch sees no such device.
        """
        self.device = usable(device)
        self.environment = environment(self.device)
        self.stopped: Stopped | None = None
        self.runs_trained = 0
        self.runs_reused = 0
        self._cache = RunCache(store, self.environment, observe)
        self._prefetch = Prefetch(self._cache, self.environment.memory)
        self._progress = TileProgress(observe, self.environment.memory)
        self._executor = executor or Local()
        self._observe, self._deadline, self._interrupts = observe, deadline, Interrupts()
        self._stored = store is not None
        self._expected = 0.0
        self._told: set[Recipe] = set()
        """Recipes of runs whose spikes were reported."""

    def runs(self, recipes: Iterable[Recipe]) -> Mapping[Recipe, Run]:
        """The recipes' runs, trained where they are not stored. A fork whose parent never spiked has no run.

        Raises:
            Stopped: when the deadline passes or Ctrl-C is pressed.
        """
        request = Request(tuple(dict.fromkeys(recipes)))
        self._fulfil(request)
        return request.answers()

    def each(self, blocks: Sequence[Sequence[Recipe]]) -> Iterator[Mapping[Recipe, Run]]:
        """Train the runs of all blocks together, then yield each block's runs in turn.

        Training together keeps all cores busy. With a store, each block is read back from it, so memory holds only one block.

        Raises:
            Stopped: when the deadline passes or Ctrl-C is pressed.
        """
        everything = Request(tuple(dict.fromkeys(r for block in blocks for r in block)), keeps_runs=not self._stored)
        self._fulfil(everything)
        for block in blocks:
            again = Request(tuple(dict.fromkeys(block)), counts_reused=False)
            if self._stored:
                self._fulfil(again)
            else:
                again.runs.update(everything.runs)
            yield again.answers()

    @property
    def stores(self) -> bool:
        """False without a store, and after a failed write."""
        return self._cache.writes

    def is_stored(self, recipe: Recipe) -> bool:
        """Whether the recipe's run is there without training."""
        return recipe in self._cache

    def anticipate(self, rounds: Iterable[Iterable[Recipe]], seconds: float = 0.0) -> None:
        """Announce which recipes will be requested next, in this order: they are trained where a core would be idle.

        A round holds what one request will need; the forks and probes among it follow once what they start from is trained.
        An executor of one process ignores them. `seconds`: about how long what is not stored of them takes on a typical core.
        """
        self._prefetch.anticipate(rounds)
        self._expected = seconds

    def forget(self) -> None:
        """Drop from memory what the store has: the runs of many claims together take gigabytes."""
        self._cache.forget()
        self._told.clear()

    def close(self) -> None:
        """End the workers, where there are any. The laboratory stays usable: it starts them again."""
        self._executor.close()

    def _fulfil(self, request: Request) -> None:
        """Find or train all runs of the request, parents before forks and probes."""
        with self._stoppable():
            for recipes in generations(request.everything):
                planned = self._planned([recipe for recipe in recipes if can_start(recipe, request.runs)], request)
                ordered = set(planned)
                for tile, results in self._executor.results(self._order(planned)):
                    self._finish(tile, results, request, ahead=tile not in ordered)
        self._tell_spikes(request)

    @contextmanager
    def _stoppable(self) -> Iterator[None]:
        """Ctrl-C and the deadline raise `Stopped`, which says what is kept."""
        try:
            with Interrupts() as self._interrupts, heard_by(lambda doing: self._observe(Busy(doing))):
                yield
        except KeyboardInterrupt:
            self.stopped = Interrupted(f"interrupted; {self._what_stays}")
            raise self.stopped from None
        except Stopped as stopped:
            self.stopped = stopped
            raise

    def _planned(self, recipes: Sequence[Recipe], request: Request) -> list[Tile]:
        """The tiles that must be trained. Other runs are read, or merely found to exist if they do not stay in memory."""
        missing = [recipe for recipe in recipes if not self._is_known(recipe, request)]
        there = set(recipes).difference(missing)
        claimed = self._prefetch.claim(there) if request.counts_reused else 0
        reused = len(there) - claimed if request.counts_reused else 0
        self.runs_trained += claimed
        self.runs_reused += reused
        planned = self._prefetch.begin(missing)
        self._progress.plan(planned, reused)
        return planned

    def _is_known(self, recipe: Recipe, request: Request) -> bool:
        if not request.keeps(recipe):
            return recipe in self._cache
        known = self._cache.get(recipe)
        if known is not None:
            request.runs[recipe] = known.run
        return known is not None

    def _order(self, planned: Sequence[Tile]) -> TrainingRequest:
        firsts = {tile[0] for tile in planned}

        def tick(tile: Tile, made: int) -> None:
            self.check_deadline()
            if made:
                self._progress.advance(tile, made, ahead=tile[0] not in firsts)

        return TrainingRequest(planned, self._job, self.device, tick, self._prefetch.take, self._expected)

    def _finish(self, tile: Tile, results: list[Trained] | None, request: Request, *, ahead: bool) -> None:
        """Keep a tile's runs. Runs trained ahead stay in the store, not in memory, until they are requested."""
        trained = [self._cache.stored(recipe) for recipe in tile] if results is None else results
        requested = () if ahead else request.asked.intersection(tile)
        for recipe, result in zip(tile, trained, strict=True):
            if results is not None:
                self._cache.keep(recipe, result, in_memory=recipe in requested)
            if recipe in requested and request.keeps(recipe):
                request.runs[recipe] = result.run
        self._told.update(tile)
        self._prefetch.end(tile, requested)
        self.runs_trained += len(requested)
        self._progress.finish(tile, sum(len(result.run.spikes) for result in trained), ahead=ahead)

    def _job(self, tile: Tile) -> Job:
        """A tile with the trainings that its recipes start from, read back where memory no longer has them."""
        size = filled_size(tile, self.environment.memory)
        if generation(tile[0]) == 0:
            return Job(tile, (), size=size)
        partners = [partner for recipe in tile if (partner := recipe.partner()) is not None]
        return Job(tile, tuple(self._start(r.parent()) for r in tile), tuple(map(self._start, partners)), size=size)

    def _start(self, recipe: Recipe) -> Trained:
        """A training that existed before; it is trained again where the store has dropped it since."""
        known = self._cache.get(recipe)
        if known is None:
            from spikecheck.lab.execution.train_job import one_thread, train_job  # noqa: PLC0415 - brings torch

            with one_thread(self.device):
                (known,) = train_job(self._job((recipe,)), self.device, lambda _: None)
            self._cache.keep(recipe, known)
            self.runs_trained += 1
        return known

    def _tell_spikes(self, request: Request) -> None:
        """Report the spikes of runs that were trained before; those of a tile are reported when it is stored."""
        new = {recipe: run for recipe, run in request.answers().items() if recipe not in self._told}
        self._told.update(new)
        if new:
            self._observe(RunsRead(sum(len(run.spikes) for run in new.values())))

    def check_deadline(self) -> None:
        """Check between two parts of a longer work whether it has to end.

        Raises:
            Stopped: when the deadline has passed or Ctrl-C was pressed.
        """
        self._interrupts.check()
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise BudgetSpent(f"the budget is spent; {self._what_stays}")

    @property
    def _what_stays(self) -> str:
        return what_stays(stored=self.stores)
