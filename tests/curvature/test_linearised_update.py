"""The linearised update finds every known threshold without being told, and agrees with dense Jacobians."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from scipy.optimize import brentq

from spikecheck.core.setting import Setting
from spikecheck.curvature.linearised_update import jacobian, multipliers
from spikecheck.models.parameter_layout import Span
from spikecheck.objective.objective import build_objective
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.optimizers.rules import UpdateRule, rule_of
from spikecheck.optimizers.thresholds import threshold_of
from spikecheck.optimizers.torch_optimizer import NamedOptimizer
from spikecheck.training.loop import begin, train

SIZE = 5
SPANS = (Span("weight", 0, (2, 2), turned=True), Span("bias", 4, (1,)))


@dataclass(frozen=True)
class Bowl:
    """A quadratic with one steep direction, the same for all members."""

    steepness: float

    @property
    def diagonal(self) -> torch.Tensor:
        return torch.tensor([self.steepness, 0.3, 0.2, 0.0, 0.1], dtype=torch.float64)

    def losses(self, params: torch.Tensor) -> torch.Tensor:
        return (self.diagonal * params.square()).sum(1) / 2

    def gradient(self, params: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.losses(params), self.diagonal * params


def at_the_bottom(rule: UpdateRule, lr: float, members: int = 2) -> Ensemble:
    """After a few updates by gradients of 1, so that averages hold something, moved to the minimum."""
    params = torch.zeros(members, SIZE, dtype=torch.float64)
    rates = torch.full((members,), lr, dtype=torch.float64)
    ensemble = Ensemble(
        params,
        rule.begin(params),
        torch.zeros(members, dtype=torch.int64),
        rates,
        torch.ones(members, dtype=torch.bool),
    )
    for step in range(3):
        after, slots = rule.move(ensemble, torch.ones_like(params), None)
        ensemble = Ensemble(after, slots, torch.full((members,), step + 1), rates, ensemble.alive)
    kept = rule.kept(ensemble)
    # bias corrections gone, and second moments 1 once the next update has fed them nothing: what the formulas are about
    beta2 = getattr(rule, "beta2", 1.0)
    slots = {n: torch.full_like(value, 1 / beta2) if n == "squares" else value for n, value in kept.slots.items()}
    return Ensemble(params, slots, torch.full((members,), 10**6), rates, kept.alive)


@pytest.mark.parametrize(
    "setting",
    [
        Setting(optimizer="gd", lr=0.1),
        Setting(optimizer="gd", lr=0.1, weight_decay=0.01),
        Setting(optimizer="heavy-ball", lr=0.1, momentum=0.9),
        Setting(optimizer="nesterov", lr=0.1, momentum=0.9),
        Setting(optimizer="rmsprop", lr=0.1, beta2=0.9, eps=0.0),
        Setting(optimizer="adam", lr=0.1, eps=0.0),
        Setting(optimizer="adamw", lr=0.1, eps=0.0, weight_decay=0.01),
    ],
    ids=lambda setting: f"{setting.optimizer}, decay {setting.weight_decay}",
)
def test_known_thresholds_are_found(setting: Setting) -> None:
    rule = rule_of(setting)
    expected = threshold_of(setting)
    assert expected is not None

    def excess(steepness: float) -> float:
        found = multipliers(Bowl(steepness), rule, at_the_bottom(rule, setting.lr))
        return float(found.oscillating[0]) - 1.0

    assert brentq(excess, expected / 3, expected * 3) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("steepness", [0.5, 5.0, 15.0, 25.0])
def test_the_reversal_of_gradient_descent_is_its_rate_times_the_sharpness_less_one(steepness: float) -> None:
    """On both sides of the threshold, and where nothing alternates yet."""
    rule = rule_of(Setting(lr=0.1))
    found = multipliers(Bowl(steepness), rule, at_the_bottom(rule, 0.1))
    assert float(found.reversal[0]) == pytest.approx(0.1 * steepness - 1.0)
    assert float(found.oscillating[0]) == pytest.approx(max(0.0, 0.1 * steepness - 1.0))


@pytest.mark.parametrize(
    ("path", "options", "expected"),
    [
        ("torch.optim:SGD", (), 2 / 0.1),
        ("torch.optim:SGD", (("momentum", 0.9),), 2 * 1.9 / 0.1),
        ("torch.optim:SGD", (("momentum", 0.9), ("nesterov", True)), 2 * 1.9 / (0.1 * 2.8)),
        ("torch.optim:Adam", (), 38 / 0.1),
    ],
)
def test_thresholds_are_found_of_optimizers_that_are_only_named(path: str, options: tuple, expected: float) -> None:  # type: ignore[type-arg]
    rule = NamedOptimizer([Setting(optimizer=path, options=options, lr=0.1, steps=50)] * 2, SPANS)

    def excess(steepness: float) -> float:
        bottom = at_the_bottom(rule, 0.1)
        found = multipliers(Bowl(steepness), rule, bottom)
        return float(found.oscillating[0]) - 1.0

    # three updates by gradients of 1 leave Adam's bias corrections at work: v / (1 - beta2^t) is 1, its rate is not yet lr
    scale = _adam_scale(rule) if path.endswith("Adam") else 1.0
    assert brentq(excess, expected / 5, expected * 5, rtol=1e-5) == pytest.approx(expected * scale, rel=1e-3)


def _adam_scale(rule: NamedOptimizer) -> float:
    """Of Adam's threshold after three updates: the fourth has pace lr / (1 - beta1^4) over sqrt(v / (1 - beta2^4))."""
    done, beta1, beta2 = 4, 0.9, 0.999
    squares = beta2 * (1 - beta2**3)
    return float((1 - beta1**done) * np.sqrt(squares / (1 - beta2**done)))


