"""How trainings began and ended, against dense Hessians and torch's own rules."""

import numpy as np
import pytest
import torch

from spikecheck.core.probe import Finish
from spikecheck.core.setting import Setting
from spikecheck.gate.metrics import early_edge
from spikecheck.objective.objective import build_objective, numbers_of
from spikecheck.optimizers.rules import rule_of
from spikecheck.training.loop import begin, train
from tests.lab.probed import outputs, runs


def test_how_near_the_threshold_a_training_began() -> None:
    """For gradient descent lr lambda_max - 1 after so many updates; nothing where it ends before."""
    setting = Setting(width=6, points=12, steps=60)
    for seed, run in runs(setting, range(2), probe=Finish(early=50, period=1)).items():
        goal = build_objective([setting])
        there = train(
            goal,
            rule_of(setting),
            begin(goal, rule_of(setting), goal.initial([seed]), torch.tensor([setting.lr])),
            torch.tensor([50]),
            lambda made: None,
        ).end.params
        hessian = torch.autograd.functional.hessian(lambda at, g=goal: g.losses(at[None])[0], there[0])
        expected = setting.lr * float(torch.linalg.eigvalsh(hessian)[-1]) - 1
        assert run.records["finish"]["early"][0] == pytest.approx(expected, rel=1e-6)
        assert early_edge(run) == pytest.approx(np.log2((1 + expected) / 2), rel=1e-6)
    assert all("early" not in run.records["finish"] for run in runs(setting, [0], probe=Finish(early=61)).values())


@pytest.mark.parametrize("optimizer", ["adam", "torch.optim:Adam"])
def test_how_a_training_ended(optimizer: str) -> None:
    """The same figures for a rule that is known and for one that is only named."""
    setting = Setting(width=6, points=12, optimizer=optimizer, lr=0.02, steps=400)
    found = runs(setting, range(2), probe=Finish(looks=2))
    for run in found.values():
        record = run.records["finish"]
        assert record["steps"].tolist() == [300.0, 350.0]
        assert (record["late"] >= -1).all()
        residual = np.square(outputs(run, "end") - numbers_of(setting).y_test).mean()
        assert record["test_loss"][0] == pytest.approx(residual, rel=1e-9)
    known = runs(setting.but(optimizer="adam"), range(2), probe=Finish(looks=2))
    for seed, run in found.items():
        ours, theirs = run.records["finish"]["late"], known[seed].records["finish"]["late"]
        np.testing.assert_allclose(ours, theirs, rtol=1e-3)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize(("ours", "torchs", "lr"), [("gd", "torch.optim:SGD", 0.1), ("adam", "torch.optim:Adam", 0.01)])
def test_both_sides_of_a_gate_are_measured_alike(ours: str, torchs: str, lr: float, activation: str) -> None:
    """A built-in rule and torch's of the same name train alike, so they have the same edges: with kinks in the loss too."""
    setting = Setting(problem="mnist1d", points=100, steps=300, activation=activation, lr=lr)
    seeds = range(2, 6)
    known, named = (runs(setting.but(optimizer=path), seeds, probe=Finish()) for path in (ours, torchs))
    for seed in seeds:
        one, other = known[seed].records["finish"], named[seed].records["finish"]
        np.testing.assert_allclose(one["early"], other["early"], atol=1e-2)  # a fifth of the margin
        np.testing.assert_allclose(one["late"], other["late"], atol=1e-2)
        assert np.abs(one["late"]).max() < 2  # a kink that is crossed by a difference once gave 15


def test_a_diverged_training_has_no_end_to_look_at() -> None:
    assert runs(Setting(lr=50.0, steps=100), range(2), probe=Finish()) == {}
