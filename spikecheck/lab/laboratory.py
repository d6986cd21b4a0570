"""The only place that trains and stores: asked for recipes, it answers with runs."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

import torch

from spikecheck.core.activity import heard_by
from spikecheck.core.errors import BudgetSpent, Interrupted, SpikecheckError, Stopped, StoreError, UsageError
from spikecheck.core.events import (
    Busy,
    Observer,
    RunsRead,
    StoreTrouble,
    TileAdvanced,
    TileStored,
    WorkPlanned,
    ignore,
)
from spikecheck.core.probe import Anatomy, Directions, Stability
from spikecheck.core.recipe import Environment, Recipe
from spikecheck.core.run import Run
from spikecheck.lab.batching import compiles, cut_short, filled_size, member_steps, seconds, tiles
from spikecheck.lab.execution import NOTHING, Executor, Job, Local, Order, Tile, one_thread, train_job
from spikecheck.lab.interrupts import Interrupts
from spikecheck.lab.memory_cache import MEMORY, Recent
from spikecheck.lab.run_codec import decode, encode
from spikecheck.lab.store_address import RunStore
from spikecheck.lab.train_batch import Trained, fork_step, look_step
from spikecheck.measures.spikes import spikes
from spikecheck.objective.gpu_shallow import triton_version
from spikecheck.objective.objective import sources
from spikecheck.tensors.compile import compiler

Device = Literal["auto", "cpu", "cuda", "mps"]


class Laboratory:
    """Looks up, trains and stores runs. What it was asked before it answers from the store.

    Work that is stopped, by Ctrl-C or at the deadline, raises `Stopped`; every tile finished until then is stored.
    """

    def __init__(
        self,
        store: RunStore | None = None,
        device: Device = "auto",
        observe: Observer = ignore,
        deadline: float | None = None,
        executor: Executor | None = None,
    ) -> None:
        """`deadline` is a value of `time.monotonic()`. Without a store, runs live as long as the laboratory.

        `executor` is where tiles are trained: in this process unless told otherwise.
        """
        self.device = _device(device)
        self.environment = environment(self.device)
        self.stopped: Stopped | None = None
        self.runs_trained = 0
        self.runs_reused = 0
        self._store = store
        self._writes = store is not None
        """No longer once it could not be written; what it has is read as before."""
        self._executor = executor or Local()
        self._observe = observe
        self._deadline = deadline
        self._interrupts = Interrupts()
        self._known = Recent(MEMORY if store is not None else None)
        self._digests: dict[Recipe, str] = {}
        self._ahead: Iterator[Tile] = NOTHING
        self._under_way: set[Recipe] = set()
        """What is being trained, or was given to be trained ahead: not to be begun a second time."""
        self._begun: dict[Recipe, _Progress] = {}
        """How far tiles are that are not done, by their first recipes."""
        self._counted: set[str] = set()
        """Digests of runs whose spikes were told."""
        self._early: set[str] = set()
        """Digests of what was trained ahead and has not been asked for."""

    def runs(self, recipes: Iterable[Recipe]) -> Mapping[Recipe, Run]:
        """The recipes' runs, trained where they aren't stored. A fork whose parent never spiked has no run.

        Raises:
            Stopped: when the deadline passes or Ctrl-C is pressed.
        """
        return self._runs(tuple(dict.fromkeys(recipes)))

    def each(self, blocks: Sequence[Sequence[Recipe]]) -> Iterator[Mapping[Recipe, Run]]:
        """Every block's runs in turn, all of them trained in one go and, where there is a store, read back from it.

        So cores are busy and memory holds one block. Raises what `runs` does.
        """
        everything = tuple(dict.fromkeys(recipe for block in blocks for recipe in block))
        if self._store is None:
            whole = self._runs(everything)
            yield from ({recipe: whole[recipe] for recipe in block if recipe in whole} for block in blocks)
            return
        self._runs(everything, read_later=True)
        for block in blocks:
            yield self._runs(tuple(dict.fromkeys(block)), again=True)

    def _runs(self, wanted: Sequence[Recipe], *, read_later: bool = False, again: bool = False) -> dict[Recipe, Run]:
        """What is `read_later` is not all there; what is asked for `again` is not counted as reused."""
        try:
            with Interrupts() as self._interrupts, heard_by(self._tell_busy):
                found = self._answers(_Asked(wanted, read_later, again))
        except KeyboardInterrupt:
            self.stopped = Interrupted(f"interrupted; {self._what_stays}")
            raise self.stopped from None
        except Stopped as stopped:
            self.stopped = stopped
            raise
        self._tell_spikes(found)
        return found

    def _tell_busy(self, doing: str) -> None:
        self._observe(Busy(doing))

    def _tell_spikes(self, found: Mapping[Recipe, Run]) -> None:
        """Those of runs that were trained before; a tile's are told when it is stored."""
        new = {digest: run for recipe, run in found.items() if (digest := self._digest(recipe)) not in self._counted}
        self._counted.update(new)
        if spikes := sum(len(run.spikes) for run in new.values()):
            self._observe(RunsRead(spikes))

    @property
    def _memory(self) -> int:
        """GiB that tiles are sized to; 0 on the CPU."""
        return self.environment.memory

    @property
    def stores(self) -> bool:
        """Whether what it trains is stored: not without a store, nor after one that could not be written."""
        return self._writes

    @property
    def _what_stays(self) -> str:
        """Of what was trained, when the work is stopped."""
        return (
            "everything trained so far is kept, run again to go on"
            if self.stores
            else "without a store nothing is kept"
        )

    def is_stored(self, recipe: Recipe) -> bool:
        """Whether it would be answered without training."""
        return self._has(recipe)

    def anticipate(self, rounds: Iterable[Iterable[Recipe]]) -> None:
        """What will be asked for next, in this order: trained where a core would otherwise be idle.

        Trainings only, no forks and no probes. An executor of one process takes no notice.
        """
        self._ahead = self._tiles_ahead(rounds)

    def forget(self) -> None:
        """Drop from memory what the store has: the runs of many claims together take gigabytes."""
        self._digests.clear()
        self._counted.clear()
        if self._writes:
            self._known.clear()

    def close(self) -> None:
        """End the workers, where there are any. The laboratory can still be asked: it starts them anew."""
        self._executor.close()

    def _answers(self, asked: "_Asked") -> dict[Recipe, Run]:
        """Generation by generation: whether a fork or a look has anything to start from is read off what is before it."""
        for _, generation in groupby(sorted(asked.everything, key=_generation), key=_generation):
            possible = [recipe for recipe in generation if _has_subject(recipe, asked.found)]
            self._train(self._missing(possible, asked), asked)
        return {recipe: asked.found[recipe] for recipe in asked.wanted if recipe in asked.found}

    def _missing(self, recipes: Sequence[Recipe], asked: "_Asked") -> list[Recipe]:
        """What has to be trained; the rest is read, or where it is not to stay in memory only seen to be there."""
        missing = []
        for recipe in recipes:
            if not asked.stays(recipe):
                missing += [] if self._has(recipe) else [recipe]  # a damaged one is found when it is read
            elif (known := self._look_up(recipe)) is not None:
                asked.add(recipe, known.run)
            else:
                missing.append(recipe)
        there = set(recipes).difference(missing)
        reused = 0 if asked.again else len(there) - self._asked_for(there)
        self.runs_reused += reused
        parts = [self._progress_of(tile) for tile in tiles(missing, self._memory)]
        self._observe(WorkPlanned(sum(p.left for p in parts), reused, sum(p.left * p.a_step for p in parts)))
        return missing

    def _train(self, missing: Sequence[Recipe], asked: "_Asked") -> None:
        planned = tiles(missing, self._memory)
        own = set(planned)
        asked_for = set(missing)
        self._under_way.update(missing)

        def tick(tile: Tile, made: int) -> None:
            self._check_deadline()
            if made:
                self._tell_steps(tile, made, early=tile[0] not in asked_for)

        order = Order(planned, self._job, self.device, tick, self._ahead)
        for tile, results in self._executor.results(order):
            early = tile not in own
            trained = [self._fetched(recipe) for recipe in tile] if results is None else results
            for recipe, result in zip(tile, trained, strict=True):
                if results is not None:
                    self._keep(recipe, result, early)
                if not early:
                    asked.add(recipe, result.run)
                self._counted.add(self._digest(recipe))
            self._under_way.difference_update(tile)
            self._tell_steps(tile, self._progress_of(tile).left, early)
            del self._begun[tile[0]]
            if not early:
                self.runs_trained += len(tile)
            self._observe(TileStored(len(tile), sum(len(result.run.spikes) for result in trained)))

    def _progress_of(self, tile: Tile) -> "_Progress":
        if tile[0] not in self._begun:
            planned = member_steps(tile, self._memory)
            self._begun[tile[0]] = _Progress(planned, seconds(tile) / max(planned, 1))
        return self._begun[tile[0]]

    def _tell_steps(self, tile: Tile, made: int, early: bool) -> None:
        """No more than was planned: how long an autopsy is, nobody knows beforehand."""
        progress = self._progress_of(tile)
        made = min(made, progress.left)
        progress.left -= made
        if made:
            self._observe(TileAdvanced(made, made * progress.a_step, early))

    def _job(self, tile: Tile) -> Job:
        """A tile with what its recipes go on from, read back where memory no longer has it."""
        size = filled_size(tile, self._memory)
        if _generation(tile[0]) == 0:
            return Job(tile, (), size=size)
        partners = [partner for recipe in tile if (partner := recipe.partner()) is not None]
        return Job(tile, tuple(self._before(r.parent()) for r in tile), tuple(map(self._before, partners)), size=size)

    def _before(self, recipe: Recipe) -> Trained:
        """A training that was there a while ago; trained again where the store has dropped it since."""
        known = self._look_up(recipe)
        if known is None:
            with one_thread(self.device):
                (known,) = train_job(self._job((recipe,)), self.device, lambda made: None)  # noqa: ARG005
            self._keep(recipe, known, early=False)
            self.runs_trained += 1
        return known

    def _asked_for(self, found: Iterable[Recipe]) -> int:
        """How many of these were trained ahead and are asked for the first time: they count as trained, not as reused."""
        first = self._early.intersection(map(self._digest, found))
        self._early -= first
        self.runs_trained += len(first)
        return len(first)

    def _tiles_ahead(self, rounds: Iterable[Iterable[Recipe]]) -> Iterator[Tile]:
        """Tiles of what neither is there nor is being trained, as it is when the tile's turn has come."""
        for recipes in rounds:
            missing: tuple[Recipe, ...] = ()
            with suppress(SpikecheckError):  # whoever asks for what cannot be trained will be told
                missing = self._untouched(dict.fromkeys(recipes))
            for tile in tiles(missing, self._memory):
                if left := self._untouched(tile):
                    self._under_way.update(left)
                    yield left

    def _untouched(self, recipes: Iterable[Recipe]) -> tuple[Recipe, ...]:
        return tuple(recipe for recipe in recipes if recipe not in self._under_way and not self._has(recipe))

    def _has(self, recipe: Recipe) -> bool:
        digest = self._digest(recipe)
        return digest in self._known or (self._store is not None and digest in self._store)

    def _digest(self, recipe: Recipe) -> str:
        if recipe not in self._digests:
            where = self.environment if compiles(recipe) else self.environment.uncompiled()
            self._digests[recipe] = recipe.digest(where, sources(recipe.setting) + cut_short(recipe.setting))
        return self._digests[recipe]

    def _look_up(self, recipe: Recipe) -> Trained | None:
        digest = self._digest(recipe)
        known = self._known.get(digest)
        if known is not None or self._store is None:
            return known
        try:
            entry = self._store.get(digest)
            if entry is None:
                return None
            run, checkpoints = decode(entry)
        except StoreError as error:  # a damaged entry, or a disk that cannot be read
            self._observe(StoreTrouble(f"{error}; it is trained again"))
            return None
        trained = Trained(run, checkpoints)
        self._known.add(digest, trained)
        return trained

    def _fetched(self, recipe: Recipe) -> Trained:
        """What a worker says it has stored."""
        trained = self._look_up(recipe)
        if trained is None:
            where = self._store.address if self._store is not None else "no store"
            raise StoreError(
                f"store {where}: lacks what a worker has stored; give --store a place that all workers see"
            )
        return trained

    def _keep(self, recipe: Recipe, trained: Trained, early: bool) -> None:
        """Stored, and unless it is early kept in memory too: what nobody has asked for waits on the disk."""
        digest = self._digest(recipe)
        if early:
            self._early.add(digest)
        if not early or not self._writes:
            self._known.add(digest, trained)
        if self._store is None or not self._writes:
            return
        try:
            self._store.put(digest, encode(trained.run, trained.checkpoints))
        except StoreError as error:
            self._writes, self._known.limit = False, None
            self._known.add(digest, trained)
            self._observe(StoreTrouble(f"{error}; going on without storing"))

    def _check_deadline(self) -> None:
        self._interrupts.check()
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise BudgetSpent(f"the budget is spent; {self._what_stays}")


