"""What the laboratory must know about a kind of probe: when and how it is carried out, and what it costs."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Generic, TypeVar

from spikecheck.core.run import Run
from spikecheck.lab.batch import Batch, Trained
from spikecheck.lab.forks import ForkedBatch
from spikecheck.lab.run_records import Records
from spikecheck.training.loop import Tick, Trajectory

P = TypeVar("P")

WINDOW = 700
"""Assumed number of updates that a probe of a run makes; the true window of an Anatomy depends on the spike."""


class Measurement(Generic[P]):
    """One kind of probe. To add a kind, add a file to this folder and a line to the table in its `__init__.py`.

    The defaults are those of a probe that measures the checkpoints of a whole run.
    """

    reads_ends = False
    """Whether it measures finished trainings, forks included, and trains nothing itself."""
    updates = False
    """Whether it makes updates, so that the cost of the optimizer counts."""
    searches_krylov_space = False
    """Whether it searches a Krylov space of the linearised update; the memory estimate depends on it."""

    def __init__(self, probe: P) -> None:
        self.probe = probe

    # ---- carrying it out --------------------------------------------------------------------------------------------

    def has_subject(self, run: Run) -> bool:
        """Whether a run has what the probe measures, such as a spike."""
        return not run.diverged

    def of_runs(self, batch: Batch, parents: Sequence[Trained], tick: Tick) -> list[Run]:
        """Measure the parents' runs. Returns the wanted members' runs together with their records."""
        raise NotImplementedError

    def of_forks(self, forks: ForkedBatch, tick: Tick) -> tuple[Trajectory, list[Records]]:
        """Train the forks. Returns their trajectory and each wanted member's records; by default these are empty."""
        return forks.trained(tick), [{}] * forks.batch.wanted

    # ---- what it takes ----------------------------------------------------------------------------------------------

    @property
    def alone(self) -> bool:
        """Whether it measures a single run, for a picture: a tile of one member is quickest then."""
        return False

    @property
    def only_looks(self) -> bool:
        """Whether nothing is trained, and compiling derivatives takes longer than the measurement itself."""
        return False

    @property
    def of_any_size(self) -> bool:
        """Whether a member's bits are the same in a batch of any size, if those of its gradients are."""
        return True

    def member_steps(self, steps: int) -> int:
        """Updates counted as progress for one member of a run of `steps` updates."""
        return WINDOW

    def plain_steps(self, steps: int, *, fork: bool) -> float:
        """The cost per member of a run or fork of `steps` updates, in plain steps: updates dispatched from Python.

        The constants were measured on quick verifications of the shipped claims.
        """
        raise NotImplementedError

    # ---- memory, in numbers of a member -----------------------------------------------------------------------------

    @property
    def pairs(self) -> int:
        """Eigenpairs searched for."""
        return 2

    @property
    def random_directions(self) -> int:
        """Random directions drawn, of P numbers each."""
        return 0

    @property
    def sees_held_out(self) -> bool:
        """Whether it evaluates held-out points."""
        return False

    def recorded(self, steps: int, outputs: int) -> int:
        """Numbers recorded in `steps` updates; `outputs` is the number of outputs on all held-out points, counted twice."""
        return steps


def recorded_runs(parents: Sequence[Trained], records: Sequence[Records]) -> list[Run]:
    """The parents' runs with their records. Parents beyond the last record only fill the tile and are dropped."""
    return [replace(parent.run, records=record) for parent, record in zip(parents, records, strict=False)]
