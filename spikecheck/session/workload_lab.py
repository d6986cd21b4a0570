"""Trains workloads for claims: the place of the laboratory where a setting stands for a workload."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from spikecheck.core.errors import Interrupted, Stopped, what_stays
from spikecheck.core.events import Observer, RunsRead, TileAdvanced, TileStored, WorkDone, WorkPlanned
from spikecheck.core.probe import BatchSharpness
from spikecheck.core.recipe import Environment, Recipe
from spikecheck.core.run import Array, Ended, Run
from spikecheck.core.setting import Setting
from spikecheck.core.spike import SpikeDefinition
from spikecheck.core.work import STARTING, TRAINING
from spikecheck.core.workload_setting import optimizer_numbers, workload_of
from spikecheck.harness.claim import Claim
from spikecheck.harness.run_spikes import spikes_of
from spikecheck.lab.device import environment
from spikecheck.lab.store import Store
from spikecheck.watch.advance import Advance
from spikecheck.watch.measured import MeasuredOrder, Wanted
from spikecheck.watch.processes import STARTING_SECONDS, train_all
from spikecheck.watch.runs import WorkloadRun
from spikecheck.watch.workload import OptimizerChoice, Workload


@dataclass
class WorkloadLab:
    """The runs of one workload, each training in a process of its own; see `harness.evidence.Trainer`."""

    base: Setting
    """The workload's setting. Arms may differ from it in the optimizer, its numbers and the steps."""
    own_optimizer: bool
    """Whether the workload makes its optimizer itself."""
    wanted: Wanted
    """What is measured in every training: all that any of the claims reads."""
    noisy: bool
    pace: tuple[float, float]
    """Seconds a step and a look."""
    store: Store | None
    device: str
    workers: int | None
    deadline: float | None
    observe: Observer
    runs_trained: int = 0
    runs_reused: int = 0
    stopped: Stopped | None = None
    _known: dict[tuple[Setting, int], Run] = field(default_factory=dict)

    @property
    def stores(self) -> bool:
        """False without a store."""
        return self.store is not None

    @property
    def environment(self) -> Environment:
        """Where the runs are made."""
        return environment(self.device).uncompiled()

    def runs(self, recipes: Sequence[Recipe]) -> Mapping[Recipe, Run]:
        """The run of every recipe.

        Raises:
            Stopped: the budget is spent, or Ctrl-C was pressed.
            SpikecheckError: the workload cannot be trained.
        """
        needed = {(recipe.setting, recipe.seed): None for recipe in recipes}
        try:
            self._train([key for key in needed if key not in self._known])
        except KeyboardInterrupt:
            self.stopped = Interrupted(f"interrupted; {what_stays(stored=self.stores)}")
            raise self.stopped from None
        except Stopped as reason:
            self.stopped = reason
            raise
        return {recipe: self._known[recipe.setting, recipe.seed] for recipe in recipes}

    def each(self, blocks: Sequence[Sequence[Recipe]]) -> Iterable[Mapping[Recipe, Run]]:
        """The runs of each block in turn."""
        return map(self.runs, blocks)

    def order(self, setting: Setting, seed: int) -> MeasuredOrder:
        """The training that a setting and a seed stand for."""
        place = workload_of(setting)
        assert place is not None
        workload = Workload.of(place.path).at(place.options, setting.steps)
        own = self.own_optimizer and setting.optimizer == self.base.optimizer
        choice = None if own else OptimizerChoice.of(setting.optimizer, optimizer_numbers(setting))
        rate = setting.lr / self.base.lr if own else 1.0
        return MeasuredOrder(workload, seed, setting.steps, choice, self.device, rate=rate, wanted=self.wanted)

    def seconds(self, steps: int) -> float:
        """The expected time of one training."""
        step, look = self.pace
        measured = self.wanted.curvature or self.wanted.batches
        return steps * step + (min(self.wanted.looks, steps) * look if measured else 0.0)

    def expected(self, setting: Setting) -> float:
        """The expected time of a training at a setting; 0 where one was made already."""
        return 0.0 if any(known == setting for known, _ in self._known) else self.seconds(setting.steps)

    def _train(self, keys: Sequence[tuple[Setting, int]]) -> None:
        orders = [self.order(*key) for key in keys]
        self.observe(WorkPlanned(sum(order.steps for order in orders), 0, {TRAINING: sum(self._each_seconds(orders))}))

        starting = iter([WorkDone(STARTING_SECONDS, STARTING)])

        def made(place: int, new: int) -> None:
            for over in starting:  # once
                self.observe(over)
            steps = orders[place].steps
            self.observe(TileAdvanced(new, self.seconds(steps) * new / steps))

        progress = Advance(len(orders), self.deadline, made)
        for place, trained in train_all(orders, self.store, self.workers, progress):
            run = _as_run(trained, keys[place][0], self.noisy)
            self._known[keys[place]] = run
            self.runs_reused += trained.reused
            self.runs_trained += not trained.reused
            progress(place, orders[place].steps)
            spikes = len(run.spikes)
            for event in (WorkPlanned(0, 1), RunsRead(spikes)) if trained.reused else (TileStored(1, spikes),):
                self.observe(event)

    def _each_seconds(self, orders: Iterable[MeasuredOrder]) -> Iterator[float]:
        return (self.seconds(order.steps) for order in orders)


def wanted_for(claims: Sequence[Claim]) -> Wanted:
    """What is measured so that each of these claims finds what it reads."""
    probes = [claim.probe for claim in claims if claim.probe is not None]
    batches = max((probe.batches for probe in probes if isinstance(probe, BatchSharpness)), default=0)
    return Wanted(curvature=bool(probes), batches=batches)


def _as_run(found: WorkloadRun, setting: Setting, noisy: bool) -> Run:
    """A workload's run as the claims read it: what was measured under the kind of every probe that reads it."""
    steps = len(found.losses)
    run = Run(
        setting=setting,
        seed=found.order.seed,
        start=0,
        loss=found.losses,
        ended=Ended("diverged" if found.diverged else "completed", steps),
        records=records(found.arrays),
        noisy=noisy,
    )
    return replace(run, spikes=spikes_of(run, SpikeDefinition()))


def records(arrays: Mapping[str, Array]) -> dict[str, dict[str, Array]]:
    """The looks at a workload's training as probes' records, by the probe's kind; those whose keys were all measured."""
    if "sharpness" not in arrays:
        return {}
    whole = {name: values[:, None] if name in ("sharpness", "residual") else values for name, values in arrays.items()}
    kinds = {
        "sharpness": ("steps", "sharpness", "residual"),
        "trail": ("steps", "sharpness", "residual", "gradient_curvature"),
        "batch-sharpness": ("steps", "batch_sharpness", "random_curvature", "sharpness", "residual"),
    }
    return {kind: {n: whole[n] for n in names} for kind, names in kinds.items() if set(names) <= whole.keys()}
