"""The second implementation of twins against spikecheck's: two ways to one step, no more than that in common."""

import numpy as np
import pytest
import torch

from spikecheck import SETTING_A, SETTING_B, Setting
from spikecheck.measures import alignment
from spikecheck.objective.objective import build_objective
from spikecheck.training.constrained import held, sharpness_gradient
from studies import twins_numpy as numpy_twins


@pytest.mark.parametrize(("setting", "name"), [(SETTING_A, "A"), (SETTING_B, "B")])
def test_two_implementations_make_the_same_held_step(setting: Setting, name: str) -> None:
    problem, rate = getattr(numpy_twins, name), 0.1
    nets = problem.starts(3, 5)
    goal = build_objective([setting.but(lr=rate)] * 3)
    params = torch.from_numpy(nets.reshape(3, -1))
    losses, slopes = goal.gradient(params)
    ours = problem.gradient(nets)
    np.testing.assert_allclose(ours[0], losses, rtol=1e-12)
    np.testing.assert_allclose(ours[1].reshape(3, -1), slopes, rtol=1e-9, atol=1e-12)
    hessians = goal.hessians(params)
    assert hessians is not None
    np.testing.assert_allclose(problem.hessian(nets), hessians, rtol=1e-9, atol=1e-12)
    values, vectors = torch.linalg.eigh(hessians)
    top = vectors[:, :, -1].contiguous()
    rise = sharpness_gradient(goal, params, top)
    theirs = problem.rise(nets, top.numpy().reshape(nets.shape)).reshape(3, -1)
    np.testing.assert_allclose(theirs, rise, rtol=1e-4, atol=1e-4)
    lr = torch.full((3,), rate, dtype=torch.float64)
    for ceiling in (2 / rate, float(values[:, -1].min()) / 2):  # the second is so low that every member is pulled back
        expected = params - rate * held(slopes, lr, torch.full_like(lr, ceiling), values[:, -1], top, rise)
        found, sharpness, _ = numpy_twins.held_step(problem, nets, rate, ceiling)
        np.testing.assert_allclose(sharpness, values[:, -1], rtol=1e-9)
        np.testing.assert_allclose(found.reshape(3, -1), expected, rtol=1e-4, atol=1e-6)


def test_a_vector_that_is_near_leads_to_the_pair() -> None:
    problem = numpy_twins.A
    nets = problem.starts(3, 5)
    hessians = problem.hessian(nets)
    values, vectors = numpy_twins.top_pair(hessians, None)
    near = vectors + 0.02 * np.random.default_rng(0).normal(size=vectors.shape)
    again, turned = numpy_twins.top_pair(hessians, near / np.linalg.norm(near, axis=1, keepdims=True))
    np.testing.assert_allclose(again, values, rtol=1e-9)
    np.testing.assert_allclose(np.abs((turned * vectors).sum(1)), 1, rtol=1e-9)


def test_alignments_agree() -> None:
    nets = numpy_twins.A.starts(2, 1)
    found = numpy_twins.alignment(nets)
    assert found == pytest.approx([alignment(net[:2].T) for net in nets])
