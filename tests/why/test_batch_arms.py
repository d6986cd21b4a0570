"""Arms that give other batches, each against a plain loop that does the same by hand, to the bit."""

from spikecheck.why import arms
from spikecheck.why.scene import LEAD
from tests.why.loops import SCENE, START, STEPS, adam, by_arm, by_hand, nothing


def test_batches_left_out_are_replaced_by_the_next() -> None:
    first, left = SCENE.onset - LEAD // 2, len(SCENE.left_out)
    assert (first, left) == (START + 12, 8)

    def numbers(number: int) -> int:
        return number if number < first else number + left

    assert by_arm(arms.LEFT_OUT, adam) == by_hand(adam, nothing, numbers)


def test_other_batches_are_later_ones_of_the_loader() -> None:
    assert by_arm(arms.OTHER_BATCHES, adam) == by_hand(adam, nothing, lambda number: number + STEPS)
