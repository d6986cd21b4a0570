"""Optimizers whose faults are known: what the gate must name, and what the harness must refuse."""

import random
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim import SGD, Adam, Optimizer


class WrongMomentum(Optimizer):
    """Heavy ball that pushes against its own velocity."""

    def __init__(self, params: Iterable[Tensor], lr: float, momentum: float = 0.9) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for tensor in group["params"]:
                state = self.state[tensor]
                velocity = state.setdefault("velocity", torch.zeros_like(tensor))
                velocity.mul_(group["momentum"]).sub_(tensor.grad)
                tensor.sub_(velocity * group["lr"])


class TooFast(SGD):
    """Gradient descent at 1.3 times the rate that it is given."""

    def __init__(self, params: Iterable[Tensor], lr: float) -> None:
        super().__init__(params, lr=1.3 * lr)


class DecaysTwice(SGD):
    """Weight decay applied to the gradient and to the weights."""

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for tensor in group["params"]:
                tensor.mul_(1 - group["lr"] * group["weight_decay"])
        super().step()


class Uncorrected(Optimizer):
    """Adam with its bias correction left out."""

    def __init__(
        self, params: Iterable[Tensor], lr: float, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for tensor in group["params"]:
                state = self.state[tensor]
                mean = state.setdefault("mean", torch.zeros_like(tensor))
                squares = state.setdefault("squares", torch.zeros_like(tensor))
                mean.mul_(beta1).add_(tensor.grad, alpha=1 - beta1)
                squares.mul_(beta2).addcmul_(tensor.grad, tensor.grad, value=1 - beta2)
                tensor.addcdiv_(mean, squares.sqrt().add_(group["eps"]), value=-group["lr"])


class WholeNorm(SGD):
    """Clips by the norm of all its tensors together: no elementwise rule."""

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        tensors = [tensor for group in self.param_groups for tensor in group["params"]]
        torch.nn.utils.clip_grad_norm_(tensors, 1.0)
        super().step()


class MatrixRule(Optimizer):
    """Steps along the sign of the singular directions of matrices, as Muon does, and of vectors as they are."""

    def __init__(self, params: Iterable[Tensor], lr: float) -> None:
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for tensor in group["params"]:
                motion = tensor.grad
                if tensor.ndim == 2:
                    left, _, right = torch.linalg.svd(motion, full_matrices=False)
                    motion = left @ right
                tensor.sub_(motion, alpha=group["lr"])


class Averaging(Optimizer):
    """Gradient descent that means the average of its iterates to be used, as schedule-free rules do."""

    def __init__(self, params: Iterable[Tensor], lr: float) -> None:
        super().__init__(params, {"lr": lr, "training": True, "count": 0})

    def eval(self) -> None:
        self._exchange(training=False)

    def train(self) -> None:
        self._exchange(training=True)

    @torch.no_grad()
    def _exchange(self, *, training: bool) -> None:
        for group in self.param_groups:
            if group["training"] != training:
                for tensor in group["params"]:
                    average = self.state[tensor].get("average")
                    if average is not None:
                        kept = tensor.clone()
                        tensor.copy_(average)
                        average.copy_(kept)
                group["training"] = training

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            group["count"] += 1
            for tensor in group["params"]:
                average = self.state[tensor].setdefault("average", torch.zeros_like(tensor))
                tensor.sub_(tensor.grad, alpha=group["lr"])
                average.lerp_(tensor, 1 / group["count"])


class Forgetful(SGD):
    """Remembers how often it stepped in a place that no state_dict holds."""

    count = 0

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        self.count += 1
        for group in self.param_groups:
            for tensor in group["params"]:
                tensor.sub_(tensor.grad, alpha=group["lr"] / self.count)


class Dicing(SGD):
    """Draws noise from the global generator."""

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        super().step()
        for group in self.param_groups:
            for tensor in group["params"]:
                tensor.add_(torch.randn_like(tensor))


class DicingElsewhere(SGD):
    """Draws from the system's generator, which nobody can seed for it."""

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        super().step()
        for group in self.param_groups:
            for tensor in group["params"]:
                tensor.mul_(1.0 + 0.01 * random.SystemRandom().random())


class Raising(SGD):
    """Cannot step."""

    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        raise RuntimeError("no step today")


def two_groups(named: list[tuple[str, Tensor]], lr: float) -> Optimizer:
    """Weights at the rate, biases at a tenth of it."""
    weights = [tensor for name, tensor in named if name.endswith("weight")]
    biases = [tensor for name, tensor in named if name.endswith("bias")]
    groups: list[dict[str, Any]] = [{"params": weights}, {"params": biases, "lr": lr / 10}]
    return Adam(groups, lr=lr)


def nothing(named: list[tuple[str, Tensor]], lr: float) -> str:
    """No optimizer at all."""
    return "nothing"


class ForgetfulAverage(Averaging):
    """The same averages, with its count in a place that no state_dict holds."""

    steps = 0

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        self.steps += 1
        for group in self.param_groups:
            group["count"] = self.steps - 1
        super().step()


def weights_only(named: list[tuple[str, Tensor]], lr: float) -> Optimizer:
    """Leaves the biases to nobody."""
    return SGD([tensor for name, tensor in named if name.endswith("weight")], lr=lr)


def small_gradients(named: list[tuple[str, Tensor]], lr: float, eps: float = 1e-8) -> Optimizer:
    """Adam as it sees a loss that is averaged over a million."""
    optimizer = Adam([tensor for _, tensor in named], lr=lr, eps=eps)

    def average(own: Optimizer, args: Any, kwargs: Any) -> None:
        for group in own.param_groups:
            for tensor in group["params"]:
                tensor.grad.mul_(1e-6)

    optimizer.register_step_pre_hook(average)
    return optimizer


class Strict(Averaging):
    """Refuses to step before it is told to train, as schedule-free rules do."""

    def __init__(self, params: Iterable[Tensor], lr: float) -> None:
        super().__init__(params, lr)
        for group in self.param_groups:
            group["training"] = False

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        if not all(group["training"] for group in self.param_groups):
            raise RuntimeError("not in train mode")
        super().step()


class EveryFifth(SGD):
    """Gradient descent whose every fifth step is twice as long."""

    def __init__(self, params: Iterable[Tensor], lr: float) -> None:
        super().__init__(params, lr=lr)
        self.param_groups[0]["done"] = 0

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        group = self.param_groups[0]
        longer = group["lr"] * (2.0 if group["done"] % 5 == 4 else 1.0)
        for tensor in group["params"]:
            tensor.sub_(longer * tensor.grad)
        group["done"] += 1


class Leaks(SGD):
    """Keeps every gradient that it ever saw, where no state_dict shows it."""

    def __init__(self, params: Iterable[Tensor], lr: float) -> None:
        super().__init__(params, lr=lr)
        self._seen: list[Tensor] = []

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        self._seen += [tensor.grad.clone() for tensor in self.param_groups[0]["params"]]
        super().step()


class LosesNumbers(SGD):
    """Takes one step in a few thousand, at random and the same for the same seed, to where there are no numbers."""

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        super().step()
        if random.random() < 1e-4:
            for tensor in self.param_groups[0]["params"]:
                tensor.fill_(torch.nan)


class SmallOnly(SGD):
    """Moves the parameters that are small, as sparse fine-tuning does, and leaves the others."""

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for tensor in group["params"]:
                tensor.sub_(group["lr"] * tensor.grad * (tensor.abs() < 2e-3))


class NoiseBeforeClosure(SGD):
    """Noise from a generator of its own on gradients, which a closure would make anew."""

    def __init__(self, params: Iterable[Tensor], lr: float) -> None:
        super().__init__(params, lr=lr)
        self.noise = np.random.default_rng()

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        for group in self.param_groups:
            for tensor in group["params"]:
                if tensor.grad is not None:
                    tensor.grad.add_(
                        torch.as_tensor(self.noise.normal(0.0, 100.0, tuple(tensor.shape)), dtype=tensor.dtype)
                    )
        return super().step(closure)


class CountBeforeClosure(SGD):
    """A thousand times the gradient at every third call, counted over all instances."""

    calls = 0

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        CountBeforeClosure.calls += 1
        for group in self.param_groups:
            for tensor in group["params"]:
                if tensor.grad is not None and CountBeforeClosure.calls % 3 == 0:
                    tensor.grad.mul_(1_000.0)
        return super().step(closure)


class LeavesAtOnce(SGD):
    """Ends the process as if all were well."""

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        raise SystemExit(0)


def leaves_when_made(named: Any, lr: float) -> Optimizer:
    """As above, before there is an optimizer."""
    raise SystemExit(0)


class Unsaid(Exception):
    """An error that cannot be turned into text."""

    def __str__(self) -> str:
        raise RuntimeError


class Unspeakable(SGD):
    """Raises it."""

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        raise Unsaid


class WantsItsLoss(SGD):
    """Its step takes the loss, and no closure."""

    @torch.no_grad()
    def step(self, loss: Tensor) -> None:  # type: ignore[override]
        if loss.item() > 0:
            super().step()
