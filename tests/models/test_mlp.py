"""Multilayer perceptrons against torch.nn, and where they start."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.lab.laboratory import Laboratory
from spikecheck.models.activations import ACTIVATIONS
from spikecheck.models.mlp import MLP
from spikecheck.objective.objective import build_objective


class XTanh(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * x.tanh()


MODULES = {"tanh": nn.Tanh, "relu": nn.ReLU, "gelu": nn.GELU, "xtanh": XTanh}


def by_modules(model: MLP, params: torch.Tensor) -> nn.Sequential:
    """The same network from torch.nn, filled in the documented flat order."""
    layers: list[nn.Module] = []
    for place, (incoming, outgoing) in enumerate(zip(model.sizes[:-1], model.sizes[1:], strict=True)):
        last = place == len(model.sizes) - 2
        linear = nn.Linear(incoming, outgoing, bias=not last or model.output_bias, dtype=torch.float64)
        weights, params = params[: incoming * outgoing], params[incoming * outgoing :]
        linear.weight.data = weights.view(incoming, outgoing).T
        if linear.bias is not None:
            linear.bias.data, params = params[:outgoing], params[outgoing:]
        layers += [linear] if last else [linear, MODULES[model.activation]()]
    assert len(params) == 0
    return nn.Sequential(*layers)


@given(
    sizes=st.lists(st.integers(1, 9), min_size=3, max_size=5).map(tuple),
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    output_bias=st.booleans(),
    members=st.integers(1, 4),
    shared=st.booleans(),
)
@settings(deadline=None)
def test_outputs_equal_those_of_torch_nn(
    sizes: tuple[int, ...], activation: str, output_bias: bool, members: int, shared: bool
) -> None:
    model = MLP(sizes, activation, output_bias)
    generator = torch.Generator().manual_seed(3)
    params = torch.randn(members, model.size, generator=generator, dtype=torch.float64)
    x = torch.randn(1 if shared else members, 6, sizes[0], generator=generator, dtype=torch.float64)
    found = model.outputs(params, x)
    assert found.shape == (members, 6, sizes[-1])
    for member in range(members):
        expected = by_modules(model, params[member])(x[0 if shared else member])
        torch.testing.assert_close(found[member], expected)


def test_a_deeper_networks_output_weights_are_the_second_layers() -> None:
    model = MLP((1, 3, 2, 1), "tanh")
    params = torch.arange(model.size, dtype=torch.float64)
    assert model.input_weights(params).tolist() == [[0, 3], [1, 4], [2, 5]]
    assert model.output_weights(params).tolist() == [[6, 7], [8, 9], [10, 11]]


def test_a_linear_model_has_one_hessian_everywhere() -> None:
    goal = build_objective([Setting(model="linear", points=7, interval=1.0)] * 2)
    assert goal.size == 1
    hessians = [
        torch.autograd.functional.hessian(lambda at: goal.losses(at)[0], torch.full((2, 1), where, dtype=torch.float64))
        for where in (-3.0, 0.5)
    ]
    assert torch.equal(*hessians)
    expected = 2 * goal.train.x.square().mean()
    torch.testing.assert_close(hessians[0][0, 0, 0, 0], expected)


def test_a_linear_model_trains_and_has_no_neurons() -> None:
    setting = Setting(model="linear", target="100 sin 0.01x", interval=1.0, lr=0.05, steps=300)
    recipe = Recipe(setting=setting, seed=0)
    run = Laboratory().runs([recipe])[recipe]
    assert run.loss[-1] < 1e-6
    assert run.snapshots["end"].input_weights.shape == (0, 0)
