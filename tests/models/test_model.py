"""The model that a setting names: its kind, its sizes, and that all kinds keep the interface."""

import pytest
import torch
from torch import nn

from spikecheck.core.setting import Setting
from spikecheck.models.model import MLP, Conv, FromModule, Model, model_of

SETTINGS = {
    "mlp": Setting(width=7, depth=2),
    "linear": Setting(model="linear", width=7, depth=2),
    "conv": Setting(model="conv", problem="digits", width=4),
    "own": Setting(model="tests.models.test_model:net"),
}
INPUTS = {"conv": 64}


def net(setting: Setting) -> nn.Module:
    """A module of one's own."""
    return nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2))


@pytest.mark.parametrize(("name", "kind"), [("mlp", MLP), ("linear", MLP), ("conv", Conv), ("own", FromModule)])
def test_a_setting_names_the_kind(name: str, kind: type) -> None:
    assert isinstance(model_of(SETTINGS[name], INPUTS.get(name, 3), 2), kind)


@pytest.mark.parametrize(("output_bias", "biases"), [(False, 0), (True, 2)])
@pytest.mark.parametrize("depth", [1, 2])
def test_sizes_are_those_of_dense_layers(depth: int, output_bias: bool, biases: int) -> None:
    setting = Setting(width=7, depth=depth, output_bias=output_bias)
    assert model_of(setting, 3, 2).size == (3 + 1) * 7 + (depth - 1) * (7 + 1) * 7 + 7 * 2 + biases
    assert model_of(setting.but(model="linear"), 3, 2).size == 3 * 2 + biases


@pytest.mark.parametrize("name", SETTINGS)
def test_every_kind_keeps_the_interface(name: str) -> None:
    inputs = INPUTS.get(name, 3)
    model = model_of(SETTINGS[name], inputs, 2)
    assert isinstance(model, Model)
    params = torch.stack([model.initial(SETTINGS[name], seed) for seed in (0, 1, 0)])
    assert params.shape == (3, model.size) and params.dtype == torch.float64
    assert torch.equal(params[0], params[2]) and not torch.equal(params[0], params[1])
    outputs = model.outputs(
        params, torch.randn(1, 5, inputs, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    )
    assert outputs.shape == (3, 5, 2)
    incoming, outgoing = model.input_weights(params[0]), model.output_weights(params[0])
    assert len(outgoing) == (0 if name == "conv" else len(incoming))  # no layer follows a convolution neuron by neuron


def test_a_linear_model_is_linear_and_has_no_hidden_neurons() -> None:
    setting = SETTINGS["linear"]
    model = model_of(setting, 3, 2)
    params = model.initial(setting, 0)[None]
    x = torch.randn(1, 2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    one, other, both = (model.outputs(params, points)[0, 0] for points in (x[:, :1], x[:, 1:], x.sum(1, keepdim=True)))
    torch.testing.assert_close(one + other, both)
