"""Hooks around a step: what they keep at a look and between looks, and which optimizer they belong to."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from spikecheck.core.errors import UsageError
from spikecheck.watch.hooks import StepHooks, as_numbers, called_by_python, devices_of, names, unwrapped


def net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1))


def step(model: nn.Module, optimizer: torch.optim.Optimizer, clip: float | None = None) -> None:
    optimizer.zero_grad()
    torch.autograd.backward(model(torch.ones(8, 4)).square().mean())
    if clip is not None:
        nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()


def hooked(due: bool, lr: float = 0.1) -> tuple[nn.Module, torch.optim.Optimizer, StepHooks]:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    return model, optimizer, StepHooks(optimizer, lambda: due, lambda work: work)


def test_between_looks_only_rates_are_kept() -> None:
    model, optimizer, hooks = hooked(due=False)
    step(model, optimizer)
    assert hooks.stepped and hooks.lr == (0.1,) and hooks.segment is None and hooks.sums() is None
    assert not hooks.moved_since()


def test_a_look_has_the_sums_of_the_step() -> None:
    """For gradient descent the update is minus rate times gradient, so slope = -lr |g|^2."""
    model, optimizer, hooks = hooked(due=True)
    step(model, optimizer)
    sums = hooks.sums()
    assert sums is not None
    for gradient, update, slope in zip(sums.gradient, sums.update, sums.slope, strict=True):
        assert gradient is not None
        assert update == pytest.approx(0.1 * gradient, rel=1e-4)
        assert slope == pytest.approx(-0.1 * gradient**2, rel=1e-4)


def test_parameters_that_are_changed_after_the_step_are_noticed() -> None:
    model, optimizer, hooks = hooked(due=True)
    step(model, optimizer)
    assert not hooks.moved_since()
    with torch.no_grad():
        next(model.parameters()).add_(1.0)
    assert hooks.moved_since()


@pytest.mark.parametrize(("clip", "changed"), [(None, False), (1e-3, True)])
def test_a_gradient_that_was_written_into_is_noticed_and_the_witness_sees_the_factor(
    clip: float | None, changed: bool
) -> None:
    model, optimizer, hooks = hooked(due=True)
    hooks.expect()
    step(model, optimizer, clip)
    assert hooks.gradient_changed is changed
    made, met = hooks.made_and_met()
    assert len(made) == len(met) > 0
    assert (made == met) is not changed
    assert {id(hooks.followed)} <= {id(parameter) for parameter in model.parameters()}
    hooks.forget()
    assert hooks.made_and_met() == ([], [])
    assert not hooks.stepped and hooks.followed is None


def test_removed_hooks_see_no_step_and_leave_nothing() -> None:
    model, optimizer, hooks = hooked(due=True)
    hooks.expect()
    hooks.remove()
    step(model, optimizer)
    assert not hooks.stepped
    assert not optimizer._optimizer_step_pre_hooks and not optimizer._optimizer_step_post_hooks
    assert not any(p._post_accumulate_grad_hooks for p in model.parameters())


def test_the_innermost_optimizer_of_a_wrapper_is_meant() -> None:
    inner = torch.optim.SGD(net().parameters(), lr=0.1)
    assert unwrapped(inner) is inner
    wrapped: Any = SimpleNamespace(optimizer=SimpleNamespace(optimizer=inner))
    assert unwrapped(wrapped) is inner
    with pytest.raises(UsageError, match="optimizer=SimpleNamespace: is no torch.optim.Optimizer"):
        unwrapped(SimpleNamespace(optimizer=None))


def test_parameters_have_the_models_names_and_those_of_another_model_none() -> None:
    model, other = net(), net()
    both = torch.optim.SGD([*model[0].parameters(), *other.parameters()], lr=0.1)
    assert sorted(names(model, [both]).values()) == ["0.bias", "0.weight"]
    with pytest.raises(UsageError, match="moves none of the model's parameters"):
        names(model, [torch.optim.SGD(other.parameters(), lr=0.1)])


def test_rates_may_be_tensors() -> None:
    assert as_numbers([0.1, torch.tensor(0.5)]) == (0.1, 0.5)
    assert devices_of(net()) == [torch.device("cpu")]


def test_no_hook_is_put_within_a_compiled_module() -> None:
    """It would be compiled again."""
    compiled, inner = nn.Sequential(nn.Linear(2, 2)), nn.Sequential(nn.Linear(2, 2))
    inner.compile(backend="eager")
    outer: Any = torch.compile(compiled, backend="eager")
    model = nn.Sequential(outer, inner, nn.Linear(2, 2))
    assert list(called_by_python(model)) == [model, model[0], inner, model[2]]
