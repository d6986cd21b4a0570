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
    before: float = 0.0
    """Share of all the expected work that lies behind, in [0, 1]."""
    share: float = 1.0
    """Share of all the expected work that this claim is, in [0, 1]."""
    settings: int = 1
    """How many settings will be judged, about."""


@dataclass(frozen=True, slots=True)
class StageStarted:
    """A stage begins: "reference", "control", "search", "descent", "confirmation" or "typical run"."""

    claim: str
    stage: str
    settings: int
    seeds: int


@dataclass(frozen=True, slots=True)
class WorkPlanned:
    """So many member-steps will be trained now; so many runs came from the store."""

    member_steps: int
    runs_reused: int


@dataclass(frozen=True, slots=True)
class TileAdvanced:
    """`member_steps` more were trained."""

    member_steps: int


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
    ClaimStarted | StageStarted | WorkPlanned | TileAdvanced | TileStored | SettingJudged | StoreTrouble | ClaimFinished
)
Observer = Callable[[Event], None]


def ignore(event: Event) -> None:
    """The observer that does not look."""
