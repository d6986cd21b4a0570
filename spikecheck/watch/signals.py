"""Warnings of a watched training: steps too large for the curvature, spikes, and figures that rise before them."""

import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from spikecheck.core.watched import Step
from spikecheck.watch.detector import Detector, NoisySpike
from spikecheck.watch.numbers import short

TOO_LARGE = 1.0
"""An overshoot above which a step raises its own batch's loss."""
_IN_A_ROW = 3
"""Consecutive looks above it before a warning: a single one may be due to its batch."""
_BEFORE, _LATEST = 20, 3
"""Looks whose medians are compared: the latest 3 with the 20 before them."""
_RATES = 200
"""Steps over which the learning rate is compared with its median."""
_RISES = 1.5
"""Smallest factor that counts as a rise."""


@dataclass(frozen=True, slots=True)
class Rise:
    """A figure that has risen."""

    what: str
    now: float
    factor: float

    def says(self) -> str:
        """The rise in words.

        >>> Rise("update of head.weight", 0.02, 3.14159).says()
        'update of head.weight 0.02, 3.1 times its median'
        """
        return f"{self.what} {self.now:.3g}, {short(self.factor)} times its median"


def above_level(spike: NoisySpike) -> str:
    """How far the peak of a spike, a finite loss, lies above the level. Over a level without noise it has no height."""
    height = "far" if math.isinf(spike.height) else f"{short(spike.height)} spreads"
    return f"{height} above its level of {spike.level:.4g}"


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning: its step, its kind ("spike" or "overshoot"), and its sentence."""

    step: int
    kind: str
    says: str


class Signals:
    """Follows the steps of one training and produces warnings."""

    def __init__(self) -> None:
        self.detector = Detector()
        self._looked: deque[Step] = deque(maxlen=_BEFORE + _LATEST)
        self._rates: deque[float] = deque(maxlen=_RATES)
        self._above = 0
        self._warned = False

    def take(self, step: Step) -> list[Warned]:
        """Add a step; returns the warnings that it causes."""
        if step.look is not None:
            self._looked.append(step)
        if step.lr:
            self._rates.append(max(step.lr))
        loss = float(step.not_finite or "nan") if step.loss is None else step.loss
        spike = self.detector.update(step.step, loss)
        warnings = [] if spike is None else [Warned(step.step, "spike", self._spike_says(spike, step))]
        return [*warnings, *self._too_large(step)]

    def _too_large(self, step: Step) -> Iterator[Warned]:
        """Warn once for every stretch of looks above the threshold."""
        overshoot = None if step.look is None else step.look.overshoot
        if overshoot is None:
            return
        self._above = self._above + 1 if overshoot > TOO_LARGE else 0
        if not self._above:
            self._warned = False
        elif self._above >= _IN_A_ROW and not self._warned:
            self._warned = True
            yield Warned(step.step, "overshoot", self._overshoot_says())

    def _overshoot_says(self) -> str:
        latest = [s.look.overshoot for s in self._looked if s.look and s.look.overshoot is not None][-_IN_A_ROW:]
        figures = ", ".join(short(value, 2) for value in latest)
        sentence = f"the last {_IN_A_ROW} looks found steps that raise their own batch's loss (overshoot {figures})"
        return f"{sentence}{self._rising()}"

    def _spike_says(self, spike: NoisySpike, step: Step) -> str:
        if spike.rule == "not finite":
            return f"the loss is {step.not_finite or 'not finite'}{self._rising()}"
        seen = [(s.step, s.look.overshoot) for s in self._looked if s.look and s.look.overshoot is not None]
        overshoot = f"; overshoot {short(seen[-1][1], 2)} at step {seen[-1][0]}" if seen else ""
        return f"loss spike since step {spike.onset}: {spike.loss:.4g}, {above_level(spike)}{overshoot}{self._rising()}"

    def _rising(self) -> str:
        rises = [*self._rate(), *rising(list(self._looked))][:3]
        return f"; rising: {'; '.join(rise.says() for rise in rises)}" if rises else ""

    def _rate(self) -> Iterator[Rise]:
        """The learning rate, if it has risen."""
        usual = median(self._rates) if self._rates else 0.0
        if usual and self._rates[-1] >= _RISES * usual:
            yield Rise("learning rate", self._rates[-1], self._rates[-1] / usual)


def rising(looked: Sequence[Step]) -> list[Rise]:
    """Figures that rose at the latest looks, largest factor first; empty with fewer than six looks."""
    before, latest = looked[:-_LATEST], looked[-_LATEST:]
    if len(before) < _LATEST:
        return []
    rises = [_rise(what, before, latest, read) for what, read in _figures(looked).items()]
    return sorted((rise for rise in rises if rise is not None), key=lambda rise: -rise.factor)


_Read = Callable[[Step], float | None]


def _figures(looked: Sequence[Step]) -> Mapping[str, _Read]:
    """Functions that read each figure of a look, by the figure's name."""
    figures: dict[str, _Read] = {}
    for name in looked[-1].look.layers if looked[-1].look else ():
        figures[f"update of {name}"] = _of_layer(name, "update")
        figures[f"gradient of {name}"] = _of_layer(name, "gradient")
        figures[f"|g|/sqrt(v) of {name}"] = _of_layer(name, "surprise")
    return figures


def _of_layer(name: str, what: str) -> _Read:
    def read(step: Step) -> float | None:
        layer = step.look.layers.get(name) if step.look else None
        value: float | None = getattr(layer, what, None)
        return value

    return read


def _rise(what: str, before: Sequence[Step], latest: Sequence[Step], read: _Read) -> Rise | None:
    earlier = [value for step in before if (value := read(step)) is not None]
    now = [value for step in latest if (value := read(step)) is not None]
    if len(earlier) < _LATEST or not now or not median(earlier):
        return None
    factor = median(now) / median(earlier)
    return Rise(what, median(now), factor) if factor >= _RISES else None
