"""What a Watch costs is measured on equal trainings, and its floor is what the looks' forward passes cost."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from spikecheck import Training
from spikecheck.watch.workload import Workload
from studies.watch_cost import Arm, Make, line, made, measured

TINY: Make = partial(Workload.of("gpt", {"size": "tiny", "batch": 2}).make, None, 0, "cpu")


class Counted:
    """A maker of trainings that counts the passes of its last one, outside its steps."""

    def __init__(self) -> None:
        self.passes = 0

    def __call__(self) -> Training:
        training = TINY()
        loss: Any = training._loss

        def counted(batch: Any) -> torch.Tensor:
            self.passes += 1
            return loss(batch)

        training._loss = counted
        return training


def test_the_watched_training_and_the_bare_one_are_the_same(tmp_path: Path) -> None:
    arms = [Arm(TINY), Arm(TINY, tmp_path / "log.jsonl")]
    for arm in arms:
        assert arm.turn() > 0.0
    one, other = (list(arm.training.model.parameters()) for arm in arms)
    assert all(map(torch.equal, one, other))


def test_the_floor_has_the_passes_that_a_watch_makes(tmp_path: Path) -> None:
    watched, floor = Counted(), Counted()
    arms = [Arm(watched, tmp_path / "log.jsonl"), Arm(floor, passes=True)]
    for _ in range(11):
        for arm in arms:
            arm.turn()
    assert watched.passes == floor.passes == 4 * 4 + 18


@pytest.mark.parametrize("first", range(3))
def test_whichever_is_made_first_each_is_in_its_place(first: int, tmp_path: Path) -> None:
    order: list[Training] = []

    def make() -> Training:
        order.append(TINY())
        return order[-1]

    bare, watched, passes = made(make, tmp_path / "log.jsonl", first)
    assert watched.watch is not None and bare.watch is None and passes.watch is None
    assert passes._passes and not bare._passes
    assert (bare, watched, passes)[first].training is order[0]


def test_a_bare_training_makes_no_pass() -> None:
    bare = Counted()
    Arm(bare).turn()
    assert bare.passes == 0


class Clocked(Arm):
    """Takes as many seconds a turn as it is told."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.turns = seconds, 0

    def turn(self) -> float:
        self.turns += 1
        return self.seconds


def test_a_pair_has_200_steps_of_each_and_those_before_are_not_counted() -> None:
    arms = [Clocked(seconds) for seconds in (0.5, 0.6, 0.55)]
    rows = list(measured(arms, 3, 100))
    assert rows == [pytest.approx((5.0, 6.0, 5.5))] * 3
    assert [arm.turns for arm in arms] == [35, 35, 35]
    assert line("x", 1, rows) == "| x | 1 | 25.0 ms | 1.200 (1.200 to 1.200) | 1.100 (1.100 to 1.100) |"
