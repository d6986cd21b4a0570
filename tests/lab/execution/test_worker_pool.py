"""The pool of workers: what it is given at once, and when it is given more."""

from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.lab.execution.order import Job, Tile, TrainingRequest
from spikecheck.lab.execution.processes import Processes


def test_what_tiles_start_from_is_loaded_when_their_turn_has_come(workers: Processes) -> None:
    """All at once took gigabytes: two tiles a worker, whatever there is to do."""
    tiles = [(Recipe(setting=Setting(width=4, points=6, steps=50), seed=seed),) for seed in range(12)]
    loaded: list[int] = []
    answered = 0

    def load(tile: Tile) -> Job:
        loaded.append(len(loaded) + 1 - answered)
        return Job(tile, (), size=8)

    for _ in workers.results(TrainingRequest(tiles, load, "cpu", lambda tile, made: None)):
        answered += 1
    assert answered == len(loaded) == 12
    assert max(loaded) <= 4


def test_workers_are_given_more_before_what_was_ordered_is_measured(workers: Processes) -> None:
    tiles = [(Recipe(setting=Setting(width=4, points=6, steps=50), seed=seed),) for seed in range(2)]
    rooms: list[int] = []

    def ahead(room: int) -> list[Tile]:
        rooms.append(room)
        return []

    order = TrainingRequest(tiles, lambda tile: Job(tile, (), size=8), "cpu", lambda tile, made: None, ahead)
    assert len(list(workers.results(order))) == 2
    assert rooms[0] == 0 and rooms[-1] == 2
