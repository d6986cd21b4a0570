"""Batches are joined only where the mean loss over them stays as it was."""

from spikecheck.watch.merging import parts_of
from tests.watch.measured_trainings import order, quadratic


def test_batches_are_joined_where_the_loss_stays_the_same() -> None:
    training = quadratic([1.0, 2.0, 3.0])
    assert len(parts_of(training, training.epoch(10)).batches) == 1
    with_dropout = order().begin()
    assert len(parts_of(with_dropout, with_dropout.epoch(4)).batches) == 4
