"""Optimizers as they come: the same steps as in a loop of one's own, however they are batched, stopped and resumed."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from spikecheck.core.errors import SettingError
from spikecheck.core.setting import Setting
from spikecheck.objective.objective import Objective, build_objective
from spikecheck.optimizers.torch_optimizer import NamedOptimizer
from spikecheck.training.loop import begin, train
from spikecheck.training.rule_for import rule_for
from tests.optimizers.ordinary_net import Net, sizes_of

STEPS = 30
ELEMENTWISE = [
    ("torch.optim:SGD", ()),
    ("torch.optim:SGD", (("momentum", 0.9), ("nesterov", True), ("weight_decay", 0.01))),
    ("torch.optim:Adam", (("betas", (0.8, 0.99)),)),
    ("torch.optim:AdamW", ()),
    ("torch.optim:RMSprop", ()),
    ("torch.optim:Adagrad", ()),
    ("torch.optim:Adadelta", ()),
    ("torch.optim:NAdam", ()),
    ("torch.optim:RAdam", ()),
    ("torch.optim:Rprop", ()),
    ("planted_optimizers:Uncorrected", ()),
]
WHOLE = [
    ("planted_optimizers:WholeNorm", ()),
    ("planted_optimizers:MatrixRule", ()),
    ("planted_optimizers:two_groups", ()),
    ("torch.optim:Adafactor", ()),
]


def setting(path: str, options: tuple = (), **changes: object) -> Setting:  # type: ignore[type-arg]
    return Setting(problem="mnist1d", points=20, width=6, optimizer=path, options=options, lr=0.02, steps=STEPS).but(
        **changes
    )


def goal(of: Setting, members: int = 3) -> Objective:
    return build_objective([of] * members)


def trained(of: Setting, members: int = 3, steps: int = STEPS) -> torch.Tensor:
    there = goal(of, members)
    rule = rule_for(there)
    start = begin(there, rule, there.initial(range(members)), torch.full((members,), of.lr, dtype=torch.float64))
    end = train(there, rule, start, torch.full((members,), steps), lambda made: None).end
    return end.params


@pytest.mark.parametrize(("path", "options"), [*ELEMENTWISE, *WHOLE], ids=str)
def test_it_is_a_loop_of_ones_own(path: str, options: tuple) -> None:  # type: ignore[type-arg]
    """One nn.Module, one optimizer, one backward pass a step."""
    from spikecheck.core.import_path import named

    of = setting(path, options)
    there = goal(of)
    found = trained(of)[1]
    net = Net(there.initial(range(3))[1], sizes_of(there))
    make = named("optimizer", path)
    parts = list(net.named_parameters()) if not isinstance(make, type) else net.parameters()
    own = make(parts, lr=of.lr, **dict(options))
    x, y = there.train.x[0], there.train.y[0]
    for _ in range(STEPS):
        own.zero_grad()
        (net(x) - y).square().mean().backward()
        own.step()
    torch.testing.assert_close(found, net.flat(), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(("path", "options"), ELEMENTWISE, ids=str)
def test_elementwise_rules_run_once_for_all_members(path: str, options: tuple) -> None:  # type: ignore[type-arg]
    rule = rule_for(goal(setting(path, options)))
    assert isinstance(rule, NamedOptimizer)
    assert rule.abilities.together
    assert not rule.abilities.resumes


@pytest.mark.parametrize(("path", "options"), WHOLE, ids=str)
def test_rules_that_look_at_a_whole_model_see_one(path: str, options: tuple) -> None:  # type: ignore[type-arg]
    rule = rule_for(goal(setting(path, options)))
    assert isinstance(rule, NamedOptimizer)
    assert not rule.abilities.together


@pytest.mark.parametrize(("path", "options"), [*ELEMENTWISE, *WHOLE], ids=str)
def test_companions_do_not_matter(path: str, options: tuple) -> None:  # type: ignore[type-arg]
    of = setting(path, options)
    assert torch.equal(trained(of, 5)[:2], trained(of, 2))


@pytest.mark.parametrize(("path", "options"), [*ELEMENTWISE, *WHOLE], ids=str)
def test_a_training_goes_on_from_any_checkpoint_to_the_same_bits(path: str, options: tuple) -> None:  # type: ignore[type-arg]
    """Also where members leave from different steps, so that they cannot share one instance."""
    of = setting(path, options)
    there = goal(of)
    rule = rule_for(there)
    start = begin(there, rule, there.initial(range(3)), torch.full((3,), of.lr, dtype=torch.float64))
    until = torch.full((3,), STEPS)
    whole = train(there, rule, start, until, lambda made: None, stride=10)
    one, two = whole.checkpoints[1:]
    later = torch.tensor([False, True, False])[:, None]
    mixed = replace(
        one,
        params=torch.where(later, two.params, one.params),
        slots={name: torch.where(later, two.slots[name], one.slots[name]) for name in one.slots},
        done=torch.where(later[:, 0], two.done, one.done),
    )
    for state in (one, two, mixed):
        end = train(there, rule_for(there), state, until, lambda made: None).end
        assert torch.equal(end.params, whole.end.params)
        assert torch.equal(end.slots["state"], whole.end.slots["state"])


@pytest.mark.parametrize("path", ["torch.optim:Adam", "planted_optimizers:WholeNorm"])
def test_a_member_that_stands_still_keeps_parameters_and_state(path: str) -> None:
    of = setting(path)
    there = goal(of)
    rule = rule_for(there)
    start = begin(there, rule, there.initial(range(3)), torch.full((3,), of.lr, dtype=torch.float64))
    end = train(there, rule, start, torch.tensor([STEPS, 7, STEPS]), lambda made: None).end
    short = train(there, rule_for(there), start, torch.full((3,), 7), lambda made: None).end
    assert torch.equal(end.params[1], short.params[1])
    assert torch.equal(end.slots["state"][1], short.slots["state"][1])
    assert torch.equal(end.params[[0, 2]], trained(of)[[0, 2]])


def test_a_closure_is_given_where_one_is_wanted() -> None:
    losses = build_objective([setting("torch.optim:LBFGS", (("max_iter", 4),), lr=0.5)] * 2)
    before = losses.gradient(losses.initial(range(2)))[0]
    after = losses.gradient(trained(losses.settings[0], 2, steps=10))[0]
    assert (after < 0.5 * before).all()


@pytest.mark.parametrize("path", ["planted_optimizers:Averaging", "planted_optimizers:ForgetfulAverage"])
def test_parameters_that_are_meant_to_be_used_are_asked_for(path: str) -> None:
    """Also of one that nothing can be resumed from."""
    of = setting(path)
    there = goal(of)
    rule = rule_for(there)
    start = begin(there, rule, there.initial(range(3)), torch.full((3,), of.lr, dtype=torch.float64))
    seen = train(there, rule, start, torch.full((3,), STEPS), lambda made: None, stride=1)
    iterates = [state.params for state in seen.checkpoints[1:]] + [seen.end.params]
    torch.testing.assert_close(rule.evaluated(seen.end), torch.stack(iterates).mean(0), rtol=1e-10, atol=1e-12)


def test_what_cannot_be_resumed_says_why() -> None:
    there = goal(setting("planted_optimizers:Forgetful"))
    rule = rule_for(there)
    assert isinstance(rule, NamedOptimizer)
    assert "state_dict" in rule.abilities.resumes
    start = begin(there, rule, there.initial(range(3)), torch.full((3,), 0.02, dtype=torch.float64))
    seen = train(there, rule, start, torch.full((3,), STEPS), lambda made: None, stride=10)
    with pytest.raises(SettingError, match="Forgetful.*forked"):
        train(there, rule_for(there), seen.checkpoints[1], torch.full((3,), STEPS), lambda made: None)


@pytest.mark.parametrize(
    ("path", "options", "said"),
    [
        ("planted_optimizers:Raising", (), "no step today"),
        ("planted_optimizers:nothing", (), "returned str"),
        ("torch.nn:Linear", (), "not a torch.optim.Optimizer"),
        (
            "planted_optimizers:weights_only",
            (),
            r"layers.0.bias of the model's 3 tensors is not in exactly one of its groups",
        ),
        ("torch.optim:Adam", (("betta", 0.9),), "betta"),
        ("torch.optim:Adamm", (), "did you mean"),
        ("no_such_module:Adam", (), "no module"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(path: str, options: tuple, said: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(SettingError if "mean" not in said else Exception, match=said):
        rule_for(goal(setting(path, options)))


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
@pytest.mark.parametrize("path", ["gd", "torch.optim:SGD"])
def test_schedules_are_torchs_own(schedule: str, path: str) -> None:
    of = setting(path, schedule=schedule, lr=0.3)
    there = goal(of)
    net = Net(there.initial(range(3))[0], sizes_of(there))
    own = torch.optim.SGD(net.parameters(), lr=of.lr)
    paced: torch.optim.lr_scheduler.LRScheduler
    if schedule == "linear":
        paced = torch.optim.lr_scheduler.LinearLR(own, start_factor=1.0, end_factor=0.0, total_iters=STEPS)
    else:
        paced = torch.optim.lr_scheduler.CosineAnnealingLR(own, T_max=STEPS)
    for _ in range(STEPS):
        own.zero_grad()
        (net(there.train.x[0]) - there.train.y[0]).square().mean().backward()
        own.step()
        paced.step()
    torch.testing.assert_close(trained(of)[0], net.flat(), rtol=1e-8, atol=1e-10)


def test_clipping_is_torchs_own() -> None:
    from spikecheck.training.gradients import followed

    of = setting("gd", clip=0.01, lr=0.5)
    there = goal(of)
    rule = rule_for(there)
    start = begin(there, rule, there.initial(range(3)), torch.full((3,), of.lr, dtype=torch.float64))
    steps = torch.full((3,), STEPS)
    found = train(there, rule, start, steps, lambda made: None, gradients=followed(there, range(3))).end.params
    net = Net(there.initial(range(3))[2], sizes_of(there))
    own = torch.optim.SGD(net.parameters(), lr=of.lr)
    for _ in range(STEPS):
        own.zero_grad()
        (net(there.train.x[0]) - there.train.y[0]).square().mean().backward()
        nn.utils.clip_grad_norm_(net.parameters(), 0.01)
        own.step()
    torch.testing.assert_close(found[2], net.flat(), rtol=1e-8, atol=1e-10)
