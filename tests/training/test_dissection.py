"""Random directions in parameter space, and oscillations along eigenvectors, by hand."""

from math import comb

import numpy as np
import torch
from torch import Tensor

from spikecheck.core.setting import Setting
from spikecheck.objective.objective import Objective, build_objective
from spikecheck.training.dissection import DIFFERENCES, dissect, random_directions
from spikecheck.training.loop import begin
from spikecheck.training.rule_for import rule_for


def test_no_direction_of_the_parameters_is_likelier_than_another() -> None:
    drawn = random_directions(range(200), 20, torch.zeros(200, 30, dtype=torch.float64))
    np.testing.assert_allclose(drawn.square().mean((0, 1)), np.full(30, 1 / 30), rtol=0.1)
    assert float(drawn.mean((0, 1)).abs().max()) < 4 / 30**0.5 / 4_000**0.5


def by_hand(goal: Objective, params: Tensor, lr: float, steps: int) -> tuple[list[Tensor], list[Tensor]]:
    """Gradients and first eigenvectors along gradient descent, from dense Hessians."""
    gradients, vectors = [], []
    for _ in range(steps):
        gradient = goal.gradient(params)[1][0]
        hessian = torch.autograd.functional.hessian(lambda row: goal.losses(row[None])[0], params[0])
        gradients.append(gradient)
        vectors.append(torch.linalg.eigh(hessian).eigenvectors[:, -1])
        params = params - lr * gradient
    return gradients, vectors


def test_this_and_the_next_oscillation_are_along_the_eigenvector_of_this_step() -> None:
    """From a training's first step on, where the eigenvector turns fastest: along the next one the numbers are others."""
    setting, steps = Setting(width=4, points=12, lr=0.3), 20
    goal = build_objective([setting])
    rule, start = rule_for(goal), goal.initial([0])
    state = begin(goal, rule, start, torch.full((1,), setting.lr, dtype=torch.float64))
    seen = dissect(goal, rule, state, torch.tensor([steps]), 1, lambda _: None)
    gradients, vectors = by_hand(goal, start, setting.lr, steps + 1)

    def swing(at: int, along: int) -> float:
        weights = [(-1.0) ** j * comb(DIFFERENCES, j) / 2**DIFFERENCES for j in range(DIFFERENCES + 1)]
        swung = sum(w * gradients[at - j] for j, w in enumerate(weights))
        return abs(float(swung @ vectors[along]))

    later = range(DIFFERENCES, steps)
    own, following, other = ([swing(t + d, t + e) for t in later] for d, e in ((0, 0), (1, 0), (1, 1)))
    np.testing.assert_allclose(seen.swing[DIFFERENCES:steps, 0, 0].abs(), own, rtol=1e-2)
    np.testing.assert_allclose(seen.next_swing[DIFFERENCES:steps, 0, 0].abs(), following, rtol=1e-2)
    assert np.median(np.abs(np.array(other) / following - 1.0)) > 0.05
