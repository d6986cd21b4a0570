"""Full precision, against a plain loop without autocast, to the bit."""

from spikecheck.why import arms
from tests.why.loops import Loop, adam, by_arm, by_hand, nothing


def test_full_precision_leaves_autocast_out() -> None:
    whole = by_hand(adam, nothing)
    assert by_hand(adam, nothing, autocast=True) != whole

    def off(loop: Loop, place: int) -> None:
        loop.autocast = False

    assert by_arm(arms.FULL_PRECISION, adam, autocast=True) == by_hand(adam, off, autocast=True)
