"""The closure's loss along a step: the same random numbers everywhere, and one-line refusals."""

from typing import Any

import pytest
import torch

from spikecheck.core.errors import UsageError
from spikecheck.watch.segment import Segment
from spikecheck.watch.undisturbed import RandomState
from spikecheck.watch.walk import Walk

FLOAT32, BFLOAT16 = torch.finfo(torch.float32).eps, torch.finfo(torch.bfloat16).eps


def stepped(dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, Segment]:
    """A weight that a step took from 1 to 3."""
    weight = torch.ones(1, dtype=dtype)
    segment = Segment([weight])
    weight.add_(2.0)
    return weight, segment


def test_losses_are_those_of_the_points_between() -> None:
    weight, segment = stepped()
    walk = Walk(lambda: float((weight**2).sum()), RandomState([]), [segment])
    assert [walk.loss(), *(walk.loss_at(share) for share in (0.0, 0.25, 0.5, 1.0))] == [9.0, 1.0, 2.25, 4.0, 9.0]
    segment.restore()
    assert weight.item() == 3.0


def test_every_pass_draws_the_same_numbers_unless_it_must_not() -> None:
    weight, segment = stepped()
    torch.manual_seed(0)
    walk = Walk(lambda: torch.rand(()) + 0.0 * weight.sum(), RandomState([]), [segment])
    first = walk.loss()
    assert walk.loss_at(0.0) == walk.loss_at(1.0) == walk.loss() == first
    assert walk.loss(same_masks=False) != first


def test_the_mean_over_processes_is_taken_and_what_follows_a_pass_is_called() -> None:
    _, segment = stepped()
    passes: list[None] = []
    walk = Walk(lambda: 2.0, RandomState([]), [segment], lambda loss: loss / 4, lambda: passes.append(None))
    assert (walk.loss(), walk.loss_at(0.5)) == (0.5, 0.5)
    assert len(passes) == 2


@pytest.mark.parametrize(
    ("weights", "loss", "eps"),
    [
        (torch.float64, 1.0, torch.finfo(torch.float64).eps),
        (torch.float32, 1.0, FLOAT32),
        (torch.bfloat16, 1.0, FLOAT32),  # weights in half precision round no worse than single
        (torch.float64, torch.ones((), dtype=torch.bfloat16), BFLOAT16),
        (torch.float32, torch.ones((), dtype=torch.float64), FLOAT32),
        (torch.float64, torch.ones((), dtype=torch.int64), torch.finfo(torch.float64).eps),
    ],
)
def test_rounding_is_that_of_the_coarsest_number(weights: torch.dtype, loss: Any, eps: float) -> None:
    _, segment = stepped(weights)
    walk = Walk(lambda: loss, RandomState([]), [segment])
    walk.loss()
    assert walk.eps == eps


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (torch.ones(2), r"a tensor of shape \(2,\); return the loss, one number"),
        (None, "a NoneType; return the loss, one number"),
        ({"loss": 1.0}, "a dict; return the loss, one number"),
    ],
)
def test_a_closure_that_returns_no_number_is_refused_in_one_line(value: Any, said: str) -> None:
    walk = Walk(lambda: value, RandomState([]), [])
    with pytest.raises(UsageError, match=f"^the closure returned {said}"):
        walk.loss()


def forces(weight: torch.Tensor) -> torch.Tensor:
    """A loss with a derivative in it."""
    place = torch.ones(1, dtype=weight.dtype, requires_grad=True)
    (force,) = torch.autograd.grad((weight * place**2).sum(), place, create_graph=True)
    return force.square().sum()


def test_a_loss_with_a_derivative_in_it_is_computed_with_a_graph() -> None:
    """Regression: losses of forces, of physics and of gradient penalties ended the watching."""
    weight, segment = stepped()
    walk = Walk(lambda: forces(weight), RandomState([]), [segment])
    with torch.no_grad():
        assert [walk.loss(), walk.loss_at(0.0)] == [36.0, 4.0]
    assert walk.graph


def test_a_closure_that_calls_backward_is_refused_in_one_line() -> None:
    weight = torch.ones(1, requires_grad=True)

    def closure() -> torch.Tensor:
        loss = weight.sum()
        torch.autograd.backward(loss)
        return loss

    with torch.no_grad(), pytest.raises(UsageError, match=r"^the closure calls backward\(\); give watch.step one that"):
        Walk(closure, RandomState([]), []).loss()
    assert weight.grad is None


def test_a_loss_that_reads_what_its_pass_changes_drifts() -> None:
    passes: list[int] = []

    def counted() -> float:
        passes.append(1)
        return float(len(passes))

    assert Walk(counted, RandomState([]), []).drifts()
    assert not Walk(lambda: torch.rand(()), RandomState([]), []).drifts()
