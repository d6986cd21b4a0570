"""One optimizer with its own tensors: fed, stepped and read as torch's ordinary loop does it, or refused."""

import random
import sys
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from spikecheck.core.errors import SettingError
from spikecheck.models.parameter_layout import Span
from spikecheck.optimizers.driven import (
    OptimizerFactory,
    accumulate,
    known_loss,
    own_random_numbers,
    same_bits,
    seed_draws,
)

SPANS = (Span("weight", 0, (2, 3)), Span("bias", 6, (2,)))
ROW = torch.arange(8, dtype=torch.float64) / 8


def factory(path: str, **options: Any) -> OptimizerFactory:
    return OptimizerFactory(path, tuple(options.items()), SPANS, torch.float64)


def partial_groups(named: list[tuple[str, nn.Parameter]], lr: float) -> torch.optim.Optimizer:
    return torch.optim.SGD([named[0][1]], lr=lr)


def nothing(named: list[tuple[str, nn.Parameter]], lr: float) -> object:
    return named


def scaled(named: list[tuple[str, nn.Parameter]], lr: float) -> torch.optim.Optimizer:
    scale = nn.Parameter(torch.ones(1))
    return torch.optim.SGD([*(tensor for _, tensor in named), scale], lr=lr)


class WantsMode(torch.optim.SGD):
    """Its train() cannot be called as torch-like packages call it."""

    def train(self, mode: bool) -> None: ...

    def eval(self) -> None: ...


class Flattens(torch.optim.SGD):
    """Changes a parameter's shape, as no optimizer may."""

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for tensor in self.param_groups[0]["params"]:
            tensor.data = tensor.data.reshape(-1)


class Talks(torch.optim.SGD):
    """Prints when it is made."""

    def __init__(self, params: Any, lr: float) -> None:
        print("decoupled")  # noqa: T201
        super().__init__(params, lr=lr)


def test_it_makes_the_steps_of_torchs_ordinary_loop() -> None:
    driven = factory("torch.optim:Adam", betas=(0.8, 0.9)).of(ROW, 0.1)
    plain = [nn.Parameter(span.of(ROW).clone()) for span in SPANS]
    adam = torch.optim.Adam(plain, lr=0.1, betas=(0.8, 0.9))
    for number in range(5):
        gradient = torch.cos(ROW + number)
        driven.feed(gradient)
        driven.step()
        for tensor, span in zip(plain, SPANS, strict=True):
            tensor.grad = span.of(gradient).clone()
        adam.step()
        assert torch.equal(driven.read(), torch.cat([tensor.detach().flatten() for tensor in plain]))


def test_its_tensors_are_its_own_and_can_be_overwritten() -> None:
    driven = factory("torch.optim:SGD").of(ROW, 0.1)
    driven.feed(torch.ones_like(ROW))
    driven.step()
    assert torch.equal(ROW, torch.arange(8, dtype=torch.float64) / 8)
    driven.put(ROW)
    assert torch.equal(driven.read(), ROW)


def test_one_optimizer_for_all_members_moves_each_as_one_of_its_own() -> None:
    rows = torch.stack([ROW, -ROW, 2 * ROW])
    optimizer, whole = factory("torch.optim:SGD").of_all(rows, 0.5)
    whole.grad = torch.cos(rows)
    optimizer.step()
    torch.testing.assert_close(whole.detach(), rows - 0.5 * torch.cos(rows))


