"""What the laboratory has to know of a kind of probe: when it can be carried out, how, and what it takes."""

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
"""Updates that a probe of a run makes, at a guess: the window of an Anatomy depends on the spike."""


class Measurement(Generic[P]):
    """One kind of probe. A new kind is a file beside this one, and a line in the table of `probes`.

    The defaults are those of a probe that looks at checkpoints of a whole run.
    """

    reads_ends = False
    """Whether it looks at finished trainings, forks or not, and trains nothing itself."""
    updates = False
    """Whether it makes updates, by which an optimizer's cost counts."""
    searches_krylov_space = False
    """Whether it searches a Krylov space of the linearised update: memory is estimated by it."""

    def __init__(self, probe: P) -> None:
        self.probe = probe

    # ---- carrying it out --------------------------------------------------------------------------------------------

    def has_subject(self, run: Run) -> bool:
        """Whether a run has what the probe looks at."""
        return not run.diverged

    def of_runs(self, batch: Batch, parents: Sequence[Trained], tick: Tick) -> list[Run]:
        """The parents' runs with what is recorded of them, those of the wanted members."""
        raise NotImplementedError

    def of_forks(self, forks: ForkedBatch, tick: Tick) -> tuple[Trajectory, list[Records]]:
        """The forks' trainings, and what is recorded of each: of this probe nothing."""
        return forks.trained(tick), [{}] * forks.batch.wanted

    # ---- what it takes ----------------------------------------------------------------------------------------------

    @property
    def alone(self) -> bool:
        """Whether it is of one run only, to be looked at: a tile of one member is quickest then."""
        return False

    @property
    def only_looks(self) -> bool:
        """Whether nothing is trained and compiling derivatives takes longer than the looks themselves."""
        return False

    def member_steps(self, steps: int) -> int:
        """Updates that are counted for a member of a run of `steps`, for progress."""
        return WINDOW

    def plain_steps(self, steps: int, *, fork: bool) -> float:
        """The cost of a member of `steps` updates, in updates each dispatched from Python.

        Measured on quick verifications of the shipped claims.
        """
        raise NotImplementedError

    # ---- memory, in numbers of a member -----------------------------------------------------------------------------

    @property
    def pairs(self) -> int:
        """Eigenpairs that are searched for."""
        return 2

    @property
    def random_directions(self) -> int:
        """Directions of P numbers each."""
        return 0

    @property
    def sees_held_out(self) -> bool:
        """Whether it looks at held-out points."""
        return False

    def recorded(self, steps: int, outputs: int) -> int:
        """Numbers written down in `steps` updates; `outputs` are those of all held-out points, counted twice."""
        return steps


def recorded_runs(parents: Sequence[Trained], records: Sequence[Records]) -> list[Run]:
    """The parents' runs with their records; parents that only fill the tile have none."""
    return [replace(parent.run, records=record) for parent, record in zip(parents, records, strict=False)]
