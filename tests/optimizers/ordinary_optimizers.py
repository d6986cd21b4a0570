"""Optimizers written as people write them, each with a habit that torch's ordinary loop allows."""

import random
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer

Closure = Callable[[], Any]


class ReplacesData(Optimizer):
    """`p.data = p.data - ...`: every step gives the parameter a new storage."""

    def __init__(self, params: Iterable[Tensor], lr: float) -> None:
        super().__init__(params, {"lr": lr})

    def step(self, closure: Closure | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                p.data = p.data - group["lr"] * p.grad


class ZeroesGradients(Adam):
    """Calls zero_grad() itself when it has stepped."""

    def step(self, closure: Closure | None = None) -> None:  # type: ignore[override]
        super().step()
        self.zero_grad()


class TakesGradients(SGD):
    """Sets `p.grad = None` as it goes through the parameters, as heavyball does."""

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                gradient, p.grad = p.grad, None
                p.add_(gradient, alpha=-group["lr"])


class KeepsGradients(SGD):
    """Remembers the last gradient by reference and averages with it."""

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                before = self.state[p].get("before", p.grad)
                p.add_(p.grad + before, alpha=-group["lr"] / 2)
                self.state[p]["before"] = p.grad


class SharpnessAware(Optimizer):
    """SAM through step(closure); `clears`: zero_grad() between its passes."""

    def __init__(self, params: Iterable[Tensor], lr: float, rho: float = 0.05, clears: bool = False) -> None:
        self.clears = clears
        super().__init__(params, {"lr": lr, "rho": rho})

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> Any:
        if closure is None:
            raise RuntimeError("SharpnessAware needs a closure")
        tensors = [(p, group) for group in self.param_groups for p in group["params"]]
        length = torch.stack([p.grad.norm() for p, _ in tensors]).norm()
        climbs = [p.grad * (group["rho"] / (length + 1e-12)) for p, group in tensors]
        for (p, _), climb in zip(tensors, climbs, strict=True):
            p.add_(climb)
        if self.clears:
            self.zero_grad()
        with torch.enable_grad():
            loss = closure()
        for (p, group), climb in zip(tensors, climbs, strict=True):
            p.sub_(climb)
            p.add_(p.grad, alpha=-group["lr"])
        return loss.item()


class BackwardItself(Optimizer):
    """Calls loss.backward() on what its closure returns, and nothing else."""

    def __init__(self, params: Iterable[Tensor], lr: float) -> None:
        super().__init__(params, {"lr": lr})

    def step(self, closure: Closure | None = None) -> None:  # type: ignore[override]
        if closure is None:
            raise RuntimeError("BackwardItself needs a closure")
        self.zero_grad()
        loss = closure()
        if loss.grad_fn is not None:
            loss.backward()
        with torch.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    p.add_(p.grad, alpha=-group["lr"])


def steps_its_schedule(named: list[tuple[str, nn.Parameter]], lr: float) -> Optimizer:
    """A StepLR that goes on whenever the optimizer steps."""
    optimizer = SGD([p for _, p in named], lr=lr)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=10, gamma=0.5)
    optimizer.register_step_post_hook(lambda *_: schedule.step())
    return optimizer


class LateCoupling(SGD):
    """Elementwise for ten steps; from then on a tensor's gradient is divided by its norm."""

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                made = self.state[p].get("made", 0)
                scale = 1.0 if made < 10 else 1.0 / (p.grad.norm() + 1e-3)
                p.add_(p.grad * scale, alpha=-group["lr"])
                self.state[p]["made"] = made + 1


def by_names(named: list[tuple[str, nn.Parameter]], lr: float) -> Optimizer:
    """Groups by the names of a user's own model, and refuses any other."""
    groups: dict[str, list[nn.Parameter]] = {"body": [], "head": []}
    for name, p in named:
        groups[name.partition(".")[0]].append(p)
    return SGD([{"params": groups["body"], "lr": lr}, {"params": groups["head"], "lr": lr / 2}])