class _Asked:
    """What is asked for, and what of it has been found and stays in memory."""

    def __init__(self, wanted: Sequence[Recipe], read_later: bool, again: bool) -> None:
        self.wanted, self.again = wanted, again
        self.everything = _with_ancestors(wanted)
        self.found: dict[Recipe, Run] = {}
        self._started_from = {before for recipe in self.everything for before in _before(recipe) if before != recipe}
        self._read_later = read_later

    def stays(self, recipe: Recipe) -> bool:
        """Not what is read later, unless something starts from it."""
        return not self._read_later or recipe in self._started_from

    def add(self, recipe: Recipe, run: Run) -> None:
        """Without its states: those of thousands of runs would take gigabytes."""
        if self.stays(recipe):
            self.found[recipe] = run


@dataclass
class _Progress:
    """How far a tile is."""

    left: int
    """Member-steps."""
    a_step: float
    """Seconds that a member-step is expected to take on a usual core."""


def environment(device: str) -> Environment:
    """What belongs to every digest on this machine: another value of any of it may give other bits.

    On the CPU every tile is trained with one thread (see `execution`).
    """
    kind = device
    if device == "cpu":
        kind = f"cpu {torch.backends.cpu.get_cpu_capability()}"
    elif device == "cuda":
        kind = f"cuda {torch.cuda.get_device_name()}"
    on_cpu = device == "cpu"
    return Environment(
        torch=str(torch.__version__),
        device=kind,
        threads=1 if on_cpu else 0,
        compiler=compiler() if on_cpu else _kernels(device),
        memory=memory_of(device),
    )


