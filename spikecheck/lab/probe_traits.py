"""What planning must know about each kind of probe: which runs it can measure, and what it costs in time and memory.

`probes` carries them out. Apart from it, so that what is stored can be looked up and read without torch.
"""

import math
from typing import Any, Generic, TypeVar

from spikecheck.core.errors import SettingError
from spikecheck.core.probe import (
    Anatomy,
    Balance,
    BatchSharpness,
    Directions,
    Finish,
    Probe,
    SharpnessTrace,
    Stability,
    Trail,
)
from spikecheck.core.run import Run
from spikecheck.lab.trained import STRIDE
from spikecheck.measures.spikes import spikes

P = TypeVar("P")

WINDOW = 700
"""Assumed number of updates that a probe of a run makes; the true window of an Anatomy depends on the spike."""


class ProbeTraits(Generic[P]):
    """The traits of one probe. The defaults are those of a probe that measures the checkpoints of a whole run."""

    updates = False
    """Whether it makes updates, so that the cost of the optimizer counts."""
    searches_krylov_space = False
    """Whether it searches a Krylov space of the linearised update; the memory estimate depends on it."""

    def __init__(self, probe: P) -> None:
        self.probe = probe

    def has_subject(self, run: Run) -> bool:
        """Whether a run has what the probe measures, such as a spike."""
        return not run.diverged

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


class _Training(ProbeTraits[None]):
    """No probe: the training itself."""

    updates = True

    def member_steps(self, steps: int) -> int:
        return steps

    def plain_steps(self, steps: int, *, fork: bool) -> float:
        return steps


class _Anatomy(ProbeTraits[Anatomy]):
    updates = True
    _A_STEP = 12
    """The cost of a dissected step, in plain steps."""

    def has_subject(self, run: Run) -> bool:
        return bool(spikes(run.loss, self.probe.definition))

    @property
    def alone(self) -> bool:
        return self.probe.alone

    def plain_steps(self, steps: int, *, fork: bool) -> float:
        """Every step of a fork, or one window of a run."""
        return self._A_STEP * (steps if fork else WINDOW)

    @property
    def pairs(self) -> int:
        return self.probe.pairs

    @property
    def sees_held_out(self) -> bool:
        return self.probe.outputs

    def recorded(self, steps: int, outputs: int) -> int:
        """Loss, curvature, four numbers per pair, and outputs, at every step of the longest window."""
        return self.probe.longest * (2 + 4 * self.probe.pairs + outputs)


class _SharpnessTrace(ProbeTraits[SharpnessTrace]):
    @property
    def alone(self) -> bool:
        return self.probe.alone

    @property
    def only_looks(self) -> bool:
        """True at the checkpoints of one run: compiling takes 8 s the first time, the measurement 0.2 s."""
        return self.probe.alone and not self.probe.every_step

    @property
    def of_any_size(self) -> bool:
        """False with `every_step`, whose sums over parameters torch rounds by the number of members."""
        return not self.probe.every_step

    def plain_steps(self, steps: int, *, fork: bool) -> float:
        """A checkpoint costs one search per many steps; with `every_step`, each step costs one Hessian-vector product."""
        return steps * (5.0 if self.probe.every_step else 2.5 if self.probe.alone else 0.3)

    def recorded(self, steps: int, outputs: int) -> int:
        """Loss, and with `every_step` sharpness and residual."""
        return steps * (3 if self.probe.every_step else 1)


class _Trail(ProbeTraits[Trail]):
    def plain_steps(self, steps: int, *, fork: bool) -> float:
        """The cost of one search per checkpoint."""
        return 0.4 * steps

    @property
    def sees_held_out(self) -> bool:
        """True: outputs are evaluated at every checkpoint."""
        return True

    def recorded(self, steps: int, outputs: int) -> int:
        """One loss per step, and outputs at every checkpoint."""
        return steps + outputs * math.ceil(steps / STRIDE)


class _Directions(ProbeTraits[Directions]):
    _SEARCH = 400
    """The cost of searching for the eigenpairs of one state, in plain steps."""

    def has_subject(self, run: Run) -> bool:
        return measured_step(self.probe, run) is not None

    def plain_steps(self, steps: int, *, fork: bool) -> float:
        return self._SEARCH

    @property
    def pairs(self) -> int:
        return self.probe.pairs

    @property
    def random_directions(self) -> int:
        return self.probe.random

    @property
    def sees_held_out(self) -> bool:
        """True: outputs are evaluated along every direction."""
        return True

    def recorded(self, steps: int, outputs: int) -> int:
        """Outputs along random directions; those along eigendirections are few in comparison."""
        return steps + self.probe.random * outputs


class _Stability(ProbeTraits[Stability]):
    searches_krylov_space = True
    _SEARCHES = 400
    """The cost of the searches at three landmarks, in plain steps."""

    def has_subject(self, run: Run) -> bool:
        return bool(spikes(run.loss, self.probe.definition))

    def plain_steps(self, steps: int, *, fork: bool) -> float:
        return self._SEARCHES


class _Balance(ProbeTraits[Balance]):
    updates = True
    _A_LOOK = 40
    """The cost of one measurement, in plain steps; measured: 20 to 65 at settings A and B, 20 to 220 on images."""
    _NUMBERS = 6
    """Numbers of one measurement. Memory holds them twice: as a list of tensors, then as one tensor."""

    def member_steps(self, steps: int) -> int:
        """Updates from the first measurement on."""
        return steps - self.probe.since

    def plain_steps(self, steps: int, *, fork: bool) -> float:
        """The updates and the measurements."""
        return (steps - self.probe.since) * (1 + self._A_LOOK / self.probe.every)

    def recorded(self, steps: int, outputs: int) -> int:
        """One loss per step, and the measurements."""
        return steps + 2 * self._NUMBERS * math.ceil(steps / self.probe.every)


class _Finish(ProbeTraits[Finish]):
    searches_krylov_space = True
    _AN_EDGE = 200
    """The cost of one edge, in plain steps; measured: 115 on sums of sines, 520 on images."""

    def plain_steps(self, steps: int, *, fork: bool) -> float:
        """The cost of all edges; 1 where none is measured."""
        return self._AN_EDGE * (self.probe.period + self.probe.looks) if self.probe.edges else 1

    @property
    def sees_held_out(self) -> bool:
        """True: the held-out loss is evaluated once."""
        return True


_TRAITS: dict[type, type[ProbeTraits[Any]]] = {
    type(None): _Training,
    Anatomy: _Anatomy,
    SharpnessTrace: _SharpnessTrace,
    Trail: _Trail,
    Directions: _Directions,
    Stability: _Stability,
    Balance: _Balance,
    Finish: _Finish,
}


def probe_traits(probe: Probe | None) -> ProbeTraits[Any]:
    """The traits of this probe; None stands for the training itself.

    Raises:
        SettingError: the probe is for workloads, which the laboratory does not train.
    """
    if isinstance(probe, BatchSharpness):
        raise SettingError("probe BatchSharpness: measures workloads only; use spikecheck verify --workload")
    return _TRAITS[type(probe)](probe)


def measured_step(probe: Directions, run: Run) -> int | None:
    """The step of the state that `Directions` measures: the run's end, or a landmark of its first spike.

    None where the run never reaches it.
    """
    if run.diverged:
        return None
    if probe.at == "end":
        return run.ended.step
    run_spikes = spikes(run.loss, probe.definition)
    return getattr(run_spikes[0], probe.at) if run_spikes else None
