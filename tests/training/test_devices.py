"""A training step on another device: nothing strays to the CPU.

Where there is no GPU the device is torch's "meta", whose tensors have shapes and no numbers: torch refuses operations that
mix devices there as it does with CUDA. What asks for numbers (how many updates are left, or if a member is lost) cannot run
without any, and is covered by tests/gpu, on a GPU alone.
"""

from dataclasses import replace

import pytest
import torch

from spikecheck.core.setting import Setting
from spikecheck.curvature.hessian import curvature, gradient_curvature
from spikecheck.objective.objective import Points, build_objective
from spikecheck.training.loop import begin
from spikecheck.training.one_update import update, update_all
from spikecheck.training.rule_for import rule_for

MEMBERS = 4
DEVICE = "cuda" if torch.cuda.is_available() else "meta"


def elsewhere(points: Points | None) -> Points | None:
    return points and Points(points.x.to(DEVICE), points.y.to(DEVICE))


@pytest.mark.parametrize("optimizer", ["gd", "heavy-ball", "nesterov", "rmsprop", "adam", "adamw"])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"output_bias": True, "activation": "gelu"},
        {"depth": 2},
        {"problem": "mnist1d", "points": 20},
        {"problem": "mnist1d", "points": 20, "loss": "cross-entropy"},
        {"problem": "mnist1d", "points": 20, "model": "conv", "width": 4, "activation": "relu"},
    ],
)
def test_a_step_and_a_product_stay_where_they_are(optimizer: str, changes: dict[str, object]) -> None:
    setting = Setting(width=6, steps=10, optimizer=optimizer, lr=0.02).but(**changes)
    here = build_objective([setting] * MEMBERS)
    train, test = elsewhere(here.train), elsewhere(here.test)
    assert train is not None
    goal, params = replace(here, train=train, test=test, device=DEVICE), here.initial(range(MEMBERS)).to(DEVICE)
    rule = rule_for(goal)
    ensemble = begin(goal, rule, params, torch.full((MEMBERS,), 0.02, device=DEVICE))
    losses, gradients = goal.gradient(ensemble.params)
    ensemble = update_all(rule, ensemble, gradients)
    ensemble = update(rule, ensemble, losses, gradients, ensemble.done + 1)
    local = curvature(goal, ensemble.params)
    found = [losses, gradients, ensemble.params, ensemble.alive, ensemble.done, *ensemble.slots.values()]
    found += [local.product(params[:, None]), gradient_curvature(local), *goal.test_metrics(params).values()]
    diagonal = rule.preconditioner(dict(ensemble.slots), ensemble.done[:, None])
    found += [] if diagonal is None else [local.preconditioned(diagonal).product(params[:, None])]
    assert {tensor.device.type for tensor in found} == {DEVICE}


def test_an_accelerator_takes_all_members_of_a_layered_network_at_once() -> None:
    """A core takes as many as its cache holds."""
    setting = Setting(problem="mnist1d", points=1_000, width=50, depth=2)
    here = build_objective([setting] * MEMBERS)
    there = elsewhere(here.train)
    assert there is not None
    blocks = [goal.written_out._blocks for goal in (here, replace(here, train=there, device=DEVICE))]  # type: ignore[union-attr]
    assert [len(found) for found in blocks] == [2, 1]
    assert blocks[1] == [slice(0, MEMBERS)]
