"""Random directions in parameter space."""

import numpy as np
import torch

from spikecheck.training.dissection import random_directions


def test_no_direction_of_the_parameters_is_likelier_than_another() -> None:
    drawn = random_directions(range(200), 20, torch.zeros(200, 30, dtype=torch.float64))
    np.testing.assert_allclose(drawn.square().mean((0, 1)), np.full(30, 1 / 30), rtol=0.1)
    assert float(drawn.mean((0, 1)).abs().max()) < 4 / 30**0.5 / 4_000**0.5
