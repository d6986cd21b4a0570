"""Built-in update rules for an ensemble. Each equals torch.optim's up to rounding, and has a stability threshold.

Every operation rounds once per element, so a member's bits depend neither on the other members nor on its place among them.
(With `torch.pow(number, tensor)` they would: its kernel rounds the end of a tensor differently from the rest.)
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from spikecheck.core.setting import Setting
from spikecheck.optimizers import thresholds
from spikecheck.optimizers.ensemble import Ensemble

Slots = dict[str, Tensor]
"""A rule's state between updates, by name; each [B, P]."""


class UpdateRule(ABC):
    """An update rule: it maps gradients to changes of the parameters. Axes: B members, P parameters.

    Every member has its own learning rate and its own count of updates. A threshold bounds the curvature of the training loss:
    along an eigenvector whose eigenvalue exceeds it, the update linearised about a minimum multiplies the displacement by a
    factor below -1. Where the rule has a preconditioner P, the threshold refers to P^-1/2 H P^-1/2 with P fixed. Weight decay
    shifts the threshold, as each rule says.
    """

    @property
    def slots(self) -> tuple[str, ...]:
        """The names of the rule's slots."""
        return ()

    def begin(self, params: Float[Tensor, "B P"]) -> Slots:
        """The rule's state before the first update: zeros."""
        return {name: torch.zeros_like(params) for name in self.slots}

    @abstractmethod
    def step(
        self,
        params: Float[Tensor, "B P"],
        grads: Float[Tensor, "B P"],
        slots: Slots,
        lr: Float[Tensor, "B 1"],
        done: Int[Tensor, "B 1"],
    ) -> tuple[Float[Tensor, "B P"], Slots]:
        """Parameters and state after one update; `done` counts the updates made before it. Nothing is changed in place."""

    def move(
        self, ensemble: Ensemble, grads: Float[Tensor, "B P"], moving: Bool[Tensor, " B"] | None
    ) -> tuple[Float[Tensor, "B P"], Mapping[str, Tensor]]:
        """Parameters and state after one update of the members that move (None: all); the others' stay the same."""
        slots = dict(ensemble.slots)
        params, after = self.step(ensemble.params, grads, slots, ensemble.lr[:, None], ensemble.done[:, None])
        if moving is None:
            return params, after
        column = moving[:, None]
        kept = {name: torch.where(column, after[name], old) for name, old in slots.items()}
        return torch.where(column, params, ensemble.params), kept

    def kept(self, ensemble: Ensemble) -> Ensemble:
        """The ensemble as a value that later updates do not change; for built-in rules, the ensemble itself."""
        return ensemble

    def evaluated(self, ensemble: Ensemble) -> Float[Tensor, "B P"]:
        """The parameters to evaluate: those being trained, unless the rule averages."""
        return ensemble.params

    @abstractmethod
    def threshold(self, lr: float) -> float | None:
        """The stability threshold at this learning rate; None where no formula is known."""

    def preconditioner(self, slots: Slots, done: Int[Tensor, "B 1"]) -> Float[Tensor, "B P"] | None:
        """The diagonal of P after `done` updates, without the learning rate; None where the rule has none."""
        return None


@dataclass(frozen=True)
class GradientDescent(UpdateRule):
    """theta <- theta - lr (g + weight_decay theta). Stable below 2/lr - weight_decay.

    >>> GradientDescent().threshold(0.1)
    20.0
    """

    weight_decay: float = 0.0

    def step(
        self,
        params: Float[Tensor, "B P"],
        grads: Float[Tensor, "B P"],
        slots: Slots,
        lr: Float[Tensor, "B 1"],
        done: Int[Tensor, "B 1"],
    ) -> tuple[Float[Tensor, "B P"], Slots]:
        """One step down the gradient."""
        return params - lr * _decayed(grads, params, self.weight_decay), {}

    def threshold(self, lr: float) -> float:
        """2/lr - weight_decay."""
        return thresholds.gradient_descent(lr, self.weight_decay)


@dataclass(frozen=True)
class HeavyBall(UpdateRule):
    """v <- momentum v + g; theta <- theta - lr v. Stable below 2 (1 + momentum)/lr - weight_decay.

    Nesterov's rule looks ahead, theta <- theta - lr (g + momentum v), and is stable below
    (2/lr) (1 + momentum)/(1 + 2 momentum) - weight_decay. Source: Cohen et al., arXiv 2103.00065.

    >>> HeavyBall(momentum=0.9).threshold(0.1), HeavyBall(momentum=0.5, nesterov=True).threshold(0.1)
    (38.0, 15.0)
    """

    momentum: float
    nesterov: bool = False
    weight_decay: float = 0.0

    @property
    def slots(self) -> tuple[str, ...]:
        """The names of the rule's slots."""
        return ("velocity",)

    def step(
        self,
        params: Float[Tensor, "B P"],
        grads: Float[Tensor, "B P"],
        slots: Slots,
        lr: Float[Tensor, "B 1"],
        done: Int[Tensor, "B 1"],
    ) -> tuple[Float[Tensor, "B P"], Slots]:
        """One step along the velocity, or for Nesterov's rule along g + momentum v."""
        pull = _decayed(grads, params, self.weight_decay)
        velocity = self.momentum * slots["velocity"] + pull
        motion = pull + self.momentum * velocity if self.nesterov else velocity
        return params - lr * motion, {"velocity": velocity}

    def threshold(self, lr: float) -> float:
        """The curvature at which the linearised map of (theta, v) has an eigenvalue of -1, less weight_decay."""
        return thresholds.heavy_ball(lr, self.momentum, self.weight_decay, nesterov=self.nesterov)


