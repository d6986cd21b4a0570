"""Layers: their layout among a member's parameters, and their initialisation."""

import math

import pytest
import torch

from spikecheck.core.setting import Setting
from spikecheck.models.layers import standard_deviations
from spikecheck.models.mlp import MLP


def test_input_and_output_weights_belong_to_the_same_neuron() -> None:
    """Silencing neuron j's outgoing weight takes away exactly a_j tanh(w_j x + b_j)."""
    model = MLP((2, 4, 1), "tanh")
    params = torch.randn(model.size, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    incoming, outgoing = model.input_weights(params), model.output_weights(params)
    x = torch.tensor([[0.3, -1.2], [2.0, 0.4]], dtype=torch.float64)
    by_hand = torch.tanh(x @ incoming[:, :2].T + incoming[:, 2]) @ outgoing
    torch.testing.assert_close(model.outputs(params[None], x[None])[0], by_hand)


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
