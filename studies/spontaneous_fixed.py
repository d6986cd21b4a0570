"""Measures on a fixed set of points what `studies/spontaneous.py` asks for, and keeps every stretch in a file of its own."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from spikecheck.report import atomic_write
from spikecheck.watch.detector import NoisySpike
from spikecheck.watch.runs import Order
from studies.fixed_stretches import FixedCell, Spiking, Stretch, controls, measured
from studies.spontaneous_page import Cell

CONTROLLED = "mlp, mnist1d"
"""The kind of training whose answer the fixed set is asked for."""
OrderOf = Callable[[str, int], Order]
"""Of a kind and a seed."""


def measure(stretches: Iterable[Stretch], folder: Path, order_of: OrderOf) -> None:
    """Measure what is not kept yet."""
    folder.mkdir(parents=True, exist_ok=True)
    for stretch in stretches:
        file = folder / f"{stretch.name}.json"
        if not file.exists():
            cell = measured(order_of(stretch.kind, stretch.seed), stretch)
            atomic_write.write(cell.model_dump_json(by_alias=True).encode(), file, "the store")
            print(f"{stretch.name}: {cell.reading.says}", flush=True)


def spikes_of(cells: Sequence[Cell]) -> list[Stretch]:
    """The stretch of every training that spikes."""
    return [
        Stretch(kind=cell.kind, seed=cell.seed, onset=one.onset, peak=one.peak, what="spike")
        for cell in cells
        if (one := spiking(cell)) is not None
    ]


def controls_of(cells: Sequence[Cell], spikes: Callable[[int], Sequence[NoisySpike]]) -> list[Stretch]:
    """The control stretches; `spikes` are all that the detector finds in the training of a seed."""
    own = {cell.seed: spiking(cell) for cell in cells if cell.kind == CONTROLLED}
    with_spike = [one for one in own.values() if one is not None]
    return list(controls(CONTROLLED, with_spike, [seed for seed, one in own.items() if one is None], spikes))


def spiking(cell: Cell) -> Spiking | None:
    """The spike that the answer explains; None where there is none."""
    if cell.answer is None or cell.answer.spike is None:
        return None
    return Spiking(cell.seed, cell.answer.spike.onset, cell.answer.spike.peak)


def kept(folder: Path) -> list[FixedCell]:
    """All that were measured, by kind and seed."""
    cells = [FixedCell.model_validate_json(file.read_bytes()) for file in sorted(folder.glob("*.json"))]
    return sorted(cells, key=lambda cell: (cell.stretch.kind, cell.stretch.seed, cell.stretch.onset))
