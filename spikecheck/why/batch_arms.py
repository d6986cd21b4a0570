"""Arms that give a fork other batches of the same loader."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from spikecheck.watch.training import Training
from spikecheck.why.scene import Context


def left_out(training: Training, context: Context) -> AbstractContextManager[object]:
    """The batches from shortly before the onset to the calm are drawn and not used; the loader's next take their place."""
    steps = context.scene.left_out
    return training.batches_chosen(_skipping(steps.start, len(steps)))


def others(training: Training, context: Context) -> AbstractContextManager[object]:
    """Batches that the loader gives after the window; fork k skips k + 1 windows, so that forks differ in them."""
    scene = context.scene
    return training.batches_chosen(_skipping(scene.start, (context.fork + 1) * scene.steps))


def _skipping(at: int, batches: int) -> Callable[[int, Callable[[], Any]], Any]:
    def chosen(step: int, draw: Callable[[], Any]) -> Any:
        for _ in range(batches if step == at else 0):
            draw()
        return draw()

    return chosen