class WithoutRate(Optimizer):
    """Its group has no lr."""

    def __init__(self, params: Iterable[Tensor], lr: float) -> None:
        self.rate = lr
        super().__init__(params, {})

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                p.add_(p.grad, alpha=-self.rate)


class NoRate(WithoutRate):
    """Its group's lr is None."""

    def __init__(self, params: Iterable[Tensor], lr: float) -> None:
        super().__init__(params, lr)
        self.param_groups[0]["lr"] = None


class LateNoise(SGD):
    """Draws from torch's generator from step 50 on."""

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                made = self.state[p].get("made", 0)
                noise = torch.randn_like(p) * 1e-3 if made >= 20 else torch.zeros_like(p)
                p.add_(p.grad + noise, alpha=-group["lr"])
                self.state[p]["made"] = made + 1


class DrawsFromPythonAndNumPy(SGD):
    """Draws from Python's and NumPy's own generators."""

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                drawn = random.random() + float(np.random.random())  # noqa: NPY002
                p.add_(p.grad * (1.0 + drawn), alpha=-group["lr"])


class Counts(SGD):
    """Has a counter of its own."""

    def __init__(self, params: Iterable[Tensor], lr: float) -> None:
        super().__init__(params, lr=lr)
        self.made = 0


class SplitsGroups(Counts):
    """After ten steps its vectors get a group of their own, at twice the rate."""

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> None:  # type: ignore[override]
        self.made += 1
        if self.made == 10:
            (group,) = self.param_groups
            vectors = [p for p in group["params"] if p.ndim == 1]
            group["params"] = [p for p in group["params"] if p.ndim != 1]
            if vectors:
                self.add_param_group({"params": vectors, "lr": 0.1})
        super().step()


class HiddenCounter(Counts):
    """Halves its rate after twenty steps by a counter of its own."""

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> None:  # type: ignore[override]
        self.made += 1
        for group in self.param_groups:
            for p in group["params"]:
                p.add_(p.grad, alpha=-group["lr"] * (0.5 if self.made > 20 else 1.0))


class IntegerStep(Adam):
    """A subclass of Adam with a step of its own that is an int."""

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                state["step"] = state.get("step", 0) + 1
                mean = state.setdefault("exp_avg", torch.zeros_like(p))
                mean.lerp_(p.grad, 0.1)
                p.sub_(mean / (1 - 0.9 ** int(state["step"])), alpha=group["lr"])


class DrawsFromTheSystem(SGD):
    """Draws from the system's generator, which nobody can seed for it, from step 20 on."""

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                made = self.state[p].get("made", 0)
                p.add_(
                    p.grad * (1.0 + (0.1 * random.SystemRandom().random() if made >= 20 else 0.0)), alpha=-group["lr"]
                )
                self.state[p]["made"] = made + 1


class NeverMoves(Optimizer):
    """Computes an update and writes it nowhere."""

    def __init__(self, params: Iterable[Tensor], lr: float) -> None:
        super().__init__(params, {"lr": lr})

    def step(self, closure: Closure | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                _ = p - group["lr"] * p.grad


class ChangesShape(Optimizer):
    """Flattens its parameters."""

    def __init__(self, params: Iterable[Tensor], lr: float) -> None:
        super().__init__(params, {"lr": lr})

    def step(self, closure: Closure | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                p.data = (p.data - group["lr"] * p.grad).reshape(-1)


class DrawsAndHardlyUses(SGD):
    """Draws at every step what it uses in one of ten thousand: two optimizers side by side show no difference for long."""

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        super().step()
        if random.random() < 1e-4:
            for group in self.param_groups:
                for tensor in group["params"]:
                    tensor.zero_()


class MatricesOnly(Optimizer):
    """As Muon's: a step without room for a closure, and an assert without words."""

    def __init__(self, params: Any, lr: float) -> None:
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                assert p.grad.ndim >= 2
                p.sub_(group["lr"] * p.grad)
