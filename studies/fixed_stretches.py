"""Stretches of trainings whose steps are measured on a fixed set: spikes that nobody planted, and controls.

The controls are trainings of the kind `mlp, mnist1d`, the one that is asked about: quiet stretches, in which no steps may be
said to be too long; five batches of random labels, whose steps are no longer than others; and ten steps at 30 times the rate,
which are too long. The plants are those of docs/causes.md.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

from spikecheck.core.record import Record
from spikecheck.tensors.seeding import generator_of
from spikecheck.watch.detector import NoisySpike
from spikecheck.watch.runs import Order
from spikecheck.watch.training import Training
from spikecheck.why.scene import BEFORE, LEAD
from studies.fixed_loss import FixedLooker, FixedStep, fixed_parts
from studies.fixed_reading import FixedReading, read_fixed
from studies.planted_parts import Window, relabelled

Plant = Literal["nothing", "bad batches", "rate"]
What = Literal[
    "spike",
    "quiet",
    "quiet, no spike in the training",
    "bad batches",
    "rate",
    "spike, fresh seed",
    "quiet, fresh seed",
]
LENGTHS: dict[Plant, int] = {"bad batches": 5, "rate": 10}
FACTOR = 30.0
EARLIER = 4
"""Quiet stretches of a training that spikes, back to back before the one of the spike."""
_CLASSES = 10


class Stretch(Record):
    """Steps of one training, from 64 before an onset to a peak; both are only dates where nothing spikes."""

    kind: str
    seed: int
    onset: int
    peak: int
    what: What

    @property
    def plant(self) -> Plant:
        """What is planted from the onset on."""
        return self.what if self.what in LENGTHS else "nothing"

    @property
    def name(self) -> str:
        """Of its file."""
        return f"{self.what}-{self.kind}-{self.seed}-{self.onset}".replace(", ", "-").replace(" ", "-")


class FixedCell(Record):
    """A stretch, its steps, and how they are read."""

    stretch: Stretch
    steps: tuple[FixedStep, ...]

    @property
    def reading(self) -> FixedReading:
        """By the rule."""
        return read_fixed(self.steps, self.stretch.onset, self.stretch.peak)


@dataclass(frozen=True)
class Spiking:
    """A training of the kind that is asked about, and its spike that is explained."""

    seed: int
    onset: int
    peak: int


def controls(
    kind: str, spiking: Sequence[Spiking], calm: Sequence[int], spikes: Callable[[int], Sequence[NoisySpike]]
) -> Iterator[Stretch]:
    """All control stretches: as long as the spikes are, at the same steps or just before them.

    Args:
        kind: of the trainings.
        spiking: those that spike.
        calm: seeds of those that do not.
        spikes: all that the detector finds in the training of a seed, benign ones included.
    """
    for one in spiking:
        yield from stretches_before(kind, one, EARLIER, "quiet", spikes(one.seed))
    for seed, one in product(calm, spiking):
        stretch = Stretch(kind=kind, seed=seed, onset=one.onset, peak=one.peak, what="quiet, no spike in the training")
        if not any(_touches(stretch, spike) for spike in spikes(seed)):
            yield stretch
            for plant, length in LENGTHS.items():
                yield stretch.model_copy(update={"what": plant, "peak": one.onset + length})


def stretches_before(
    kind: str, one: Spiking, count: int, what: What, spikes: Sequence[NoisySpike]
) -> Iterator[Stretch]:
    """Stretches as long as that of a spike, back to back before it, that touch no excursion."""
    for back in range(1, count + 1):
        onset = one.onset - back * (BEFORE + one.peak - one.onset)
        stretch = Stretch(kind=kind, seed=one.seed, onset=onset, peak=onset + one.peak - one.onset, what=what)
        if onset >= 2 * BEFORE and not any(_touches(stretch, spike) for spike in spikes):
            yield stretch


def measured(order: Order, stretch: Stretch) -> FixedCell:
    """Train up to the stretch, and measure every step of it."""
    training = order.begin()
    start = max(0, stretch.onset - BEFORE)
    training.run(start)
    looker = FixedLooker(training, fixed_parts(order))
    with _planted(training, stretch) as tick:
        for step in range(start, max(stretch.peak, stretch.onset)):
            tick(step)
            training.run(1, observe=looker)
    return FixedCell(stretch=stretch, steps=tuple(looker.steps))


def _touches(stretch: Stretch, spike: NoisySpike) -> bool:
    """Whether a spike, or the steps from which its rise is looked for, lie in the stretch."""
    ends = spike.over is None or spike.over > stretch.onset - BEFORE
    return ends and spike.onset - LEAD <= max(stretch.peak, stretch.onset)


@contextmanager
def _planted(training: Training, stretch: Stretch) -> Iterator[Callable[[int], None]]:
    """Inside, the steps have what is planted; what is yielded must be called before each."""
    window = Window(stretch.onset, LENGTHS.get(stretch.plant, 0))
    groups = training.optimizer.param_groups
    rates = [float(group["lr"]) for group in groups]

    def tick(step: int) -> None:
        if stretch.plant == "rate":
            for group, rate in zip(groups, rates, strict=True):
                group["lr"] = rate * (FACTOR if step in window else 1.0)

    def choose(step: int, draw: Callable[[], Any]) -> Any:
        if stretch.plant != "bad batches" or step not in window:
            return draw()
        return relabelled(_CLASSES, 1.0)(draw(), generator_of(stretch.seed, "planted", step))

    with training.batches_chosen(choose):
        yield tick
