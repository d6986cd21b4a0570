"""Multilayer perceptrons against torch.nn, and where they start."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.lab.laboratory import Laboratory
from spikecheck.models.activations import ACTIVATIONS
from spikecheck.models.layers import standard_deviations
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


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_every_activation_can_be_differentiated_twice(activation: str) -> None:
    model = MLP((2, 3, 3, 1), activation)
    params = torch.randn(2, model.size, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    x = torch.linspace(-1, 1, 8, dtype=torch.float64).view(1, 4, 2)
    params.requires_grad_()
    assert torch.autograd.gradcheck(lambda p: model.outputs(p, x), params)
    assert torch.autograd.gradgradcheck(lambda p: model.outputs(p, x), params)


def test_input_and_output_weights_belong_to_the_same_neuron() -> None:
    """Silencing neuron j's outgoing weight takes away exactly a_j tanh(w_j x + b_j)."""
    model = MLP((2, 4, 1), "tanh")
    params = torch.randn(model.size, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    incoming, outgoing = model.input_weights(params), model.output_weights(params)
    x = torch.tensor([[0.3, -1.2], [2.0, 0.4]], dtype=torch.float64)
    by_hand = torch.tanh(x @ incoming[:, :2].T + incoming[:, 2]) @ outgoing
    torch.testing.assert_close(model.outputs(params[None], x[None])[0], by_hand)


def test_a_deeper_networks_output_weights_are_the_second_layers() -> None:
    model = MLP((1, 3, 2, 1), "tanh")
    params = torch.arange(model.size, dtype=torch.float64)
    assert model.input_weights(params).tolist() == [[0, 3], [1, 4], [2, 5]]
    assert model.output_weights(params).tolist() == [[6, 7], [8, 9], [10, 11]]


def test_initial_weights_have_the_standard_deviations_asked_for() -> None:
    setting = Setting(width=4000, input_std=0.3, output_std=0.02, init_scale=2.0)
    model = MLP((1, 4000, 1), "tanh")
    start = model.initial(setting, seed=4)
    assert start.dtype == torch.float64
    # 4,000 draws: the standard error of a standard deviation is 1.1 %.
    assert float(start[:8000].std()) == pytest.approx(0.6, rel=0.05)
    assert float(start[8000:].std()) == pytest.approx(0.04, rel=0.05)


def test_gamma_gives_every_weight_width_to_the_minus_gamma() -> None:
    assert standard_deviations(Setting(width=16, gamma=0.5)) == (0.25, 0.25)
    assert standard_deviations(Setting(width=16, gamma=0.0, init_scale=3.0)) == (3.0, 3.0)


def test_settings_that_differ_in_scale_or_rate_share_their_draws() -> None:
    model = MLP((1, 20, 1), "tanh")
    base = Setting()
    start = model.initial(base, seed=9)
    for other in (base.but(lr=0.3), base.but(steps=7), base.but(target="sin 2x"), base.but(dtype="float32")):
        assert torch.equal(model.initial(other, seed=9), start)
    assert torch.equal(model.initial(base.but(init_scale=0.5), seed=9), 0.5 * start)
    std = 1 / math.sqrt(20)
    apart = model.initial(base.but(input_std=std, output_std=2 * std), seed=9)
    torch.testing.assert_close(apart, torch.cat([start[:40], 2 * start[40:]]))


def test_seeds_and_shapes_draw_differently_and_the_global_generator_stands_still() -> None:
    model, setting = MLP((1, 20, 1), "tanh"), Setting()
    before = torch.get_rng_state()
    first, second = (model.initial(setting, seed) for seed in (0, 1))
    wide = MLP((1, 40, 1), "tanh").initial(setting.but(width=40), 0)
    assert not torch.isclose(first, second).any()
    assert not torch.isclose(first[:20] * math.sqrt(20), wide[:20] * math.sqrt(40)).any()
    assert torch.equal(before, torch.get_rng_state())


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
