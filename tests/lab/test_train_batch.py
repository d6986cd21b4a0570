"""The conditions of a setting reach the training of its tile."""

import numpy as np
import pytest

from tests.lab.probed import SHORT, runs


def test_mini_batches_and_noise_reach_the_training() -> None:
    plain = runs(SHORT, [1])[1].loss
    for changes in ({"batch": 5}, {"gradient_noise": 0.01}):
        noisy = runs(SHORT.but(**changes), [1])[1].loss
        assert noisy[0] == pytest.approx(plain[0], rel=1e-12)
        assert not np.array_equal(noisy, plain)
