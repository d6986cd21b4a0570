"""The update rules of the kernel that makes many updates, against `torch.optim`."""

import os
from typing import Any

import pytest
import torch

from spikecheck.core.setting import Setting
from spikecheck.objective.gpu_shallow import ShallowGpu
from spikecheck.objective.objective import build_objective
from spikecheck.training.loop import begin
from spikecheck.training.rule_for import rule_for
from spikecheck.training.segment_gpu import InKernel

pytest.importorskip("triton", reason="Triton has no build for this platform")

DEVICE = "cpu" if os.environ["TRITON_INTERPRET"] == "1" else "cuda"
STEPS, LR = 6, 0.05
OWN: dict[str, tuple[Any, dict[str, Any]]] = {
    "gd": (torch.optim.SGD, {}),
    "heavy-ball": (torch.optim.SGD, {"momentum": 0.8}),
    "nesterov": (torch.optim.SGD, {"momentum": 0.8, "nesterov": True}),
    "rmsprop": (torch.optim.RMSprop, {"alpha": 0.9}),
    "adam": (torch.optim.Adam, {"betas": (0.8, 0.9)}),
    "adamw": (torch.optim.AdamW, {"betas": (0.8, 0.9)}),
}


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("rule", OWN)
def test_every_rule_moves_as_torchs_optimizer(rule: str, decay: float) -> None:
    numbers = {"heavy-ball": {"momentum": 0.8}, "nesterov": {"momentum": 0.8}, "rmsprop": {"beta2": 0.9}}
    betas = {"beta1": 0.8, "beta2": 0.9} if rule.startswith("adam") else {}
    setting = Setting(
        width=3, points=4, steps=STEPS, lr=LR, optimizer=rule, weight_decay=decay, **numbers.get(rule, betas)
    )
    goal = build_objective([setting], DEVICE)
    start = begin(goal, rule_for(goal), goal.initial([0]), torch.tensor([LR], dtype=torch.float64))
    record = torch.empty(STEPS, 1, dtype=torch.float64, device=DEVICE)
    passes = ShallowGpu(goal.model, goal.train.x, goal.train.y, 1)  # type: ignore[arg-type]
    end = InKernel(passes, rule_for(goal))(start, torch.tensor([STEPS], device=DEVICE), record)

    parameter = torch.nn.Parameter(start.params.clone())
    make, options = OWN[rule]
    optimizer = make([parameter], lr=LR, weight_decay=decay, **options)
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = goal.losses(parameter).sum()
        loss.backward()
        assert float(record[step, 0]) == pytest.approx(float(loss.detach()), rel=1e-10)
        optimizer.step()
    torch.testing.assert_close(end.params, parameter.detach(), rtol=1e-9, atol=1e-11)
    assert end.done.tolist() == [STEPS]
