"""Sizes that are known without building a model, compared with those of the model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.setting import Setting
from spikecheck.models.model import model_of
from spikecheck.models.sizes import parameters, perceptron


@given(
    model=st.sampled_from(["mlp", "linear"]),
    width=st.integers(1, 300),
    depth=st.integers(1, 4),
    ends=st.tuples(st.integers(1, 800), st.integers(1, 10)),
    output_bias=st.booleans(),
)
def test_a_perceptron_has_as_many_parameters(
    model: str, width: int, depth: int, ends: tuple[int, int], output_bias: bool
) -> None:
    setting = Setting(model=model, width=width, depth=depth, output_bias=output_bias)
    assert parameters(setting, *ends) == model_of(setting, *ends).size
    assert perceptron(setting, *ends) == (ends[0], *([width] * depth if model == "mlp" else []), ends[1])


@pytest.mark.parametrize("problem", ["digits", "mnist1d", "mnist", "cifar10"])
@given(width=st.integers(1, 40), depth=st.integers(1, 3), output_bias=st.booleans())
def test_a_convolutional_net_has_as_many_parameters(problem: str, width: int, depth: int, output_bias: bool) -> None:
    setting = Setting(problem=problem, model="conv", width=width, depth=depth, output_bias=output_bias)
    assert parameters(setting, 7, 10) == model_of(setting, 7, 10).size
