"""Curvature of any torch model: closed forms, the dense Hessian, and nothing of the model changed."""

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from spikecheck.core.errors import SettingError
from spikecheck.curvature.directional import along_update, batch_sharpness, flattened, model_curvature
from spikecheck.tensors.random_state import random_state
from workloads.gpt import gpt
from workloads.resnet import resnet

if TYPE_CHECKING:
    from spikecheck.watch.training import Step


class Point(nn.Module):
    """A vector of parameters."""

    def __init__(self, values: Tensor) -> None:
        super().__init__()
        self.theta = nn.Parameter(values.clone())


def bowl(matrix: Tensor, at: Tensor) -> tuple[Point, Any]:
    """A point, and the loss theta A theta / 2 for batches that are factors of A."""
    point = Point(at)
    return point, lambda factor: factor * (point.theta @ matrix @ point.theta) / 2


def symmetric(seed: int, size: int) -> Tensor:
    drawn = torch.randn(size, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return drawn + drawn.T


@given(seed=st.integers(0, 1000), size=st.integers(1, 6))
def test_a_quadratic_is_its_matrix(seed: int, size: int) -> None:
    matrix, at = symmetric(seed, size), symmetric(seed + 1, size)[0]
    point, loss = bowl(matrix, at)
    local = model_curvature(point, loss, [1.0, 3.0], weights=[3, 1])  # factors 1 and 3: 1.5 on the whole
    rows = torch.eye(size, dtype=torch.float64)
    torch.testing.assert_close(local.product(rows[None])[0], 1.5 * matrix)
    torch.testing.assert_close(local.gradients[0], 1.5 * matrix @ at)
    torch.testing.assert_close(float(local.losses[0]), float(1.5 * at @ matrix @ at / 2))


def test_a_linear_net_in_closed_form() -> None:
    """(a b - y)^2 / 2 has the Hessian [[b^2, 2ab - y], [2ab - y, a^2]]."""
    a, b, y = 2.0, 0.5, 3.0
    net = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)).double()
    for layer, weight in zip(net, (a, b), strict=True):
        nn.init.constant_(layer.weight, weight)  # type: ignore[arg-type]
    one = torch.ones(1, 1, dtype=torch.float64)
    local = model_curvature(net, lambda x: (net(x) - y).square().sum() / 2, [one])
    found = local.product(torch.eye(2, dtype=torch.float64)[None])[0]
    torch.testing.assert_close(found, torch.tensor([[b**2, 2 * a * b - y], [2 * a * b - y, a**2]], dtype=torch.float64))


def small(*layers: nn.Module) -> nn.Sequential:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(3, 4), *layers, nn.Tanh(), nn.Linear(4, 2)).double()


def data(points: int = 6) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return (
        torch.randn(points, 3, generator=generator, dtype=torch.float64),
        torch.randint(2, (points,), generator=generator),
    )


