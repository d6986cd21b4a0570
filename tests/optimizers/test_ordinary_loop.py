"""An optimizer is driven as torch drives it: the habits that the ordinary loop allows, each against that loop."""

import random

import numpy as np
import pytest
import torch
from torch import nn

from spikecheck.core.errors import SettingError
from spikecheck.core.import_path import named
from spikecheck.core.setting import Setting
from spikecheck.gate.parity import parity
from spikecheck.lab.laboratory import Laboratory
from spikecheck.objective.objective import build_objective
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.optimizers.instances import Coupled
from spikecheck.optimizers.schedules import factor
from spikecheck.optimizers.torch_optimizer import NamedOptimizer
from spikecheck.tensors.seeding import seed_of
from spikecheck.training.gradients import Minibatches, followed
from spikecheck.training.loop import begin, train
from spikecheck.training.rule_for import rule_for
from tests.optimizers.ordinary_net import HABITS, STEPS, Net, setting, sizes_of

NEED_CLOSURES = {"SharpnessAware", "BackwardItself", "WantsItsClosureLate", "RestsWithoutClosure"}


def ours(of: Setting, members: int = 3) -> torch.Tensor:
    """Where the laboratory's way ends; a rule that turns out to be coupled is tried once more, as a tile is."""
    goal = build_objective([of] * members)
    for _ in range(2):
        rule = rule_for(goal)
        start = begin(goal, rule, goal.initial(range(members)), torch.full((members,), of.lr, dtype=torch.float64))
        try:
            seen = followed(goal, range(members))
            return train(
                goal, rule, start, torch.full((members,), of.steps), lambda made: None, gradients=seen
            ).end.params
        except Coupled:
            continue
    raise AssertionError


def theirs(of: Setting, member: int, closure: bool) -> torch.Tensor:
    """One nn.Module, one optimizer, zero_grad, backward, step."""
    goal = build_objective([of] * 3)
    net = Net(goal.initial(range(3))[member], sizes_of(goal))
    make = named("optimizer", of.optimizer)
    own = make(
        net.parameters() if isinstance(make, type) else list(net.named_parameters()), lr=of.lr, **dict(of.options)
    )
    x, y = goal.train.x[0], goal.train.y[0]
    batches = None if of.batch is None else Minibatches(goal, range(3))

    def evaluated() -> torch.Tensor:
        chosen = slice(None) if batches is None else batches.chosen([done] * 3)[member]
        own.zero_grad()
        loss = (net(x[chosen]) - y[chosen]).square().mean()
        loss.backward()
        return loss.detach()

    for done in range(of.steps):
        number = seed_of(member, "optimizer", done)
        torch.manual_seed(number)
        random.seed(number)
        np.random.seed(number % 2**32)  # noqa: NPY002
        evaluated()
        own.step(evaluated) if closure else own.step()
    return net.flat()


