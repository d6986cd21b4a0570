"""Update rules against torch.optim, member by member."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from spikecheck.core.setting import OPTIMIZERS, Setting
from spikecheck.objective.objective import Objective, build_objective
from spikecheck.optimizers.rules import Adam, RMSprop, Slots, UpdateRule, rule_of

STEPS = 200
GOAL = build_objective([Setting(width=3, points=6, target=target) for target in ("sin x", "sin 2x", "sin x + sin 3x")])
MEMBERS = GOAL.members

NUMBERS = {
    "momentum": st.floats(0.0, 0.95),
    "beta1": st.floats(0.0, 0.95),
    "beta2": st.floats(0.98, 0.9999),
    "eps": st.sampled_from([1e-8, 1e-6, 1e-3]),
    "weight_decay": st.sampled_from([0.0, 1e-3, 0.1]),
}
# Small rates: a rule that has arrived and jitters about its minimum turns rounding into differences that one can see.
RATES = {"gd": 0.05, "heavy-ball": 0.01, "nesterov": 0.01, "rmsprop": 1e-4, "adam": 3e-4, "adamw": 3e-4}


def starts() -> Tensor:
    return GOAL.initial(range(MEMBERS))


def gradients(params: Tensor, goal: Objective = GOAL) -> Tensor:
    leaf = params.detach().requires_grad_()
    return torch.autograd.grad(goal.losses(leaf).sum(), leaf)[0]


def by_rule(rule: UpdateRule, lr: Tensor) -> tuple[Tensor, Slots]:
    params = starts()
    slots = rule.begin(params)
    for step in range(STEPS):
        done = torch.full((MEMBERS, 1), step)
        params, slots = rule.step(params, gradients(params), slots, lr, done)
    return params, slots


def theirs(optimizer: str, params: Tensor, lr: float, numbers: dict[str, float]) -> torch.optim.Optimizer:
    decay = numbers["weight_decay"]
    if optimizer in ("gd", "heavy-ball", "nesterov"):
        momentum = numbers.get("momentum", 0.0)
        nesterov = optimizer == "nesterov" and momentum > 0  # torch refuses Nesterov without momentum, where it is GD
        return torch.optim.SGD([params], lr=lr, momentum=momentum, nesterov=nesterov, weight_decay=decay)
    if optimizer == "rmsprop":
        return torch.optim.RMSprop([params], lr=lr, alpha=numbers["beta2"], eps=numbers["eps"], weight_decay=decay)
    kind = torch.optim.Adam if optimizer == "adam" else torch.optim.AdamW
    betas = (numbers["beta1"], numbers["beta2"])
    return kind([params], lr=lr, betas=betas, eps=numbers["eps"], weight_decay=decay)


def by_torch(optimizer: str, member: int, lr: float, numbers: dict[str, float]) -> tuple[Tensor, dict[str, Tensor]]:
    goal, one = GOAL.select([member]), starts()[[member]].requires_grad_()
    method = theirs(optimizer, one, lr, numbers)
    for _ in range(STEPS):
        one.grad = gradients(one, goal)
        method.step()
    return one.detach()[0], method.state[one]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@given(data=st.data())
@settings(max_examples=4, deadline=None)
def test_two_hundred_updates_equal_torch_optim(optimizer: str, data: st.DataObject) -> None:
    numbers = {name: data.draw(NUMBERS[name], label=name) for name in OPTIMIZERS[optimizer]}
    rate = st.floats(RATES[optimizer] / 30, RATES[optimizer])
    rates = data.draw(st.lists(rate, min_size=MEMBERS, max_size=MEMBERS), label="lr")
    rule = rule_of(Setting(optimizer=optimizer, **numbers))
    found, _ = by_rule(rule, torch.tensor(rates, dtype=torch.float64)[:, None])
    for member, lr in enumerate(rates):
        expected, _ = by_torch(optimizer, member, lr, numbers)
        torch.testing.assert_close(found[member], expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@given(members=st.integers(2, 40), parameters=st.integers(1, 90), seed=st.integers(0, 2**32), dtype=st.booleans())
@settings(max_examples=25, deadline=None)
def test_a_member_does_not_see_its_companions(
    optimizer: str, members: int, parameters: int, seed: int, dtype: bool
) -> None:
    rule = rule_of(Setting(optimizer=optimizer, weight_decay=0.01))
    generator = torch.Generator().manual_seed(seed)
    kind = torch.float64 if dtype else torch.float32
    params, grads = torch.randn(2, members, parameters, generator=generator, dtype=kind)
    slots = {name: torch.rand(members, parameters, generator=generator, dtype=kind) for name in rule.slots}
    lr, done = torch.rand(members, 1, generator=generator, dtype=kind), torch.arange(members)[:, None]
    order = torch.randperm(members, generator=generator)
    here, kept = rule.step(params, grads, slots, lr, done)
    there, moved = rule.step(
        params[order], grads[order], {name: slot[order] for name, slot in slots.items()}, lr[order], done[order]
    )
    assert torch.equal(here[order], there)
    assert all(torch.equal(kept[name][order], moved[name]) for name in rule.slots)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_an_update_changes_nothing_in_place_and_keeps_the_slots_it_declares(optimizer: str) -> None:
    rule = rule_of(Setting(optimizer=optimizer))
    params = starts()
    slots = rule.begin(params)
    before = {name: slot.clone() for name, slot in slots.items()}
    lr = torch.full((MEMBERS, 1), 0.1, dtype=torch.float64)
    _, after = rule.step(params, gradients(params), slots, lr, torch.zeros(MEMBERS, 1, dtype=torch.int64))
    assert torch.equal(params, starts())
    assert set(slots) == set(after) == set(rule.slots)
    assert all(torch.equal(slots[name], before[name]) and not slots[name].any() for name in rule.slots)


def test_every_member_keeps_its_own_clock() -> None:
    rule = Adam(beta1=0.9, beta2=0.999)
    params, lr = starts(), torch.full((MEMBERS, 1), 0.01, dtype=torch.float64)
    slots = {"mean": torch.full_like(params, 0.3), "squares": torch.full_like(params, 0.2)}
    mixed, _ = rule.step(params, gradients(params), slots, lr, torch.tensor([[0], [5], [400]]))
    for member, updates in enumerate((0, 5, 400)):
        alike, _ = rule.step(params, gradients(params), slots, lr, torch.full((MEMBERS, 1), updates))
        assert torch.equal(mixed[member], alike[member])


@pytest.mark.parametrize("optimizer", ["gd", "heavy-ball", "nesterov"])
def test_rules_without_a_preconditioner_say_so(optimizer: str) -> None:
    rule = rule_of(Setting(optimizer=optimizer))
    assert rule.preconditioner(rule.begin(starts()), torch.zeros(MEMBERS, 1, dtype=torch.int64)) is None


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "rmsprop"])
def test_the_preconditioner_is_what_torch_divides_by(optimizer: str) -> None:
    setting = Setting(optimizer=optimizer, eps=1e-3)
    numbers = {name: getattr(setting, name) for name in OPTIMIZERS[optimizer]}
    rule = rule_of(setting)
    _, slots = by_rule(rule, torch.full((MEMBERS, 1), 1e-3, dtype=torch.float64))
    found = rule.preconditioner(slots, torch.full((MEMBERS, 1), STEPS))
    assert found is not None
    _, state = by_torch(optimizer, 0, 1e-3, numbers)
    squares = state["square_avg"] if optimizer == "rmsprop" else state["exp_avg_sq"] / (1 - numbers["beta2"] ** STEPS)
    torch.testing.assert_close(found[0], squares[0].sqrt() + 1e-3, rtol=1e-10, atol=0)


def test_after_one_update_adam_is_preconditioned_by_the_gradients_magnitude() -> None:
    rule, grads = Adam(beta1=0.9, beta2=0.999, eps=1e-8), gradients(starts())
    done = torch.zeros(MEMBERS, 1, dtype=torch.int64)
    _, slots = rule.step(starts(), grads, rule.begin(grads), torch.ones(MEMBERS, 1, dtype=torch.float64), done)
    torch.testing.assert_close(rule.preconditioner(slots, done + 1), grads.abs() + 1e-8)


def test_before_the_first_update_the_preconditioner_is_a_number() -> None:
    start, done = starts(), torch.zeros(MEMBERS, 1, dtype=torch.int64)
    for rule in (Adam(beta1=0.9, beta2=0.999, eps=1e-8), RMSprop(beta2=0.99, eps=1e-8)):
        torch.testing.assert_close(rule.preconditioner(rule.begin(start), done), torch.full_like(start, 1e-8))


@pytest.mark.parametrize("done", [0, 9, 999])
def test_float32_bias_corrections_keep_their_digits(done: int) -> None:
    rule = Adam(beta1=0.9, beta2=0.999, eps=0.0)
    squares = {"squares": torch.full((2, 1), 1.0)}
    found = rule.preconditioner(squares, torch.full((2, 1), done + 1))
    assert float(found[0]) == pytest.approx((1 - 0.999 ** (done + 1)) ** -0.5, rel=3e-7)
