"""Where forks come from: a user's training goes back and forth, and its own losses are compared."""

import pytest
import torch

from spikecheck.why.executors import Here
from spikecheck.why.question import Question
from spikecheck.why.ring import Ring
from spikecheck.why.scene import Scene
from spikecheck.why.sources import OwnSource, _differs_at
from spikecheck.why.spikes import Run
from tests.why.loops import Loop

SCENE = Scene(start=15, onset=20, over=22, end=30, level=1.0, spread=0.1)


@pytest.mark.parametrize(
    ("losses", "first", "place"),
    [
        ([3.0, 4.0], 0, None),
        ([3.0, 9.0], 0, 3),
        ([9.0, 4.0], 0, 2),
        ([0.0, 1.0, 9.0, 9.0, 3.0, 4.0], 2, None),  # losses from before the run's first are not compared
        ([4.0], 0, None),
    ],
)
def test_losses_on_the_way_are_compared_with_those_of_the_run(
    losses: list[float], first: int, place: int | None
) -> None:
    """The run's losses of the steps up to 3 are 1, 2, 3, 4, or begin with the 3 at step `first`."""
    run = Run(first, [1.0, 2.0, 3.0, 4.0, 5.0][first:])
    assert _differs_at(losses, run, 4) == place


def test_a_users_training_is_taken_back_and_the_way_is_made_again() -> None:
    training = Loop(lambda p: torch.optim.SGD(p, lr=0.05)).training()
    ring = Ring(training)
    losses = training.run(10)
    ring.keep()
    losses += training.run(20)
    ticks: list[int] = []
    question = Question(observe=lambda event: ticks.append(getattr(event, "member_steps", 0)))
    source = OwnSource(training, ring)
    state, differs = source.reach(Run(0, losses), SCENE, question)
    assert (state.steps, training.steps, differs, sum(ticks)) == (SCENE.start, SCENE.start, None, 5)
    training.restore(state)
    assert training.run(15) == losses[15:]
    changed = [*losses[:12], losses[12] + 1.0, *losses[13:]]
    assert source.reach(Run(0, changed), SCENE, question)[1] == 12


def test_a_users_forks_run_here_and_are_not_kept() -> None:
    training = Loop(lambda p: torch.optim.SGD(p, lr=0.05)).training()
    source = OwnSource(training, Ring(training))
    assert isinstance(source.executor(training.snapshot(), 30), Here)
    assert source.forks(SCENE).store is None
