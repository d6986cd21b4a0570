"""How a kind of probe is carried out. What it costs, and which runs it can measure, is in `probe_traits`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Generic, TypeVar

from spikecheck.core.run import Run
from spikecheck.lab.batch import Batch
from spikecheck.lab.forks import ForkedBatch
from spikecheck.lab.run_records import Records
from spikecheck.lab.trained import Trained
from spikecheck.training.loop import Tick, Trajectory

P = TypeVar("P")


class Measurement(Generic[P]):
    """One kind of probe; by itself, no probe at all.

    To add a kind, add a file to this folder, a line to the table in its `__init__.py`, and its traits to `probe_traits`.
    """

    def __init__(self, probe: P) -> None:
        self.probe = probe

    def of_runs(self, batch: Batch, parents: Sequence[Trained], tick: Tick) -> list[Run]:
        """Measure the parents' runs. Returns the wanted members' runs together with their records."""
        raise NotImplementedError

    def of_forks(self, forks: ForkedBatch, tick: Tick) -> tuple[Trajectory, list[Records]]:
        """Train the forks. Returns their trajectory and each wanted member's records; by default these are empty."""
        return forks.trained(tick), [{}] * forks.batch.wanted


def recorded_runs(parents: Sequence[Trained], records: Sequence[Records]) -> list[Run]:
    """The parents' runs with their records. Parents beyond the last record only fill the tile and are dropped."""
    return [replace(parent.run, records=record) for parent, record in zip(parents, records, strict=False)]