@dataclass(frozen=True)
class RMSprop(UpdateRule):
    """v <- beta2 v + (1 - beta2) g^2; theta <- theta - lr g / P with P = sqrt(v) + eps. Stable below 2/lr.

    The threshold refers to P^-1/2 H P^-1/2; with weight decay, to P^-1/2 (H + weight_decay I) P^-1/2.
    """

    beta2: float
    eps: float = 1e-8
    weight_decay: float = 0.0

    @property
    def slots(self) -> tuple[str, ...]:
        """The names of the rule's slots."""
        return ("squares",)

    def step(
        self,
        params: Float[Tensor, "B P"],
        grads: Float[Tensor, "B P"],
        slots: Slots,
        lr: Float[Tensor, "B 1"],
        done: Int[Tensor, "B 1"],
    ) -> tuple[Float[Tensor, "B P"], Slots]:
        """One step down the preconditioned gradient."""
        pull = _decayed(grads, params, self.weight_decay)
        after = {"squares": _average(slots["squares"], pull.square(), self.beta2)}
        return params - lr * pull / self.preconditioner(after, done + 1), after

    def threshold(self, lr: float) -> float:
        """2/lr, for the preconditioned sharpness."""
        return thresholds.rmsprop(lr)

    def preconditioner(self, slots: Slots, done: Int[Tensor, "B 1"]) -> Float[Tensor, "B P"]:
        """P = sqrt(v) + eps."""
        return slots["squares"].sqrt() + self.eps


@dataclass(frozen=True)
class Adam(UpdateRule):
    """theta <- theta - lr m^ / P with P = sqrt(v^) + eps, where m^ and v^ are bias-corrected averages of g and g^2.

    Stable below (2 + 2 beta1)/((1 - beta1) lr) once the bias corrections have faded (Cohen et al., arXiv 2207.14484).
    Weight decay is added to the gradient, and the threshold then refers to P^-1/2 (H + weight_decay I) P^-1/2. With
    `decoupled` (AdamW, which first multiplies theta by 1 - lr weight_decay), decay lowers the threshold by exactly
    weight_decay (1 + beta1)/(1 - beta1) for every P.

    >>> round(Adam(beta1=0.9, beta2=0.999).threshold(0.01))
    3800
    """

    beta1: float
    beta2: float
    eps: float = 1e-8
    weight_decay: float = 0.0
    decoupled: bool = False

    @property
    def slots(self) -> tuple[str, ...]:
        """The names of the rule's slots."""
        return ("mean", "squares")

    def step(
        self,
        params: Float[Tensor, "B P"],
        grads: Float[Tensor, "B P"],
        slots: Slots,
        lr: Float[Tensor, "B 1"],
        done: Int[Tensor, "B 1"],
    ) -> tuple[Float[Tensor, "B P"], Slots]:
        """One step along the preconditioned mean of the gradients."""
        pull = grads if self.decoupled else _decayed(grads, params, self.weight_decay)
        kept = params * (1 - lr * self.weight_decay) if self.decoupled else params
        mean = _average(slots["mean"], pull, self.beta1)
        after = {"mean": mean, "squares": _average(slots["squares"], pull.square(), self.beta2)}
        pace = lr / correction(self.beta1, done + 1, lr)
        return kept - (pace * mean).div_(self.preconditioner(after, done + 1)), after

    def threshold(self, lr: float) -> float:
        """The preconditioned sharpness at which the linearised map of (theta, m) has an eigenvalue of -1."""
        return thresholds.adam(lr, self.beta1, self.weight_decay if self.decoupled else 0.0)

    def preconditioner(self, slots: Slots, done: Int[Tensor, "B 1"]) -> Float[Tensor, "B P"]:
        """P = sqrt(v^) + eps; before the first update, where v^ is 0/0, it is eps."""
        squares = slots["squares"]
        root = correction(self.beta2, done.clamp(min=1), squares).sqrt()
        return (squares.sqrt() / root).add_(self.eps)


BuiltIn = GradientDescent | HeavyBall | RMSprop | Adam


def rule_of(setting: Setting) -> BuiltIn:
    """The built-in update rule of a setting, with the setting's hyperparameters.

    >>> rule_of(Setting(optimizer="nesterov", momentum=0.8))
    HeavyBall(momentum=0.8, nesterov=True, weight_decay=0.0)
    """
    names = ("momentum", "beta1", "beta2", "eps", "weight_decay")
    numbers = {name: getattr(setting, name) for name in names if getattr(setting, name) is not None}
    match setting.optimizer:
        case "gd":
            return GradientDescent(**numbers)
        case "heavy-ball" | "nesterov":
            return HeavyBall(**numbers, nesterov=setting.optimizer == "nesterov")
        case "rmsprop":
            return RMSprop(**numbers)
        case _:
            return Adam(**numbers, decoupled=setting.optimizer == "adamw")


def correction(beta: float, updates: Tensor, like: Tensor) -> Tensor:
    """1 - beta^updates without cancellation, so that float32 keeps its digits where beta is near 1."""
    log_beta = math.log(beta) if beta > 0 else -math.inf
    return -torch.expm1(updates.to(like) * log_beta)


def _decayed(grads: Tensor, params: Tensor, weight_decay: float) -> Tensor:
    """The gradient of the loss plus weight_decay |theta|^2 / 2."""
    return grads + weight_decay * params if weight_decay else grads


def _average(old: Tensor, new: Tensor, beta: float) -> Tensor:
    return (beta * old).add_((1 - beta) * new)