@pytest.mark.parametrize("optimizer", ["gd", "heavy-ball", "nesterov", "rmsprop", "adam", "adamw"])
def test_products_are_the_dense_jacobians(optimizer: str) -> None:
    """Against autograd's own Jacobian of the update as a whole, on a loss that is not quadratic."""
    setting = Setting(optimizer=optimizer, lr=0.05)
    rule = rule_of(setting)

    class Quartic:
        def losses(self, params: torch.Tensor) -> torch.Tensor:
            return (params**4).sum(1) / 4 + (params[:, 0] * params[:, 1]) + params.square().sum(1)

        def gradient(self, params: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            leaf = params.detach().requires_grad_()
            losses = self.losses(leaf)
            (found,) = torch.autograd.grad(losses.sum(), leaf)
            return losses.detach(), found

    start = at_the_bottom(rule, setting.lr, members=1)
    generator = torch.Generator().manual_seed(1)
    there = torch.rand(1, SIZE, generator=generator, dtype=torch.float64) + 0.1
    ensemble = Ensemble(there, start.slots, start.done, start.lr, start.alive)
    product, size = jacobian(Quartic(), rule, ensemble)
    found = torch.stack([product(torch.eye(size, dtype=torch.float64)[[column]])[0] for column in range(size)], 1)

    def update(flat: torch.Tensor) -> torch.Tensor:
        params, *slots = flat.split(SIZE)
        gradient = params**3 + 2 * params
        gradient = gradient + torch.stack([params[1], params[0], *torch.zeros(SIZE - 2, dtype=torch.float64)])
        memory = dict(zip(rule.slots, (slot[None] for slot in slots), strict=True))
        after, kept = rule.step(params[None], gradient[None], memory, ensemble.lr[:, None], ensemble.done[:, None])
        return torch.cat([after[0], *(kept[name][0] for name in rule.slots)])

    flat = torch.cat([there[0], *(start.slots[name][0] for name in rule.slots)])
    expected = torch.autograd.functional.jacobian(update, flat)
    eigenvalues = [np.sort_complex(np.linalg.eigvals(matrix.numpy())) for matrix in (found, expected)]
    np.testing.assert_allclose(eigenvalues[0], eigenvalues[1], atol=1e-9)


def test_a_member_whose_numbers_fail_is_nan_and_spoils_no_other() -> None:
    rule = rule_of(Setting(lr=0.1))
    bottom = at_the_bottom(rule, 0.1)
    spoiled = Ensemble(bottom.params + torch.tensor([[0.0], [float("nan")]]), {}, bottom.done, bottom.lr, bottom.alive)

    class Quartic(Bowl):
        def losses(self, params: torch.Tensor) -> torch.Tensor:
            return super().losses(params) + (params**4).sum(1)

    found = multipliers(Quartic(30.0), rule, spoiled)
    assert float(found.oscillating[0]) == pytest.approx(2.0)
    assert torch.isnan(found.oscillating[1])
    assert torch.isnan(found.reversal[1])


def test_what_has_settled_depends_on_no_companion() -> None:
    """Members settle after different numbers of products; each has the figures that it has by itself."""
    setting = Setting(problem="mnist1d", points=60, width=8, optimizer="adam", lr=0.02)
    goal, rule, members = build_objective([setting] * 6), rule_of(setting), 6
    start = begin(goal, rule, goal.initial(range(members)), torch.full((members,), setting.lr, dtype=torch.float64))
    there = train(goal, rule, start, torch.full((members,), 150), lambda made: None).end
    found = multipliers(goal, rule, there, differences=True, settled=1e-2)
    for member in range(members):
        own = multipliers(goal.select([member]), rule, there.select([member]), differences=True, settled=1e-2)
        torch.testing.assert_close(found.reversal[[member]], own.reversal, rtol=1e-7, atol=1e-9)
