"""Trains tiles in this process."""

from functools import partial

from spikecheck.lab.execution.order import Answers, TrainingRequest


class Local:
    """Trains one tile after another, in this process."""

    def results(self, order: TrainingRequest) -> Answers:
        """Yield the tiles in the order given. This process is never idle, so nothing is trained ahead."""
        if not order.tiles:
            return
        from spikecheck.lab.execution.train_job import one_thread, train_job  # noqa: PLC0415 - brings torch

        for tile in order.tiles:
            order.tick(tile, 0)  # a tile of few steps never ticks by itself
            with one_thread(order.device):
                trained = train_job(order.load(tile), order.device, partial(order.tick, tile))
            yield tile, trained

    def close(self) -> None:
        """Do nothing: no worker was started."""
