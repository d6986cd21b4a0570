"""What a watch sees of every step from the fork to the onset: overshoot, and each layer's lag of the second moment."""

import math
from collections.abc import Sequence
from statistics import fmean, median

from spikecheck.core.errors import UsageError
from spikecheck.core.watched import Step
from spikecheck.core.why import LayerSign, Signs
from spikecheck.watch.training import Snapshot, Training
from spikecheck.watch.training import Step as Made
from spikecheck.watch.watch import QuietWatch
from spikecheck.why.scene import DATED_LATE, LEAD, Scene


class _Kept:
    """A sink that keeps the steps it is given."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def step(self, step: Step) -> None:
        """Keep it."""
        self.steps.append(step)

    def close(self) -> None:
        """Nothing to close."""


class _Silent(QuietWatch):
    """What it would warn of stands in the answer."""

    def _warn(self, message: str, step: int) -> None:
        """Nothing."""


def signs_before(training: Training, state: Snapshot, scene: Scene) -> Signs:
    """Watch the steps before the onset; the training is left there. What cannot be watched is said in `missing`."""
    training.restore(state)
    if not training.has_loss:
        return Signs(missing="the training has no loss=FUNCTION, so no step could be watched")
    try:
        steps = _watched(training, scene.onset - scene.start, scene.start)
    except UsageError as error:
        return Signs(missing=str(error))
    return read_signs(steps, scene.onset)


def read_signs(steps: Sequence[Step], onset: int) -> Signs:
    """Overshoots and lags of the steps just before the onset, beside those of the steps before them."""
    overshoots = [(s.step, s.look.overshoot) for s in steps if s.look is not None and s.look.overshoot is not None]
    near = [value for step, value in overshoots if onset - LEAD <= step < onset]
    return Signs(
        overshoot=median(near) if near else None,
        overshoots=tuple(overshoots),
        layers=_layers(steps, onset),
        missing="" if near else _why_not(steps),
    )


def _watched(training: Training, steps: int, start: int) -> list[Step]:
    kept = _Kept()
    with _Silent(training.model, training.optimizer, every=1, start=start) as watch:
        watch._sinks.append(kept)

        def look(made: Made) -> None:
            watch.step(made.loss, lambda: training.loss(made.batch))

        training.run(steps, observe=look)
    return kept.steps


def _layers(steps: Sequence[Step], onset: int) -> tuple[LayerSign, ...]:
    """The layers whose second moment lags most, by how far the steps that a spike may follow exceed those before."""
    if not steps:
        return ()
    reach = onset - DATED_LATE - LEAD
    near = _largest([_surprises(steps, first) for first in range(reach, onset, LEAD)])
    usual = _largest([_surprises(steps, first) for first in range(reach - LEAD, steps[0].step - 1, -LEAD)])
    signs = [LayerSign(name=name, surprise=near[name], usual=usual[name]) for name in near if name in usual]
    return tuple(sorted(signs, key=lambda sign: -sign.surprise / max(sign.usual, 1e-12)))


def _largest(blocks: Sequence[dict[str, float]]) -> dict[str, float]:
    """Of every layer that is known in all blocks, the largest value."""
    first = blocks[0] if blocks else {}
    return {name: max(block[name] for block in blocks) for name in first if all(name in block for block in blocks)}


def _surprises(steps: Sequence[Step], first: int) -> dict[str, float]:
    """Of every layer the root mean square of |g|/sqrt(v) over `LEAD` steps; only layers known at all of them."""
    looks = [step.look.layers for step in steps if first <= step.step < first + LEAD and step.look is not None]
    squares: dict[str, list[float]] = {}
    for layers in looks:
        for name, layer in layers.items():
            if layer.surprise is not None:
                squares.setdefault(name, []).append(layer.surprise**2)
    return {name: math.sqrt(fmean(values)) for name, values in squares.items() if len(values) == LEAD}


def _why_not(steps: Sequence[Step]) -> str:
    reasons = [step.look.unresolved for step in steps if step.look is not None and step.look.unresolved]
    return f"no overshoot: {reasons[-1]}" if reasons else "no step before the onset could be watched"
