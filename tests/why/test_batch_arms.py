"""Arms that give other batches, each against a plain loop that does the same by hand, to the bit."""

import pytest

from spikecheck.why import arms
from spikecheck.why.scene import LEAD
from tests.why.loops import SCENE, START, STEPS, adam, by_arm, by_hand, nothing


def test_batches_left_out_are_replaced_by_the_next() -> None:
    first, left = SCENE.onset - LEAD // 2, len(SCENE.left_out)
    assert (first, left) == (START + 12, 8)

    def numbers(number: int) -> int:
        return number if number < first else number + left

    assert by_arm(arms.LEFT_OUT, adam) == by_hand(adam, nothing, numbers)


@pytest.mark.parametrize("fork", [0, 1, 4])
def test_other_batches_are_later_ones_of_the_loader_and_every_fork_has_its_own(fork: int) -> None:
    later = (fork + 1) * STEPS
    assert by_arm(arms.OTHER_BATCHES, adam, fork=fork) == by_hand(adam, nothing, lambda number: number + later)
