"""The update rule that a setting names, and its stability threshold."""

import pytest
import torch

from spikecheck.core.errors import UnknownName
from spikecheck.core.setting import OPTIMIZERS, Setting
from spikecheck.objective.objective import build_objective
from spikecheck.optimizers.schedules import Scheduled
from spikecheck.optimizers.thresholds import threshold_of
from spikecheck.optimizers.torch_optimizer import NamedOptimizer
from spikecheck.training.loop import begin, train
from spikecheck.training.rule_for import rule_for

SMALL = Setting(width=4, points=6, steps=20, lr=0.05)


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_a_built_in_rule_is_driven_without_torchs_and_scheduled_only_where_a_schedule_is_named(name: str) -> None:
    plain = rule_for(build_objective([SMALL.but(optimizer=name)]))
    assert not isinstance(plain, Scheduled | NamedOptimizer)
    assert isinstance(rule_for(build_objective([SMALL.but(optimizer=name, schedule="cosine")])), Scheduled)


def test_a_rule_by_name_is_torchs_with_or_without_a_schedule() -> None:
    named = SMALL.but(optimizer="torch.optim:SGD")
    assert isinstance(rule_for(build_objective([named])), NamedOptimizer)
    assert isinstance(rule_for(build_objective([named.but(schedule="linear")])), Scheduled)
    with pytest.raises(UnknownName, match="did you mean: SGD"):
        rule_for(build_objective([SMALL.but(optimizer="torch.optim:SGDD")]))


@pytest.mark.parametrize(
    ("changes", "threshold"),
    [
        ({"optimizer": "gd"}, 2 / 0.05),
        ({"optimizer": "heavy-ball", "momentum": 0.9}, 2 * 1.9 / 0.05),
        ({"optimizer": "nesterov", "momentum": 0.9}, 2 * 1.9 / (2.8 * 0.05)),
        ({"optimizer": "adam", "beta1": 0.9}, 2 * 1.9 / (0.1 * 0.05)),
        ({"optimizer": "torch.optim:SGD"}, None),
    ],
)
def test_thresholds_are_those_of_quadratics(changes: dict[str, object], threshold: float | None) -> None:
    """2/lr for gradient descent; the closed forms of Cohen et al., arXiv 2103.00065 and 2207.14484."""
    found = threshold_of(SMALL.but(**changes))
    assert found == (None if threshold is None else pytest.approx(threshold))


def test_what_an_optimizer_draws_follows_the_seeds_that_it_is_given() -> None:
    goal = build_objective([SMALL.but(optimizer="ordinary_optimizers:DrawsFromPythonAndNumPy")] * 2)
    rules = [rule_for(goal), rule_for(goal, [0, 1]), rule_for(goal, [5, 6])]
    ends = []
    for rule in rules:
        start = begin(goal, rule, goal.initial([0, 1]), torch.full((2,), 0.05, dtype=torch.float64))
        ends.append(train(goal, rule, start, torch.full((2,), 20), lambda made: None).end.params)
    assert torch.equal(ends[0], ends[1])
    assert not torch.equal(ends[0], ends[2])
