"""A question about a training that spiked: which spike, by which arms, until when; and the progress of its answer."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from spikecheck.core.errors import UsageError
from spikecheck.core.events import ClaimStarted, Observer, StageStarted, TileAdvanced, ignore
from spikecheck.core.work import Expected
from spikecheck.why.arms import ARMS, PLACEBO, SECOND_HELD, Arm
from spikecheck.why.sequential import FEWEST, MOST

_CLAIM = "why"
_A_STEP = 0.01
"""Seconds that a step is expected to take, for the display alone; what is left is scaled by what the steps so far took."""
_A_FORK = 150
TRAINING, WAY, AGAIN, FORKS = "training", "the way to the spike", "the spike again", "forks"
"""The stages of an answer."""


@dataclass
class Question:
    """Which spike of a training to explain, by which arms, and until when."""

    at: int | None = None
    """A step of the spike; None for the first that is not benign."""
    arms: Sequence[Arm] = ARMS
    deadline: float | None = None
    """A value of `time.monotonic()`."""
    observe: Observer = ignore
    interrupted: bool = field(default=False, init=False)
    """Whether Ctrl-C ended the forks."""

    def __post_init__(self) -> None:
        """Raises UsageError where two arms have one name."""
        names = [PLACEBO.name, SECOND_HELD.name, *(arm.name for arm in self.arms)]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise UsageError(f"arms: two are called {twice[0]!r}; give each a name of its own")

    def check_within(self, steps: int) -> None:
        """Raises UsageError where the spike to explain lies behind the last of so many steps."""
        if self.at is not None and not 0 <= self.at < steps:
            raise UsageError(
                f"--at-step {self.at}: the training has steps 0 to {steps - 1}; name one of them, or train longer"
            )

    def announce(self, steps: int) -> None:
        """Tell a display what is to come, for a training of so many steps. Without a spike, it ends with the training."""
        if_it_spikes = [(stage, Expected(possible=work.all)) for stage, work in self._of_a_spike(steps)]
        self._expect((TRAINING, _work(steps)), *if_it_spikes)

    def announce_forks(self, steps: int) -> None:
        """Tell a display what is to come, now that a spike is to be explained that lies so many steps away."""
        self._expect(*self._of_a_spike(2 * steps))

    def _of_a_spike(self, steps: int) -> list[tuple[str, Expected]]:
        """The stages behind the training; the way to the spike is half of it on average."""
        forks = (1 + len(self.arms)) * _A_FORK
        return [
            (WAY, _work(steps // 2)),
            (AGAIN, _work(2 * _A_FORK)),
            (FORKS, _work(forks * FEWEST, forks * (MOST - FEWEST) // 2)),
        ]

    def _expect(self, *stages: tuple[str, Expected]) -> None:
        self.observe(ClaimStarted(_CLAIM, 1, 1, stages))

    def enter(self, stage: str) -> None:
        """A stage begins."""
        self.observe(StageStarted(_CLAIM, stage, 1, 0))

    def advance(self, steps: int) -> None:
        """So many more steps were made."""
        self.observe(TileAdvanced(steps, steps * _A_STEP))


def _work(certain: int, possible: int = 0) -> Expected:
    """The expected work of so many steps, and of half of those that may come in addition."""
    return Expected({TRAINING: certain * _A_STEP}, {TRAINING: possible * _A_STEP})
