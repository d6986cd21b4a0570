"""When would a torch optimizer's training be unstable? Its preconditioner, read from its state, and its threshold.

With P held still, an update along an eigenvector of P^-1/2 H P^-1/2 overshoots and grows where the eigenvalue exceeds the
threshold that the rule has at its learning rate (arXiv 2103.00065, 2207.14484).
"""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from spikecheck.core.errors import SettingError
from spikecheck.curvature.directional import ModelCurvature, flattened
from spikecheck.curvature.largest import Largest, largest
from spikecheck.optimizers.rules import Adam, GradientDescent, HeavyBall, RMSprop

_SHARED = ("betas", "momentum", "dampening", "nesterov", "amsgrad", "centered", "maximize", "decoupled_weight_decay")
"""What all parameter groups must have alike: the formulas have one of each."""
_KNOWN = "SGD, RMSprop, Adam, AdamW"


@dataclass(frozen=True)
class Rule:
    """A torch optimizer's rule at this moment. Axes: P trained parameters of the model."""

    threshold: float
    """Of the preconditioned sharpness, at the largest learning rate among the groups."""
    preconditioner: Float[Tensor, "1 P"] | None
    """P without the learning rate; larger where a group's rate is smaller, infinite where it is 0. None: the identity."""
    decay: Float[Tensor, "1 P"] | None
    """Weight decay that is part of the gradient, and so of the Hessian."""


@dataclass(frozen=True)
class Edge:
    """How near a training is to its threshold."""

    sharpness: Largest
    """The largest eigenvalue of P^-1/2 (H + decay) P^-1/2."""
    threshold: float

    @property
    def ratio(self) -> float:
        """Sharpness over threshold: above 1 an oscillation grows. A momentary figure: P moves, and its mean counts."""
        return self.sharpness.value / self.threshold


def preconditioned_sharpness(
    local: ModelCurvature, model: nn.Module, optimizer: torch.optim.Optimizer, previous: Edge | None = None
) -> Edge:
    """The sharpness that this optimizer's steps see, and its threshold.

    Args:
        local: of the model, as `model_curvature` made it.
        model: the model itself, whose parameters the optimizer has.
        optimizer: torch's SGD, RMSprop, Adam or AdamW, after at least one step.
        previous: what was found some steps before.

    Raises:
        SettingError: when the optimizer is another, or its numbers allow no formula.
    """
    rule = rule_now(optimizer, model, local.gradients)
    seen = local if rule.decay is None else local.decayed(rule.decay)
    seen = seen if rule.preconditioner is None else seen.preconditioned(rule.preconditioner)
    return Edge(largest(seen, None if previous is None else previous.sharpness), rule.threshold)


def rule_now(optimizer: torch.optim.Optimizer, model: nn.Module, like: Float[Tensor, "1 P"]) -> Rule:
    """Threshold, preconditioner and decay, read from the optimizer's groups and state; raises as above."""
    groups = optimizer.param_groups
    first = groups[0]
    _check(optimizer, groups)
    fastest = max(float(group["lr"]) for group in groups)
    if fastest <= 0:
        raise SettingError("optimizer: every learning rate is 0, and so no sharpness is too large; look after warm-up")
    group_of = {id(p): group for group in groups for p in group["params"]}
    params = [p for p in model.parameters() if p.requires_grad]
    decoupled = first.get("decoupled_weight_decay", isinstance(optimizer, torch.optim.AdamW))
    diagonals = [_diagonal(optimizer, p, group_of.get(id(p)), fastest) for p in params]
    flat = flattened(diagonals, like)
    decays = [torch.full_like(p, group_of.get(id(p), {}).get("weight_decay", 0.0)) for p in params]
    decay = None if decoupled or not any(group["weight_decay"] for group in groups) else flattened(decays, like)
    return Rule(_threshold(optimizer, first, fastest, decoupled), None if bool((flat == 1).all()) else flat, decay)


def _check(optimizer: torch.optim.Optimizer, groups: list[dict[str, Any]]) -> None:
    if not isinstance(optimizer, torch.optim.SGD | torch.optim.RMSprop | torch.optim.Adam | torch.optim.AdamW):
        raise SettingError(
            f"optimizer={type(optimizer).__name__}: no formula for its threshold is known; known: {_KNOWN}. "
            "The curvature along its updates needs none"
        )
    for name in _SHARED:
        values = [group.get(name) for group in groups]
        if any(value != values[0] for value in values):
            raise SettingError(f"optimizer: its parameter groups differ in {name}, {values}; the formula has one of it")
    if groups[0].get("maximize") or groups[0].get("dampening"):
        name = "maximize" if groups[0].get("maximize") else "dampening"
        raise SettingError(
            f"optimizer: {name}={groups[0][name]!r}: no formula for its threshold is known; leave it out"
        )


def _threshold(optimizer: torch.optim.Optimizer, group: dict[str, Any], lr: float, decoupled: bool) -> float:
    """Without coupled weight decay, which is added to the Hessian instead."""
    if isinstance(optimizer, torch.optim.SGD):
        if not group["momentum"]:
            return GradientDescent().threshold(lr)
        return HeavyBall(group["momentum"], group["nesterov"]).threshold(lr)
    if isinstance(optimizer, torch.optim.RMSprop):
        return (
            HeavyBall(group["momentum"]).threshold(lr) if group["momentum"] else RMSprop(group["alpha"]).threshold(lr)
        )
    beta1, beta2 = (float(beta) for beta in group["betas"])
    return Adam(beta1, beta2, weight_decay=group["weight_decay"] if decoupled else 0.0, decoupled=decoupled).threshold(
        lr
    )


def _diagonal(
    optimizer: torch.optim.Optimizer, parameter: nn.Parameter, group: dict[str, Any] | None, fastest: float
) -> Tensor:
    """A parameter's part of P, times the fastest rate over its own."""
    if group is None or float(group["lr"]) == 0.0:
        return torch.full_like(parameter, torch.inf)
    pace = fastest / float(group["lr"])
    if isinstance(optimizer, torch.optim.SGD):
        return torch.full_like(parameter, pace)
    state = optimizer.state.get(parameter, {})
    if "step" not in state:
        raise SettingError("optimizer: has made no step yet, so its second moment is 0; make one first")
    diagonal: Tensor = pace * (_root(optimizer, state, group) + group["eps"])
    return diagonal


def _root(optimizer: torch.optim.Optimizer, state: dict[str, Any], group: dict[str, Any]) -> Tensor:
    """The square root of the second moment, as the optimizer's next step divides by it."""
    if isinstance(optimizer, torch.optim.RMSprop):
        moment: Tensor = state["square_avg"]
        moment = moment - state["grad_avg"].square() if group["centered"] else moment
        return moment.clamp(min=0).sqrt()
    moment = state["max_exp_avg_sq" if group["amsgrad"] else "exp_avg_sq"]
    corrected: Tensor = moment / (1 - float(group["betas"][1]) ** float(state["step"]))
    return corrected.sqrt()
