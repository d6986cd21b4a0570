"""Sums over each tensor of a step, against NumPy."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from spikecheck.watch import layers
from spikecheck.watch.layers import Pending, Sums

SHAPES = ((3, 4), (5,), (2, 2, 2))
Make = Callable[[list[nn.Parameter]], torch.optim.Optimizer]


def made(
    make: Make, steps: int = 3, dtype: torch.dtype = torch.float32
) -> tuple[Sums, Any, list[np.ndarray], list[Any]]:
    """The sums of the last of some steps, with the optimizer, the parameters before that step, and its gradients."""
    generator = torch.Generator().manual_seed(0)

    def drawn(shape: tuple[int, ...]) -> Tensor:
        return torch.randn(shape, generator=generator).to(dtype)

    parameters = [nn.Parameter(drawn(shape)) for shape in SHAPES]
    optimizer = make(parameters)
    before: list[Tensor] = []
    for _ in range(steps):
        for parameter in parameters[:2]:  # the third has no gradient
            parameter.grad = drawn(tuple(parameter.shape))
        before = [parameter.detach().clone() for parameter in parameters]
        optimizer.step()
    sums = Pending(optimizer, parameters, before).read()
    gradients = [None if p.grad is None else p.grad.double().numpy() for p in parameters]
    return sums, optimizer, [row.double().numpy() for row in before], gradients


@pytest.mark.parametrize("piece", [1, 10, 4_000_000])
def test_norms_and_slopes_are_numpys_however_the_tensors_are_taken_together(
    piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layers, "_PIECE", piece)
    sums, optimizer, before, gradients = made(lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9))
    after = [p.detach().double().numpy() for p in optimizer.param_groups[0]["params"]]
    updates = [new - old for new, old in zip(after, before, strict=True)]
    assert list(sums.sizes) == [12, 5, 8]
    assert sums.update == pytest.approx([np.linalg.norm(one) for one in updates], rel=1e-5)
    assert sums.weights == pytest.approx([np.linalg.norm(one) for one in after], rel=1e-5)
    assert sums.gradient[2] is None and sums.slope[2] == 0.0
    assert sums.gradient[:2] == pytest.approx([np.linalg.norm(one) for one in gradients[:2]], rel=1e-5)
    assert sums.slope[:2] == pytest.approx(
        [float((g * u).sum()) for g, u in zip(gradients[:2], updates, strict=False)], rel=1e-4
    )
    assert list(sums.surprise) == [None] * 3
    assert sums.total("update") == pytest.approx(np.linalg.norm(np.concatenate([u.ravel() for u in updates])), rel=1e-5)
    assert sums.total("gradient") == pytest.approx(
        np.linalg.norm(np.concatenate([g.ravel() for g in gradients[:2]])), rel=1e-5
    )


@pytest.mark.parametrize("kind", [torch.optim.Adam, torch.optim.AdamW])
def test_the_surprise_is_that_of_the_bias_corrected_second_moment(kind: type[torch.optim.Optimizer]) -> None:
    """Of three steps with decay 0.9: v is the mean of squares with weights 0.1 x 0.9^k, over 1 - 0.9^3."""
    sums, optimizer, _, gradients = made(lambda p: kind(p, lr=0.01, betas=(0.9, 0.9)))  # type: ignore[call-arg]
    for place in (0, 1):
        moment = optimizer.state[optimizer.param_groups[0]["params"][place]]["exp_avg_sq"].double().numpy()
        expected = float((gradients[place] ** 2 / (moment / (1 - 0.9**3))).sum())
        assert sums.surprise[place] == pytest.approx(expected, rel=1e-4)
    assert sums.surprise[2] is None


def test_gradients_that_never_change_surprise_nobody() -> None:
    parameter = nn.Parameter(torch.zeros(4))
    optimizer = torch.optim.Adam([parameter], lr=0.01)
    parameter.grad = torch.tensor([1.0, -2.0, 0.5, 0.0])
    for _ in range(50):
        before = [parameter.detach().clone()]
        optimizer.step()
    (look,) = Pending(optimizer, [parameter], before).read().looks(["w"]).values()
    assert look.surprise == pytest.approx(np.sqrt(3 / 4), rel=1e-4)  # three of four entries have a gradient


def test_half_precision_is_summed_in_single() -> None:
    sums, *_ = made(lambda p: torch.optim.SGD(p, lr=0.1), dtype=torch.bfloat16)
    assert all(value > 0.0 for value in sums.update[:2]) and sums.update[2] == 0.0


def known(**changes: Any) -> Sums:
    given: dict[str, Any] = {
        "sizes": [4, 9],
        "update": [2.0, 3.0],
        "weights": [4.0, 6.0],
        "gradient": [6.0, None],
        "slope": [-1.0, 0.0],
        "surprise": [16.0, None],
    }
    return Sums(**given | changes)


def test_a_layers_figures_are_root_mean_squares() -> None:
    found = known().looks(["first", "second"])
    assert found["first"].model_dump() == {"update": 1.0, "weights": 2.0, "gradient": 3.0, "surprise": 2.0}
    assert found["second"].model_dump() == {"update": 1.0, "weights": 2.0, "gradient": None, "surprise": None}


def test_a_parameter_without_a_name_or_with_a_number_that_is_not_finite_is_left_out() -> None:
    assert list(known().looks([None, "second"])) == ["second"]
    assert list(known(update=[float("nan"), 3.0]).looks(["first", "second"])) == ["second"]
    assert list(known(surprise=[float("inf"), None]).looks(["first", "second"])) == ["second"]
    assert known(update=[1 / 3, 1.0]).looks(["first", None])["first"].update == 0.16667


def test_two_optimizers_steps_are_one() -> None:
    both = known() + known(slope=[5.0, 7.0])
    assert list(both.sizes) == [4, 9, 4, 9]
    assert list(both.slope) == [-1.0, 0.0, 5.0, 7.0]
    assert both.total("gradient") == pytest.approx(np.hypot(6.0, 6.0))


@pytest.mark.parametrize("kind", ["complex", "sparse"])
def test_complex_and_sparse_gradients_count_whole(kind: str) -> None:
    """Regression: imaginary parts, and embeddings with sparse gradients, were left out of slope and norms without a word."""
    torch.manual_seed(0)
    net: Any = nn.Embedding(5, 3, sparse=True) if kind == "sparse" else nn.Linear(3, 5, dtype=torch.complex64)
    x = torch.tensor([1, 1, 4]) if kind == "sparse" else torch.randn(3, 3, dtype=torch.complex64)
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-4)
    loss = net(x).abs().square().sum()
    loss.backward()
    parameters = list(net.parameters())
    before = [parameter.detach().clone() for parameter in parameters]
    optimizer.step()
    sums = Pending(optimizer, parameters, before).read()
    updates = [(p.detach() - old).numpy() for p, old in zip(parameters, before, strict=True)]
    assert sums.update == pytest.approx([np.linalg.norm(update) for update in updates], rel=1e-4)
    assert sum(sums.slope) == pytest.approx(float((net(x).abs().square().sum() - loss).detach()), rel=1e-2)
    assert sums.total("gradient") == pytest.approx(sums.total("update") / 1e-4, rel=1e-2)
