"""Flat parameters as an optimizer sees them: torch's own names' order, shapes and numbers."""

import torch
from torch import nn

from spikecheck.core.setting import Setting
from spikecheck.models.parameter_layout import spans, torchs_order
from spikecheck.objective.objective import build_objective


def test_layers_lie_as_torchs_linear_layers_do() -> None:
    """Loaded into an nn.Sequential, the tensors compute the model's outputs: [outgoing, incoming], none transposed."""
    goal = build_objective([Setting(problem="mnist1d", points=12, width=6, depth=2)])
    params = goal.initial([3])
    columns, straight = torchs_order(spans(goal.model))
    row = params[0][columns]
    net = nn.Sequential(nn.Linear(40, 6), nn.Tanh(), nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 10, bias=False)).double()
    with torch.no_grad():
        for own, place in zip(net.parameters(), straight, strict=True):
            assert tuple(own.shape) == place.shape
            assert place.of(row).is_contiguous()
            own.copy_(place.of(row))
    torch.testing.assert_close(net(goal.train.x[0]), goal.outputs(params, goal.train.x)[0])
    assert [place.name for place in straight[:2]] == ["layers.0.weight", "layers.0.bias"]
    assert sorted(columns) == list(range(goal.size))
