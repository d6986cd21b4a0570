"""Sharpness tracked at every step, against exact Hessians along whole trajectories that spike."""

from dataclasses import dataclass, replace

import pytest
import torch
from torch import Tensor

from spikecheck.core.setting import Setting
from spikecheck.core.spike import SpikeDefinition
from spikecheck.curvature.eigenpairs import exact
from spikecheck.curvature.hessian import curvature
from spikecheck.measures.spikes import spikes
from spikecheck.objective.analytic_shallow import Shallow
from spikecheck.objective.objective import Objective, build_objective
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.optimizers.rules import UpdateRule, rule_of
from spikecheck.training.loop import begin, train
from spikecheck.training.rule_for import rule_for
from spikecheck.training.with_sharpness import ACCURACY, SharpnessTrajectory, follow


def started(setting: Setting, members: int) -> tuple[Objective, UpdateRule, Ensemble]:
    torch.set_num_threads(1)
    goal = build_objective([setting] * members)
    rule = rule_for(goal)
    lr = torch.full((members,), setting.lr, dtype=torch.float64)
    return goal, rule, begin(goal, rule, goal.initial(range(members)), lr)


def silent(steps: int) -> None: ...


def followed(setting: Setting, members: int, steps: int) -> tuple[SharpnessTrajectory, Tensor]:
    """A followed training, and the exact values at its own points, step by step."""
    goal, rule, ensemble = started(setting, members)
    found = follow(goal, rule, ensemble, ensemble.done + steps, silent)
    true = []
    for step in range(steps + 1):
        local = curvature(goal, ensemble.params)
        diagonal = rule.preconditioner(dict(ensemble.slots), ensemble.done[:, None])
        true.append(exact(local if diagonal is None else local.preconditioned(diagonal), 1).values[:, 0])
        if step < steps:
            ensemble = train(goal, rule, ensemble, ensemble.done + 1, silent).end
    assert torch.equal(found.end.params, ensemble.params)
    return found, torch.stack(true)


def test_the_error_is_as_promised_along_trajectories_that_spike() -> None:
    found, true = followed(Setting(), 4, 1_500)
    assert any(spikes(found.loss[:, member].numpy(), SpikeDefinition()) for member in range(4))
    assert float(((found.sharpness - true) / true).abs().max()) < ACCURACY
    assert float(found.products.double().mean()) < 1.3 * 1_500
    # One at each of 1,501 points, and one more at every seventh from the first on: nothing is made uncounted.
    assert int(found.products.min()) >= 1_501 + 215


@pytest.mark.parametrize("optimizer", ["adam", "heavy-ball"])
def test_preconditioned_sharpness_is_followed_too(optimizer: str) -> None:
    found, true = followed(Setting(width=6, points=9, optimizer=optimizer, lr=0.02), 2, 300)
    error = ((found.sharpness - true) / true).abs()
    settled = found.residual < 10 * ACCURACY
    assert float(error[settled].max()) < ACCURACY
    assert (
        float(settled[100:].double().mean()) > 0.9
    )  # Adam's averages begin at zero, and its preconditioner with a leap


def test_losses_are_those_of_plain_training() -> None:
    goal, rule, ensemble = started(Setting(width=6, points=9), 3)
    plain = train(goal, rule, ensemble, ensemble.done + 50, silent)
    found = follow(goal, rule, ensemble, ensemble.done + 50, silent)
    assert torch.equal(found.loss, plain.loss)


def test_a_wide_network_is_followed_without_its_hessian(monkeypatch: pytest.MonkeyPatch) -> None:
    """Regression: products were taken with a matrix of the parameters' number squared."""
    monkeypatch.setattr("spikecheck.curvature.eigenpairs.EXACT_UP_TO", 0)
    monkeypatch.setattr(Shallow, "hessians", None)
    monkeypatch.setattr("spikecheck.curvature.hessian.WRITTEN_OUT_UP_TO", 0)
    goal, rule, ensemble = started(Setting(width=150, points=9, lr=0.01), 2)
    assert bool(follow(goal, rule, ensemble, ensemble.done + 3, silent).sharpness.isfinite().all())


def test_members_stop_at_their_own_ends_and_a_lost_one_spoils_none() -> None:
    setting = Setting(width=6, points=9)
    goal, rule, ensemble = started(setting, 3)
    lr = torch.tensor([0.1, 1e3, 0.1], dtype=torch.float64)
    ends = torch.tensor([40, 60, 60])
    found = follow(goal, rule, replace(ensemble, lr=lr), ends, silent)
    alone = follow(goal, rule, ensemble, torch.tensor([40, 0, 60]), silent)
    assert found.end.done.tolist()[0::2] == [40, 60]
    assert not bool(found.loss[-1, 1].isfinite())
    for member in (0, 2):
        torch.testing.assert_close(found.sharpness[:, member], alone.sharpness[:, member], rtol=ACCURACY, atol=0)
        assert bool(found.sharpness[:, member].isfinite().all())


@dataclass(frozen=True)
class Crossing:
    """Two curvatures that cross as the first parameter drifts: 3 - theta_0 and 1 + theta_0."""

    members: int = 2
    multiplies: bool = False

    def losses(self, params: Tensor) -> Tensor:
        drift, one, other = params.unbind(1)
        return -drift + (3 - drift) * one**2 / 2 + (1 + drift) * other**2 / 2

    def gradient_and_products(self, params: Tensor, vectors: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        here = params.detach().requires_grad_()
        (slopes,) = torch.autograd.grad(self.losses(here).sum(), here, create_graph=True)
        images = [torch.autograd.grad(slopes, here, one, retain_graph=True)[0] for one in vectors.unbind(1)]
        return self.losses(params), slopes.detach(), torch.stack(images, 1)

    def select(self, index: Tensor) -> "Crossing":
        return Crossing(len(index))


def test_a_crossing_of_the_first_two_eigenvalues_is_not_missed() -> None:
    rule = rule_of(Setting(lr=0.01))
    params = torch.tensor([[0.0, 0.0, 0.0]] * 2, dtype=torch.float64)
    alive, done = torch.ones(2, dtype=torch.bool), torch.zeros(2, dtype=torch.int64)
    ensemble = Ensemble(params, {}, done, torch.full((2,), 0.01, dtype=torch.float64), alive)
    found = follow(Crossing(), rule, ensemble, done + 200, silent)
    drift = torch.arange(201, dtype=torch.float64) * 0.01
    true = torch.maximum(3 - drift, 1 + drift)[:, None]
    assert float((found.sharpness - true).abs().max()) < 0.3  # for up to fourteen steps it may follow the lower one
    assert float((found.sharpness[150:] - true[150:]).abs().max()) < 3 * ACCURACY