def test_rates_follow_a_schedule_or_are_scaled() -> None:
    driven = factory("torch.optim:SGD").of(ROW, 0.5)
    for factor in (0.5, 0.25, 1.0):
        driven.pace(factor)
        assert driven.optimizer.param_groups[0]["lr"] == 0.5 * factor
    driven.scale(0.25)
    driven.scale(0.5)
    assert driven.optimizer.param_groups[0]["lr"] == 0.5 * 0.25 * 0.5
    driven.optimizer.add_param_group({"params": [nn.Parameter(torch.ones(1))], "lr": 1.0})
    with pytest.raises(SettingError, match="was made with 1 groups of parameters and has 2 now"):
        driven.pace(1.0)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("torch:Tensor", "is not a torch.optim.Optimizer; name a subclass, or a function"),
        ("tests.optimizers.test_driven:nothing", "returned list; a function gets the named parameters"),
        ("tests.optimizers.test_driven:partial_groups", "bias of the model's 2 tensors is not in exactly one"),
        ("tests.optimizers.test_driven:scaled", "its groups hold 1 tensor besides the model's 2; keep what belongs"),
        ("tests.optimizers.test_driven:WantsMode", r"its train\(\) raised TypeError: .*'mode'; it must work without"),
    ],
)
def test_what_is_no_optimizer_of_all_parameters_is_refused(path: str, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        factory(path).of(ROW, 0.1)


def test_a_changed_shape_is_refused() -> None:
    driven = factory("tests.optimizers.test_driven:Flattens").of(ROW, 0.1)
    driven.step()
    with pytest.raises(SettingError, match=r"changed the shape of weight from \(2, 3\) to \(6,\)"):
        driven.read()


def test_what_is_printed_goes_to_standard_error_once(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        factory("tests.optimizers.test_driven:Talks").of(ROW, 0.1)
    told = capsys.readouterr()
    assert told.out == "" and told.err.count("decoupled") <= 1
    assert sys.stdout is not sys.stderr


def test_a_gradient_is_added_as_by_a_backward_pass_and_hooks_see_it() -> None:
    plain, hooked, frozen = (nn.Parameter(torch.zeros(2)) for _ in range(3))
    hooked.register_hook(lambda gradient: 2 * gradient)
    frozen.requires_grad_(False)
    for tensor in (plain, hooked, frozen):
        for _ in range(2):
            accumulate(tensor, torch.tensor([1.0, -3.0]))
    assert plain.grad is not None and plain.grad.tolist() == [2.0, -6.0]
    assert hooked.grad is not None and hooked.grad.tolist() == [4.0, -12.0]
    assert frozen.grad is None


def test_a_closures_loss_can_be_passed_backward_and_leaves_the_gradient_once() -> None:
    driven = factory("torch.optim:SGD").of(ROW, 0.1)
    gradient = torch.cos(ROW)
    loss = known_loss(1.5, gradient, driven)
    assert float(loss.detach()) == 1.5
    for _ in range(2):
        loss.backward(retain_graph=True)
        held = [tensor.grad for tensor in driven.params]
        assert torch.equal(torch.cat([part.flatten() for part in held if part is not None]), gradient)


DRAWS: dict[str, Any] = {
    "torch": lambda: torch.rand(1),
    "numpy": np.random.random,
    "python": random.random,
}


@pytest.mark.parametrize("name", DRAWS)
def test_draws_are_noticed_and_leave_the_global_generators_alone(name: str) -> None:
    like = torch.zeros(1)
    with own_random_numbers(like) as drawn:
        assert not drawn()
    before = [draw() for draw in DRAWS.values()]
    random.seed(0), np.random.seed(0), torch.manual_seed(0)  # noqa: NPY002
    expected = [float(draw()) for draw in DRAWS.values()]
    random.seed(0), np.random.seed(0), torch.manual_seed(0)  # noqa: NPY002
    with own_random_numbers(like) as drawn:
        DRAWS[name]()
        assert drawn()
    assert [float(draw()) for draw in DRAWS.values()] == expected
    assert before


def test_draws_depend_on_member_and_step_alone() -> None:
    def drawn(seed: int, done: int) -> list[float]:
        with own_random_numbers(torch.zeros(1)):
            seed_draws(torch.zeros(1), seed, done)
            return [float(draw()) for draw in DRAWS.values()]

    assert drawn(3, 5) == drawn(3, 5)
    assert all(one != other for one, other in zip(drawn(3, 5), drawn(3, 6), strict=True))
    assert all(one != other for one, other in zip(drawn(3, 5), drawn(4, 5), strict=True))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [([1.0], [1.0], True), ([np.nan, 1.0], [np.nan, 1.0], True), ([1.0], [1.0 + 1e-15], False), ([1.0], [2.0], False)],
)
def test_bits_are_compared_and_nan_equals_nan(one: list[float], other: list[float], same: bool) -> None:
    first: Tensor = torch.tensor(one, dtype=torch.float64)
    assert same_bits(first, torch.tensor(other, dtype=torch.float64)) is same
