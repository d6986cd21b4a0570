"""Convolutional networks against torch's convolutions, one member at a time."""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from spikecheck.core.errors import SettingError
from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.curvature.hessian import curvature
from spikecheck.lab.laboratory import Laboratory
from spikecheck.models.conv import Conv
from spikecheck.models.sizes import shapes
from spikecheck.objective.objective import Objective, build_objective

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "gelu": functional.gelu,
    "xtanh": lambda x: x * x.tanh(),
}
DEEPEST = {"digits": 3, "mnist1d": 6, "mnist": 5, "cifar10": 5}
SETTINGS = st.sampled_from(sorted(DEEPEST)).flatmap(
    lambda problem: st.builds(
        Setting,
        problem=st.just(problem),
        model=st.just("conv"),
        width=st.integers(1, 5),
        depth=st.integers(1, DEEPEST[problem]),
        activation=st.sampled_from(sorted(ACTIVATIONS)),
        output_bias=st.booleans(),
    )
)


def conv(setting: Setting) -> Conv:
    return Conv(shapes(setting), 10, setting.activation, setting.output_bias)


def by_torch(setting: Setting, params: Tensor, x: Tensor) -> Tensor:
    """One member's outputs [N, 10] at points [N, D], its parameters in the documented flat order."""
    flat = setting.problem == "mnist1d"
    channels, side = {"digits": (1, 8), "mnist1d": (1, 40), "mnist": (1, 28), "cifar10": (3, 32)}[setting.problem]
    signal = x.view(len(x), channels, *[side] * (1 if flat else 2))
    rest = params

    def take(*shape: int) -> Tensor:
        nonlocal rest
        part, rest = rest[: math.prod(shape)], rest[math.prod(shape) :]
        return part.view(shape)

    for _ in range(setting.depth):
        window = [3 if length > 1 else 1 for length in signal.shape[2:]]
        # In the flat order a filter's number comes last; in torch's it comes first.
        filters = take(signal.shape[1], *window, setting.width).movedim(-1, 0)
        edges = [length // 2 for length in window]
        convolved = functional.conv1d if flat else functional.conv2d
        signal = ACTIVATIONS[setting.activation](
            convolved(signal, filters, take(setting.width), stride=2, padding=edges)
        )
    rows = signal.flatten(1)
    found = rows @ take(rows.shape[1], 10)
    found = found + take(10) if setting.output_bias else found
    assert len(rest) == 0
    return found


@given(setting=SETTINGS, members=st.integers(1, 4), points=st.integers(1, 5), shared=st.booleans())
@settings(deadline=None)
def test_outputs_equal_those_of_torchs_convolutions(setting: Setting, members: int, points: int, shared: bool) -> None:
    model, generator = conv(setting), torch.Generator().manual_seed(3)
    params = 0.3 * torch.randn(members, model.size, generator=generator, dtype=torch.float64)
    inputs = math.prod(model.shapes[0])
    x = torch.randn(1 if shared else members, points, inputs, generator=generator, dtype=torch.float64)
    found = model.outputs(params, x)
    assert found.shape == (members, points, 10)
    for member in range(members):
        torch.testing.assert_close(found[member], by_torch(setting, params[member], x[0 if shared else member]))


def trained(setting: Setting, members: int) -> tuple[Objective, Tensor]:
    goal = build_objective([setting] * members)
    return goal, goal.initial(range(members))


def loss_by_torch(setting: Setting, goal: Objective) -> Callable[[Tensor], Tensor]:
    """One member's training loss as a function of its parameters."""
    x, y = goal.train.x[0], goal.train.y[0]
    if setting.loss == "mse":
        return lambda params: functional.mse_loss(by_torch(setting, params, x), y)
    return lambda params: functional.cross_entropy(by_torch(setting, params, x), y)


@pytest.mark.parametrize("loss", ["mse", "cross-entropy"])
@pytest.mark.parametrize("activation", ["tanh", "gelu", "xtanh"])
def test_gradients_and_hessian_products_are_each_members_own(activation: str, loss: str) -> None:
    setting = Setting(
        problem="mnist1d", points=23, model="conv", width=3, depth=2, activation=activation, loss=loss, init_scale=0.5
    )
    goal, params = trained(setting, 3)
    losses, gradients = goal.gradient(params)
    vectors = torch.randn(3, 2, goal.size, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    products = curvature(goal, params).product(vectors)
    alone = loss_by_torch(setting, goal)
    for member in range(3):
        torch.testing.assert_close(losses[member], alone(params[member]))
        torch.testing.assert_close(gradients[member], torch.autograd.functional.jacobian(alone, params[member]))
        hessian = torch.autograd.functional.hessian(alone, params[member])
        torch.testing.assert_close(products[member], vectors[member] @ hessian)


def test_hessian_products_are_differences_of_gradients() -> None:
    goal, params = trained(Setting(problem="digits", model="conv", width=4, depth=3, loss="cross-entropy"), 2)
    vectors = torch.randn(2, goal.size, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    step = 1e-5
    ahead, behind = (goal.gradient(params + sign * step * vectors)[1] for sign in (1, -1))
    product = curvature(goal, params).product(vectors[:, None])[:, 0]
    torch.testing.assert_close((ahead - behind) / (2 * step), product, rtol=1e-6, atol=1e-7)


def test_it_starts_as_a_perceptron_does() -> None:
    setting = Setting(problem="mnist", model="conv", width=20, depth=2, input_std=0.3, output_std=0.01, init_scale=2.0)
    model = conv(setting)
    start = model.initial(setting, seed=5)
    hidden = 20 * (9 + 1) + 20 * (20 * 9 + 1)
    assert start.dtype == torch.float64
    assert len(start) - hidden == 20 * 7 * 7 * 10
    # 3,820 and 9,800 draws: the standard errors of their standard deviations are 1.1 % and 0.7 %.
    assert float(start[:hidden].std()) == pytest.approx(0.6, rel=0.05)
    assert float(start[hidden:].std()) == pytest.approx(0.02, rel=0.04)
    other = setting.but(gamma=0.5, init_scale=1.0, lr=0.7)
    torch.testing.assert_close(model.initial(other, 5)[:hidden] * 0.6 / 20**-0.5, start[:hidden])
    assert not torch.isclose(model.initial(setting, 6), start).any()


def test_input_weights_are_the_first_filters_with_their_biases() -> None:
    """Of an image with one bright pixel, a filter that sees it in its middle gives the weight there plus the bias."""
    setting = Setting(problem="cifar10", model="conv", width=4, activation="relu")
    model = conv(setting)
    params = torch.arange(1, model.size + 1, dtype=torch.float64)  # positive, so relu changes nothing
    weights = model.input_weights(params)
    assert weights.shape == (4, 3 * 9 + 1) and model.output_weights(params).shape == (0, 0)
    image = torch.zeros(3, 32, 32, dtype=torch.float64)
    image[1, 10, 6] = 1.0
    outgoing = params[4 * 28 :].view(4, 16, 16, 10)
    bright = torch.zeros(4, 16, 16, dtype=torch.float64)
    bright[:, 5, 3] = weights[:, 9 + 4]
    by_hand = torch.einsum("whv,whvo->o", bright + weights[:, -1, None, None], outgoing)
    torch.testing.assert_close(model.outputs(params[None], image.view(1, 1, -1))[0, 0], by_hand)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"problem": "sines"},
            r"model='conv': problem 'sines' has no images; use one of digits, few-digits, mnist1d, .*model='mlp'",
        ),
        ({"problem": "mine:make"}, "model='conv': problem 'mine:make' has no images"),
        ({"problem": "digits", "depth": 4}, r"depth=4: images of digits have one pixel left after 3 conv.*use depth=3"),
        ({"problem": "mnist1d", "depth": 64}, r"depth=64: .*mnist1d .* after 6 convolutions"),
    ],
)
def test_what_it_cannot_look_at_is_refused_with_a_remedy(changes: dict[str, object], says: str) -> None:
    with pytest.raises(SettingError, match=says):
        shapes(Setting(model="conv").but(**changes))


def test_it_is_trained_and_looked_at_like_any_other() -> None:
    setting = Setting(
        problem="mnist1d", points=60, model="conv", width=4, depth=2, loss="cross-entropy", steps=60, lr=0.3
    )
    runs = Laboratory().runs([Recipe(setting=setting, seed=seed) for seed in range(2)])
    for run in runs.values():
        assert run.loss[-1] < 0.95 * run.loss[0]
        assert run.snapshots["end"].input_weights.shape == (4, 4)
        assert run.snapshots["end"].output_weights.shape == (0, 0)
