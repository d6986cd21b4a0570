"""Events emitted while a claim is verified. Engines emit them; renderers subscribe to them."""

from collections.abc import Callable
from dataclasses import dataclass, field

from spikecheck.core.judgement import Judgement
from spikecheck.core.setting import Setting
from spikecheck.core.verdict import Verdict
from spikecheck.core.work import TRAINING, Expected, Work


@dataclass(frozen=True, slots=True)
class ClaimStarted:
    """The verification of a claim begins; it is number `position` of `total`, counted from 1."""

    claim: str
    position: int
    total: int
    expected: tuple[tuple[str, Expected], ...] = ()
    """Its stages in order, each with its expected work."""
    after: tuple[Expected, ...] = ()
    """Expected work of each later claim."""


@dataclass(frozen=True, slots=True)
class StageStarted:
    """A stage begins, such as "reference", "control", "search"; `seeds` is 0 for a stage without seeds."""

    claim: str
    stage: str
    settings: int
    seeds: int


@dataclass(frozen=True, slots=True)
class WorkPlanned:
    """`member_steps` steps, summed over members, will be trained now; `runs_reused` runs came from the store."""

    member_steps: int
    runs_reused: int
    work: Work = field(default_factory=dict)
    """Expected work of these steps."""


@dataclass(frozen=True, slots=True)
class TileAdvanced:
    """`member_steps` more steps, summed over members, were trained."""

    member_steps: int
    seconds: float = 0.0
    """Expected time of these steps, in seconds on a typical core."""
    early: bool = False
    """Whether a later stage needs these steps and the current one does not."""
    kind: str = TRAINING
    """Kind of work: see `core.work`."""


@dataclass(frozen=True, slots=True)
class WorkDone:
    """Work of this kind, other than training, is complete; `seconds` is its expected time on a typical core."""

    seconds: float
    kind: str


@dataclass(frozen=True, slots=True)
class Busy:
    """The name of an activity other than training, such as compiling; empty when it is over."""

    doing: str


@dataclass(frozen=True, slots=True)
class RunsRead:
    """Stored runs were read; they contain `spikes` spikes."""

    spikes: int


@dataclass(frozen=True, slots=True)
class TileStored:
    """A tile (members trained together) is trained and stored."""

    runs: int
    spikes: int | None = None
    """Of all its runs; None where they were not searched for spikes."""


@dataclass(frozen=True, slots=True)
class SettingJudged:
    """One setting's evidence was judged."""

    claim: str
    stage: str
    setting: Setting
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class StoreTrouble:
    """The store could not be read or written; verification continues without it."""

    message: str


@dataclass(frozen=True, slots=True)
class ClaimFinished:
    """A claim's verdict is complete."""

    verdict: Verdict


Event = (
    ClaimStarted
    | StageStarted
    | WorkPlanned
    | TileAdvanced
    | WorkDone
    | Busy
    | TileStored
    | RunsRead
    | SettingJudged
    | StoreTrouble
    | ClaimFinished
)
Observer = Callable[[Event], None]


def ignore(event: Event) -> None:
    """An observer that ignores every event."""
