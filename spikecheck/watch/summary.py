"""Runs a whole log through the detector and the warnings."""

from collections import Counter
from dataclasses import dataclass

from spikecheck.core.watched import Header, Step
from spikecheck.watch.detector import NoisySpike
from spikecheck.watch.log import WatchLog
from spikecheck.watch.signals import Rise, Signals, Warned, rising

HIGHEST = 3.0
"""Largest overshoot in a figure; higher ones are drawn at this value."""


@dataclass(frozen=True)
class Summary:
    """Spikes, warnings and figures of a whole log."""

    header: Header
    steps: tuple[Step, ...]
    spikes: tuple[NoisySpike, ...]
    recurring: tuple[NoisySpike, ...]
    warnings: tuple[Warned, ...]
    rises: tuple[Rise, ...]
    """Figures that rose at the latest looks."""
    unresolved: dict[str, int]
    """Number of looks without an overshoot, by reason."""
    unreadable: int = 0

    @property
    def losses(self) -> list[tuple[int, float]]:
        """Pairs of step and loss, for finite losses."""
        return [(step.step, step.loss) for step in self.steps if step.loss is not None]

    @property
    def overshoots(self) -> list[tuple[int, float]]:
        """Pairs of step and overshoot, for looks that resolved one."""
        return [(s.step, s.look.overshoot) for s in self.steps if s.look is not None and s.look.overshoot is not None]

    @property
    def drawn_overshoots(self) -> list[tuple[int, float]]:
        """`overshoots`, clipped to -1 and `HIGHEST`: a single huge step would flatten the curve."""
        return [(step, max(-1.0, min(value, HIGHEST))) for step, value in self.overshoots]

    def overshoot_at(self, spike: NoisySpike) -> tuple[int, float] | None:
        """Step and value of the largest overshoot near a spike: from the look before its onset to its alarm or peak."""
        since = max((step for step, _ in self.overshoots if step <= spike.onset), default=spike.onset)
        until = max(spike.alarm, spike.peak)
        near = [pair for pair in self.overshoots if since <= pair[0] <= until]
        return max(near, key=lambda pair: pair[1], default=None)


def summary(log: WatchLog) -> Summary:
    """Summarise a log that has a header."""
    assert log.header is not None
    steps, signals = tuple(log.ordered()), Signals()
    warnings = tuple(warned for step in steps for warned in signals.take(step))
    looked = [step for step in steps if step.look is not None]
    reasons = Counter(step.look.unresolved for step in looked if step.look is not None and step.look.unresolved)
    return Summary(
        header=log.header,
        steps=steps,
        spikes=tuple(signals.detector.spikes),
        recurring=tuple(signals.detector.recurring),
        warnings=warnings,
        rises=tuple(rising(looked[-23:])) if looked else (),
        unresolved=dict(reasons.most_common()),
        unreadable=log.unreadable,
    )