def _kernels(device: str) -> str:
    """What compiles an accelerator's kernels."""
    version = triton_version() if device == "cuda" else ""
    return f"triton {version}" if version else ""


def memory_of(device: str) -> int:
    """An accelerator's memory in whole GiB, so that another driver's few MiB change no digest; 0 for the CPU."""
    if device == "cuda":
        return torch.cuda.get_device_properties(torch.cuda.current_device()).total_memory // 2**30
    return torch.mps.recommended_max_memory() // 2**30 if device == "mps" else 0


def _device(asked: Device) -> str:
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if asked == "auto":
        return "cuda" if available["cuda"] else "cpu"
    if not available.get(asked, False):
        usable = ", ".join(name for name, there in available.items() if there)
        raise UsageError(f"device={asked!r}: torch sees no such device here; use one of: {usable}")
    return asked


def _with_ancestors(wanted: Iterable[Recipe]) -> list[Recipe]:
    """The recipes and all that must be there before them, each once."""
    found: dict[Recipe, None] = {}
    left = list(wanted)
    while left:
        found.update(dict.fromkeys(left))
        before = [ancestor for recipe in left for ancestor in _before(recipe)]
        left = [recipe for recipe in dict.fromkeys(before) if recipe not in found]
    return list(found)


def _before(recipe: Recipe) -> list[Recipe]:
    """What it starts from: itself, where it is a training."""
    return [ancestor for ancestor in (recipe.parent(), recipe.partner()) if ancestor is not None]


def _generation(recipe: Recipe) -> int:
    """0 for trainings, 1 for their forks and looks at them, 2 for looks at forks."""
    return 0 if recipe == recipe.parent() else 1 + _generation(recipe.parent())


def _has_subject(recipe: Recipe, before: Mapping[Recipe, Run]) -> bool:
    """Whether there is what the recipe starts from: a spike to fork before or to dissect, whole trainings elsewhere."""
    if _generation(recipe) == 0:
        return True
    run, partner, probe = before.get(recipe.parent()), recipe.partner(), recipe.probe
    if run is None or (partner is not None and before[partner].diverged):
        return False
    if isinstance(probe, Directions):
        return look_step(probe, run) is not None
    if recipe.setting.intervention is not None:
        return fork_step(recipe, run) is not None
    return bool(spikes(run.loss, probe.definition)) if isinstance(probe, Anatomy | Stability) else not run.diverged
