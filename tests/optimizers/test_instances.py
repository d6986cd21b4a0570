"""Live optimizers of an ensemble: one a member or one for all, the same numbers, and states that go on as they were."""

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from spikecheck.models.parameter_layout import Span
from spikecheck.optimizers.driven import OptimizerFactory
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.optimizers.instances import Abilities, Coupled, Pace, PerMember, Shared
from spikecheck.optimizers.state_dict import count

SPANS = (Span("weight", 0, (2, 3)), Span("bias", 6, (2,)))
SIZE, MEMBERS, LR = 8, 4, 0.1
ADAM = OptimizerFactory("torch.optim:Adam", (("weight_decay", 0.01),), SPANS, torch.float64)
SGD = OptimizerFactory("torch.optim:SGD", (("momentum", 0.9),), SPANS, torch.float64)


def able(factory: OptimizerFactory) -> Abilities:
    """As `capabilities` would find of an elementwise rule: the template is a state_dict after one step."""
    one = factory.of(torch.ones(SIZE, dtype=torch.float64), LR)
    one.feed(torch.ones(SIZE, dtype=torch.float64))
    one.step()
    template = one.optimizer.state_dict()
    return Abilities(True, "", closure=False, averages=False, numbers=count(template) + 1, template=template)


def fresh(members: int = MEMBERS, **changes: Any) -> Ensemble:
    params = torch.randn(members, SIZE, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    none = torch.zeros(members, dtype=torch.int64)
    lr = torch.full((members,), LR, dtype=torch.float64)
    return Ensemble(**{"params": params, "slots": {}, "done": none, "lr": lr, "alive": none == 0, **changes})


def grads(step: int, members: int = MEMBERS) -> Tensor:
    draw = torch.Generator().manual_seed(100 + step)
    return torch.randn(members, SIZE, generator=draw, dtype=torch.float64)


def live(kind: type[PerMember | Shared], factory: OptimizerFactory, start: Ensemble, scheduled: bool = False) -> Any:
    pace = Pace((LR,) * start.members, scheduled)
    return kind(factory, able(factory), start, pace, range(start.members), None)


def stepped(optimizers: Any, steps: Sequence[int], lr: Tensor | None = None, moving: Tensor | None = None) -> Tensor:
    rates = torch.full((MEMBERS,), LR, dtype=torch.float64) if lr is None else lr
    for step in steps:
        params: Tensor = optimizers.step(None, grads(step), rates, [step] * MEMBERS, moving)
    return params


def torchs(member: int, kind: Any, rates: Sequence[float], **options: Any) -> Tensor:
    """torch's own loop for one member."""
    whole = fresh().params[member]
    tensors = [torch.nn.Parameter(span.of(whole).clone()) for span in SPANS]
    optimizer = kind(tensors, lr=LR, **options)
    for step, rate in enumerate(rates):
        for group in optimizer.param_groups:
            group["lr"] = rate
        for tensor, span in zip(tensors, SPANS, strict=True):
            tensor.grad = span.of(grads(step)[member]).clone()
        optimizer.step()
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors])


@pytest.mark.parametrize("kind", [PerMember, Shared])
def test_every_member_moves_as_in_torchs_loop(kind: type[PerMember | Shared]) -> None:
    params = stepped(live(kind, ADAM, fresh()), range(5))
    for member in range(MEMBERS):
        assert torch.equal(params[member], torchs(member, torch.optim.Adam, [LR] * 5, weight_decay=0.01))


@pytest.mark.parametrize("kind", [PerMember, Shared])
def test_a_schedule_sets_the_rate_of_every_step(kind: type[PerMember | Shared]) -> None:
    rates = [LR, LR / 2, LR / 4]
    optimizers = live(kind, SGD, fresh(), scheduled=True)
    for step, rate in enumerate(rates):
        params = stepped(optimizers, [step], torch.full((MEMBERS,), rate, dtype=torch.float64))
    assert torch.equal(params[1], torchs(1, torch.optim.SGD, rates, momentum=0.9))


@pytest.mark.parametrize("factory", [ADAM, SGD])
@pytest.mark.parametrize("kind", [PerMember, Shared])
def test_a_stored_state_goes_on_bit_by_bit_also_in_the_other_kind(
    kind: type[PerMember | Shared], factory: OptimizerFactory
) -> None:
    """Resumed at half the rate, as a fork is, and stored once more on the way: the rate is halved once."""
    first = live(kind, factory, fresh())
    half = torch.full((MEMBERS,), LR / 2, dtype=torch.float64)
    state = fresh(params=stepped(first, range(3)), slots={"state": first.state()}, done=torch.full((MEMBERS,), 3))
    ends = []
    for after in (PerMember, Shared):
        once = live(after, factory, fresh(**{**state.__dict__, "lr": half}))
        middle = stepped(once, [3], half)
        then = fresh(params=middle, slots={"state": once.state()}, done=torch.full((MEMBERS,), 4), lr=half)
        ends.append(stepped(live(after, factory, then), [4, 5], half))
    assert torch.equal(*ends)
    rates = [LR] * 3 + [LR / 2] * 3
    torch_kind: Any = torch.optim.Adam if factory is ADAM else torch.optim.SGD
    assert torch.equal(ends[0][2], torchs(2, torch_kind, rates, **dict(factory.options)))


@pytest.mark.parametrize("kind", [PerMember, Shared])
def test_a_member_at_rest_keeps_its_parameters_and_its_state(kind: type[PerMember | Shared]) -> None:
    """The shared instance's counters go on, and must not be taken for those of a member that has stopped."""
    optimizers = live(kind, ADAM, fresh())
    before = stepped(optimizers, range(2))
    state = optimizers.state()
    moving = torch.tensor([True, False, True, True])
    after = stepped(optimizers, range(2, 5), moving=moving)
    assert torch.equal(after[1], before[1])
    assert torch.equal(optimizers.state()[1], state[1])
    assert not torch.equal(after[0], before[0])
    assert torch.equal(after[0], torchs(0, torch.optim.Adam, [LR] * 5, weight_decay=0.01))


@pytest.mark.parametrize("kind", [PerMember, Shared])
def test_displaced_parameters_are_where_the_step_starts(kind: type[PerMember | Shared]) -> None:
    optimizers = live(kind, SGD, fresh())
    stepped(optimizers, [0])
    zeros, rates = torch.zeros(MEMBERS, SIZE, dtype=torch.float64), torch.full((MEMBERS,), LR, dtype=torch.float64)
    params = optimizers.step(zeros, grads(1), rates, [1] * MEMBERS, None)
    torch.testing.assert_close(params, -LR * (0.9 * grads(0) + grads(1)))


def test_before_the_first_step_there_is_no_state() -> None:
    for kind in (PerMember, Shared):
        assert not live(kind, ADAM, fresh()).state().any()


@pytest.mark.parametrize(
    "name", ["planted_optimizers:WholeNorm", "planted_optimizers:Dicing", "ordinary_optimizers:DrawsAndHardlyUses"]
)
def test_a_rule_that_is_not_elementwise_is_noticed_at_its_first_step(name: str) -> None:
    """One clips by the norm over all tensors, two draw random numbers for all members, the last to no effect."""
    factory = OptimizerFactory(name, (), SPANS, torch.float64)
    with pytest.raises(Coupled):
        stepped(live(Shared, factory, fresh()), [0])


def test_factors_are_relative_to_each_members_own_rate() -> None:
    pace = Pace((0.1, 0.4))
    assert pace.factors(torch.tensor([0.05, 0.4], dtype=torch.float64)) == [0.5, 1.0]
    assert pace.of([1]) == Pace((0.4,))
