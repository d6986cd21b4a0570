"""What happens while a claim is verified, told to whoever observes. Engines emit, renderers subscribe."""

from collections.abc import Callable
from dataclasses import dataclass

from spikecheck.core.judgement import Judgement
from spikecheck.core.setting import Setting
from spikecheck.core.verdict import Verdict


@dataclass(frozen=True, slots=True)
class ClaimStarted:
    """A claim's verification begins; it is number `position` of `total`."""

    claim: str
    position: int
    total: int
    expected: tuple[tuple[str, float], ...] = ()
    """Its stages in their order, with what each will take, in seconds of a usual core: see `lab.batching.seconds`."""
    after: float = 0.0
    """What the claims after it will take, likewise."""
    seeks_spikes: bool = True
    """Whether spikes are looked for in what is trained."""


@dataclass(frozen=True, slots=True)
class StageStarted:
    """A stage begins, such as "reference", "control", "search"; one that has no size has no seeds."""

    claim: str
    stage: str
    settings: int
    seeds: int


@dataclass(frozen=True, slots=True)
class WorkPlanned:
    """So many member-steps will be trained now; so many runs came from the store."""

    member_steps: int
    runs_reused: int
    seconds: float = 0.0
    """What they are expected to take on a usual core."""


@dataclass(frozen=True, slots=True)
class TileAdvanced:
    """`member_steps` more were trained."""

    member_steps: int
    seconds: float = 0.0
    """What they were expected to take on a usual core."""
    early: bool = False
    """Whether nobody has asked for them yet: they are the work of a later stage."""


@dataclass(frozen=True, slots=True)
class WorkDone:
    """Something other than training was done, expected to take so many seconds of a usual core."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Busy:
    """What goes on that is no training, such as compiling; empty when it is over."""

    doing: str


@dataclass(frozen=True, slots=True)
class RunsRead:
    """Runs that were trained before were read: so many spikes are in them."""

    spikes: int


@dataclass(frozen=True, slots=True)
class TileStored:
    """A tile is done and stored: `runs` records, in which `spikes` spikes were found."""

    runs: int
    spikes: int


@dataclass(frozen=True, slots=True)
class SettingJudged:
    """One setting's evidence was judged."""

    claim: str
    stage: str
    setting: Setting
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class StoreTrouble:
    """The store could not be used as it should; the work goes on without."""

    message: str


@dataclass(frozen=True, slots=True)
class ClaimFinished:
    """A claim's verdict is there."""

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
    """The observer that does not look."""