def dense(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """By torch's own hessian, of a function of the flat parameters; buffers as they are."""
    shapes = {name: p.shape for name, p in model.named_parameters()}

    def loss(flat: Tensor) -> Tensor:
        pieces = flat.split([shape.numel() for shape in shapes.values()])
        values = {name: piece.view(shape) for (name, shape), piece in zip(shapes.items(), pieces, strict=True)}
        buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
        return functional.cross_entropy(torch.func.functional_call(model, {**values, **buffers}, x), y)

    flat = torch.cat([p.detach().reshape(-1) for p in model.parameters()])
    found: Tensor = torch.autograd.functional.hessian(loss, flat)
    return found


@pytest.mark.parametrize("layers", [(), (nn.BatchNorm1d(4),), (nn.LayerNorm(4),)])
@pytest.mark.parametrize("training", [True, False])
def test_products_are_those_of_the_dense_hessian(layers: tuple[nn.Module, ...], training: bool) -> None:
    model = small(*layers).train(training)
    x, y = data()
    wanted = dense(model, x, y)
    local = model_curvature(model, lambda pair: functional.cross_entropy(model(pair[0]), pair[1]), [(x, y)])
    found = local.product(torch.eye(len(wanted), dtype=torch.float64)[None])[0]
    torch.testing.assert_close(found, wanted)


def test_micro_batches_add_up_to_the_whole() -> None:
    model = small()
    x, y = data(7)
    loss = partial(_cross_entropy, model)
    whole = model_curvature(model, loss, [(x, y)])
    parts = model_curvature(model, loss, [(x[:4], y[:4]), (x[4:], y[4:])], weights=[4, 3])
    rows = torch.randn(1, 3, whole.gradients.shape[1], dtype=torch.float64)
    torch.testing.assert_close(parts.product(rows), whole.product(rows))
    torch.testing.assert_close(parts.gradients, whole.gradients)
    torch.testing.assert_close(parts.losses, whole.losses)


def _cross_entropy(model: nn.Module, pair: tuple[Tensor, Tensor]) -> Tensor:
    return functional.cross_entropy(model(pair[0]), pair[1])


def test_other_coordinates_and_decay() -> None:
    matrix = symmetric(0, 4)
    point, loss = bowl(matrix, torch.ones(4, dtype=torch.float64))
    diagonal = torch.tensor([[1.0, 2.0, 3.0, torch.inf]], dtype=torch.float64)
    decay = torch.full((1, 4), 0.5, dtype=torch.float64)
    local = model_curvature(point, loss, [1.0]).decayed(decay).preconditioned(diagonal)
    found = local.product(torch.eye(4, dtype=torch.float64)[None])[0]
    scale = diagonal[0].rsqrt()
    torch.testing.assert_close(found, scale[:, None] * (matrix + torch.diag(decay[0])) * scale)
    assert not bool(found[3].any())


@pytest.mark.parametrize("batches", [1, 2])
def test_dropout_draws_the_masks_of_the_step(batches: int) -> None:
    """The loss is the one that the step returned, in every pass; products are symmetric, as of one function."""
    training = gpt(None, 0, "cpu", dropout=0.3)
    seen: list[Step] = []
    start = training.snapshot()
    (wanted,) = training.run(1, seen.append)
    training.restore(start)
    torch.rand(5)
    local = model_curvature(training.model, training.loss, [seen[0].batch] * batches, random=seen[0].random)
    if batches == 1:
        assert float(local.losses[0]) == pytest.approx(wanted, rel=1e-6)
    rows = torch.randn(1, 2, local.gradients.shape[1], generator=torch.Generator().manual_seed(0))
    images = local.product(rows)
    one, other = (rows[0, 0] @ images[0, 1]).item(), (rows[0, 1] @ images[0, 0]).item()
    assert one == pytest.approx(other, rel=1e-3)
    other_masks = model_curvature(training.model, training.loss, [seen[0].batch] * batches)
    assert not torch.equal(other_masks.gradients, local.gradients)


def test_nothing_of_a_training_changes() -> None:
    wanted = resnet(None, 0, "cpu", batch=4).run(4)
    training = resnet(None, 0, "cpu", batch=4)
    batches: list[Any] = []
    found = training.run(2, lambda step: batches.append(step.batch))
    before = random_state()
    gradients = [None if p.grad is None else p.grad.clone() for p in training.model.parameters()]
    for parts in (batches[:1], batches):
        local = model_curvature(training.model, training.loss, parts)
        batch_sharpness([local])
        along_update(local, [torch.ones_like(p) for p in training.model.parameters()])
    assert torch.equal(before["torch"], random_state()["torch"])
    assert [p.grad is None for p in training.model.parameters()] == [g is None for g in gradients]
    assert found + training.run(2) == wanted


def test_two_models_that_normalise_may_be_looked_at_between_forward_and_backward() -> None:
    """Running statistics written in place would spoil a graph that still needs them."""
    model = small(nn.BatchNorm1d(4))
    x, y = data()
    waiting = functional.cross_entropy(model(x), y)
    model_curvature(model, partial(_cross_entropy, model), [(x, y)])
    waiting.backward()


def test_an_update_on_a_quadratic() -> None:
    """Gradient descent along an eigenvector of 5 at rate 0.3: overshoot 0.75, and the loss itself says the same."""
    matrix = torch.diag(torch.tensor([5.0, 1.0], dtype=torch.float64))
    point, loss = bowl(matrix, torch.tensor([2.0, 0.0], dtype=torch.float64))
    local = model_curvature(point, loss, [1.0])
    found = along_update(local, -0.3 * local.gradients)
    assert found.curvature == pytest.approx(5.0)
    assert found.overshoot == pytest.approx(0.3 * 5 / 2)
    before = loss(1.0).item()
    with torch.no_grad():
        point.theta.sub_(0.3 * local.gradients[0])
    assert 1 - (loss(1.0).item() - before) / found.slope == pytest.approx(found.overshoot)
    assert along_update(local, torch.zeros(1, 2, dtype=torch.float64)).curvature == 0.0


def test_batch_sharpness_is_a_ratio_of_means() -> None:
    at = torch.tensor([1.0, 1.0], dtype=torch.float64)
    steep = torch.diag(torch.tensor([4.0, 1.0], dtype=torch.float64))
    point, loss = bowl(steep, at)
    batches = [model_curvature(point, loss, [factor]) for factor in (1.0, 2.0)]
    # g = f (4, 1), H = f diag(4, 1): g.Hg = f^3 65 and g.g = f^2 17
    assert batch_sharpness(batches) == pytest.approx(65 * (1 + 8) / (17 * (1 + 4)))
    flat, nothing = bowl(torch.zeros(2, 2, dtype=torch.float64), at)
    assert batch_sharpness([model_curvature(flat, nothing, [1.0])]) == 0.0


def test_parameters_that_are_not_used_or_enter_linearly_have_no_curvature() -> None:
    model = nn.ModuleDict({"used": nn.Linear(2, 1), "idle": nn.Linear(2, 1)}).double()
    local = model_curvature(model, lambda x: model["used"](x).sum(), [torch.ones(1, 2, dtype=torch.float64)])
    assert local.gradients.shape == (1, 6)
    assert not bool(local.product(torch.ones(1, 1, 6, dtype=torch.float64)).any())


def test_frozen_parameters_do_not_count() -> None:
    model = small()
    model[0].requires_grad_(requires_grad=False)
    local = model_curvature(model, partial(_cross_entropy, model), [data()])
    assert local.gradients.shape[1] == 4 * 2 + 2
    assert flattened([torch.ones(2, 5)], local.gradients).dtype == torch.float64


class Once(torch.autograd.Function):
    """A kernel whose gradient cannot be differentiated again."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.square()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *slopes: Tensor) -> Any:
        return 2 * slopes[0] * ctx.saved_tensors[0]


def test_what_cannot_be_measured_is_said_in_one_line() -> None:
    point = Point(torch.ones(2))
    idle = nn.Linear(1, 1).requires_grad_(requires_grad=False)
    with pytest.raises(SettingError, match="no parameter that requires a gradient"):
        model_curvature(idle, lambda x: x, [1])
    with pytest.raises(SettingError, match=r"batches=\[\]: holds none"):
        model_curvature(point, lambda x: x, [])
    with pytest.raises(SettingError, match=r"weights=\[1\]: give one above 0 for each of the 2 batches"):
        model_curvature(point, lambda x: x, [1, 2], weights=[1])
    with pytest.raises(SettingError, match=r"loss: returned a tensor of shape \[2\]; return"):
        model_curvature(point, lambda x: point.theta * x, [1])
    with pytest.raises(SettingError, match="without a graph"):
        model_curvature(point, lambda x: torch.ones(()), [1])
    with pytest.raises(SettingError, match="loss: cannot be differentiated twice, one of its kernels"):
        model_curvature(point, lambda x: Once.apply(point.theta).sum().square(), [1])


def test_a_compiled_model_is_refused() -> None:
    model = small()
    compiled = torch.compile(model, backend="aot_eager")
    x, y = data()
    local = model_curvature(model, lambda pair: functional.cross_entropy(compiled(pair[0]), pair[1]), [(x, y)])
    with pytest.raises(SettingError, match="use the model uncompiled"):
        local.product(torch.ones(1, 1, local.gradients.shape[1], dtype=torch.float64))