@pytest.mark.parametrize("name", HABITS)
def test_every_habit_is_as_in_the_ordinary_loop(name: str) -> None:
    of = setting(name)
    found = ours(of)
    for member in range(3):
        expected = theirs(of, member, name in NEED_CLOSURES)
        torch.testing.assert_close(found[member], expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", ["SharpnessAware", "BackwardItself", "ReplacesData"])
def test_closures_see_the_mini_batch_of_their_step(name: str) -> None:
    of = setting(name, batch=5)
    found = ours(of)
    for member in range(3):
        torch.testing.assert_close(found[member], theirs(of, member, name in NEED_CLOSURES), rtol=1e-9, atol=1e-11)


def test_sam_that_clears_gradients_between_its_passes_is_the_same() -> None:
    assert torch.equal(ours(setting("SharpnessAware")), ours(setting("SharpnessAware", (("clears", True),))))


def test_members_of_a_late_coupled_rule_do_not_influence_one_another() -> None:
    of = setting("LateCoupling")
    assert torch.equal(ours(of, 5)[:2], ours(of, 2))


def test_the_laboratory_trains_a_late_coupled_rule_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from spikecheck.core.recipe import Recipe
    from spikecheck.optimizers.capabilities import COUPLED

    monkeypatch.setattr("spikecheck.optimizers.capabilities.COUPLED", COUPLED)
    COUPLED.clear()
    of = setting("LateCoupling")
    lab = Laboratory(None)
    run = lab.runs([Recipe(setting=of, seed=1)])[Recipe(setting=of, seed=1)]
    COUPLED.clear()
    alone = lab_free_end(of, 1)
    assert torch.equal(torch.from_numpy(run.snapshots["end"].params), alone)


def lab_free_end(of: Setting, seed: int) -> torch.Tensor:
    from spikecheck.optimizers.capabilities import COUPLED

    goal = build_objective([of])
    rule = rule_for(goal, [seed])
    start = begin(goal, rule, goal.initial([seed]), torch.full((1,), of.lr, dtype=torch.float64))
    assert not COUPLED
    return train(goal, rule, start, torch.full((1,), of.steps), lambda made: None).end.params[0]


@pytest.mark.parametrize(
    "name", ["LateNoise", "IntegerStep", "KeepsGradients", "steps_its_schedule", "AveragesLate", "SharedCount"]
)
def test_states_that_are_complete_can_be_gone_on_with(name: str) -> None:
    rule = rule_for(build_objective([setting(name)] * 2))
    assert isinstance(rule, NamedOptimizer)
    expected = {
        "steps_its_schedule": "it remembers what its state_dict does not hold",
        "AveragesLate": "its state_dict grows as it trains",
    }.get(name, "")
    assert rule.abilities.resumes == expected


def test_a_counter_outside_the_state_dict_is_found_however_late() -> None:
    rule = rule_for(build_objective([setting("HiddenCounter")] * 2))
    assert isinstance(rule, NamedOptimizer)
    assert rule.abilities.resumes == "it remembers what its state_dict does not hold"


def test_a_wrapper_without_a_state_dict_is_trained_and_never_resumed() -> None:
    """Regression: an internal error."""
    rule = rule_for(build_objective([setting("LooksAhead")] * 2))
    assert isinstance(rule, NamedOptimizer)
    assert rule.abilities.resumes.startswith("its state_dict cannot be stored (AttributeError")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("DrawsFromTheSystem", r"gives other numbers for the same gradients from step 21 on; .* give it a fixed seed"),
        ("NeverMoves", r"60 steps move no parameter; does its step\(\) write to the parameters\?"),
        ("ChangesShape", r"changed the shape of layers.0.weight from \(6, 40\) to \(240,\)"),
        ("DecaysInZeroGrad", r"its zero_grad\(\) moves parameters; move them in step\(\) alone"),
        ("CountsOnTheClass", r"from step 1 on; .* instances share something, such as a counter"),
        ("LeavesLate", r"its step raised SystemExit after 29 steps: 0; try it on one model by itself"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_true_reason(name: str, said: str) -> None:
    with pytest.raises(SettingError, match=said):
        rule_for(build_objective([setting(name)] * 2))


def test_a_schedule_wants_the_groups_that_there_were() -> None:
    """Regression: it was said of the optimizer's own step that it had raised ValueError."""
    with pytest.raises(
        SettingError, match=r"made with 1 groups of parameters and has 2 now, which torch's schedulers refuse"
    ):
        ours(setting("SplitsGroups", schedule="linear"))


def test_a_schedule_is_torchs_whatever_the_optimizer_does_to_its_rate() -> None:
    """Regression: a rate lowered in place lowered the schedule too."""
    of = setting("TensorRate", schedule="linear")
    goal = build_objective([of])
    net = Net(goal.initial([0])[0], sizes_of(goal))
    own = named("optimizer", of.optimizer)(net.parameters(), lr=of.lr)
    paced = torch.optim.lr_scheduler.LambdaLR(own, lambda done: factor("linear", done, STEPS))
    x, y = goal.train.x[0], goal.train.y[0]
    for _ in range(STEPS):
        own.zero_grad()
        (net(x) - y).square().mean().backward()
        own.step()
        paced.step()
    torch.testing.assert_close(ours(of, 1)[0], net.flat(), rtol=1e-9, atol=1e-11)
    assert parity(of).differs == ""


def test_a_closures_loss_may_be_passed_backward_anywhere() -> None:
    """Regression: the comparison's own closure had a loss that could not, and the gate ended with an internal error."""
    found = parity(setting("GoesBackward"))
    assert (found.steps, found.differs) == (STEPS, "")


@pytest.mark.parametrize("name", ["WithoutRate", "NoRate"])
def test_a_schedule_wants_a_rate(name: str) -> None:
    with pytest.raises(SettingError, match="has a group without lr, so no schedule"):
        ours(setting(name, schedule="cosine"))


def test_noise_is_every_members_own_and_leaves_the_users_generator_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    found = ours(setting("LateNoise"))
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(found, ours(setting("LateNoise")))


@pytest.mark.parametrize("path", ["ordinary_optimizers:KeepsGradients", "planted_optimizers:WholeNorm"])
def test_lower_rates_are_lower_by_the_factor_however_often_a_state_is_stored(path: str) -> None:
    """A fork's own checkpoints have its rate already: resumed, they must not be lowered twice. Together and one by one."""
    of = setting("KeepsGradients").but(optimizer=path)
    goal = build_objective([of] * 2)

    def rule() -> NamedOptimizer:
        found = rule_for(goal)
        assert isinstance(found, NamedOptimizer)
        return found

    start = begin(goal, rule(), goal.initial(range(2)), torch.full((2,), of.lr, dtype=torch.float64))

    def run(state: Ensemble, until: int) -> Ensemble:
        return train(goal, rule(), state, torch.full((2,), until), lambda made: None).end

    at_once = run(run(start, 20).at_rate(0.25), 60)
    in_parts = run(run(run(start, 20).at_rate(0.25), 40), 60)
    assert torch.equal(at_once.params, in_parts.params)
    assert nn.functional.mse_loss(at_once.params, run(start, 60).params) > 0


def test_one_draw_is_never_made_for_all_members() -> None:
    """Regression: what is drawn and hardly ever used was taken for elementwise, and all members lost their numbers at once."""
    there = setting("DrawsAndHardlyUses")
    goal = build_objective([there] * 4)
    rule = rule_for(goal)
    assert isinstance(rule, NamedOptimizer)
    start = begin(goal, rule, goal.initial(range(4)), torch.full((4,), there.lr, dtype=torch.float64))
    if rule.shares_an_instance:
        with pytest.raises(Coupled):
            train(goal, rule, start, torch.full((4,), STEPS), lambda made: None)
    assert not rule.shares_an_instance
