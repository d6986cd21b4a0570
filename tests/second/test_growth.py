"""The growth that the package reads off swings against displacements that are really there."""

import numpy as np
import pytest

from spikecheck import Anatomy, Continue, Hold, SpikeDefinition
from spikecheck.measures import growth
from tests.second.asked import SEEDS, SPIKING, Case, runs
from tests.second.motion import displaced_growth

SETTLING = 12
"""Steps after which a swing, a difference of order eight in time, means something."""
ASCENTS = pytest.mark.parametrize("case", SPIKING.values(), ids=SPIKING)


@ASCENTS
def test_above_the_threshold_a_displacement_grows_at_the_rate_of_the_sharpness(case: Case) -> None:
    """From the valley's bottom, where a twin that is held at 1.1 x 2/lr has come to, a displacement of 1e-8 along v_1.

    The first step is linear up to the displacement's size. Over thirty v_1 turns and the sharpness changes, and the product
    of all rates still holds, since both are seen anew at every step.
    """
    lr = case.setting.lr
    held = runs(case.but(intervention=Hold(horizon=40, level=1.1)), SEEDS)
    assert len(held) >= 2
    for run in held.values():
        factors, sharpness = displaced_growth(case.net, run.snapshots["end"].params, lr, 30)
        rates = np.abs(1.0 - lr * sharpness)
        assert lr * sharpness[0] > 2.01
        assert factors[0] == pytest.approx(rates[0], rel=1e-6)
        assert np.log(factors).sum() == pytest.approx(np.log(rates).sum(), rel=1e-4)


@ASCENTS
def test_swings_grow_as_a_displacement_does(case: Case) -> None:
    """Along the ascent itself, step by step: half of the steps agree within 2 %, and the second eigenvalue's rate is none.

    Seen until 20 steps before the onset: nearer to it the swings are so large that growth is no longer linear.
    """
    lr, lead, seen = case.setting.lr, 60, 40
    going_on = Continue(horizon=seen, definition=SpikeDefinition(lead=lead))
    continued = runs(case.but(intervention=going_on), SEEDS, Anatomy(pairs=2))
    assert len(continued) >= 4
    for run in continued.values():
        record = run.records["anatomy"]
        factors, sharpness = displaced_growth(case.net, run.snapshots["start"].params, lr, seen)
        rising = (lr * sharpness > 2.0) & (np.arange(seen) >= SETTLING)
        assert rising.sum() >= 20
        swung = growth(record["swing"][:seen, 0], record["next_swing"][:seen, 0])
        assert np.median(np.abs(np.log(swung / factors))[rising]) < 0.02
        second = np.abs(1.0 - lr * record["sharpness"][:seen, 1])
        assert np.median(np.abs(np.log(second / factors))[rising]) > 0.1
