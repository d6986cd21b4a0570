"""Optimizers whose habits concern hooks, `zero_grad()`, groups, rates and closures; torch's ordinary loop allows them."""

import sys
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import SGD, Optimizer

Closure = Callable[[], Any]


class Descends(Optimizer):
    """Plain gradient descent where there is a gradient, for others to build on."""

    def __init__(self, params: Iterable[Tensor], lr: Any) -> None:
        super().__init__(params, {"lr": lr})
        self.made = 0

    def tensors(self) -> list[tuple[Tensor, dict[str, Any]]]:
        return [(p, group) for group in self.param_groups for p in group["params"]]

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> None:  # type: ignore[override]
        self.made += 1
        for p, group in self.tensors():
            if p.grad is not None:
                p.sub_(group["lr"] * p.grad)


class ClipsInHooks(Descends):
    """Clips its gradients by hooks on the tensors, which a backward pass runs."""

    def __init__(self, params: Iterable[Tensor], lr: float) -> None:
        super().__init__(params, lr)
        for p, _ in self.tensors():
            p.register_hook(lambda gradient: gradient.clamp(-0.01, 0.01))


class StepsInBackward(Descends):
    """Moves each tensor as soon as its gradient is there; step() does nothing."""

    def __init__(self, params: Iterable[Tensor], lr: float) -> None:
        super().__init__(params, lr)
        for p, _ in self.tensors():
            p.register_post_accumulate_grad_hook(self._move)

    @torch.no_grad()
    def _move(self, p: Tensor) -> None:
        p.sub_(self.param_groups[0]["lr"] * p.grad)
        p.grad = None

    def step(self, closure: Closure | None = None) -> None:  # type: ignore[override]
        pass


class CountsInZeroGrad(Descends):
    """Lowers its rate in zero_grad()."""

    def zero_grad(self, set_to_none: bool = True) -> None:
        super().zero_grad(set_to_none)
        for group in self.param_groups:
            group["lr"] *= 0.99


class DecaysInZeroGrad(Descends):
    """Moves its parameters in zero_grad(), before there is a gradient."""

    def zero_grad(self, set_to_none: bool = True) -> None:
        super().zero_grad(set_to_none)
        with torch.no_grad():
            for p, _ in self.tensors():
                p.mul_(0.999)


class KeepsZeros(Descends):
    """Its zero_grad() leaves half of the last gradient, to which the backward pass adds."""

    def zero_grad(self, set_to_none: bool = True) -> None:
        for p, _ in self.tensors():
            if p.grad is not None:
                p.grad.mul_(0.5)


class FreezesLate(Descends):
    """Freezes its first tensor after twenty steps."""

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> None:  # type: ignore[override]
        super().step()
        if self.made == 20:
            self.tensors()[0][0].requires_grad_(False)


class TensorRate(Descends):
    """Its rate is a tensor, which each step lowers in place."""

    def __init__(self, params: Iterable[Tensor], lr: float) -> None:
        super().__init__(params, torch.tensor(lr, dtype=torch.float64))

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> None:  # type: ignore[override]
        super().step()
        for group in self.param_groups:
            group["lr"].mul_(0.97)


class AveragesLate(SGD):
    """Keeps an average from step 40 on, as stochastic weight averaging does: its state grows late."""

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                state["made"] = state.get("made", 0) + 1
                p.add_(p.grad, alpha=-group["lr"])
                if state["made"] >= 40:
                    state.setdefault("average", p.clone()).lerp_(p, 0.1)


class SharedCount(Descends):
    """Keeps in its state, under a name, what belongs to no parameter."""

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> None:  # type: ignore[override]
        whole = self.state["whole"]  # type: ignore[index]
        whole["made"] = whole.get("made", 0) + 1
        for p, group in self.tensors():
            p.sub_(group["lr"] / (1 + 0.01 * whole["made"]) * p.grad)


class CountsOnTheClass(Descends):
    """Counts the steps of all its instances together."""

    calls = 0

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> None:  # type: ignore[override]
        type(self).calls += 1
        for p, group in self.tensors():
            p.sub_(group["lr"] / (1 + 0.01 * type(self).calls) * p.grad)


class LeavesLate(Descends):
    """Ends the process after thirty steps, as if all were well."""

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> None:  # type: ignore[override]
        super().step()
        if self.made == 30:
            sys.exit(0)


class GoesBackward(Descends):
    """Calls backward() on what its closure returns without looking whether it has been."""

    def step(self, closure: Closure | None = None) -> None:  # type: ignore[override]
        if closure is None:
            raise RuntimeError("GoesBackward needs a closure")
        loss = closure()
        self.zero_grad()
        loss.backward()
        super().step()


class WantsItsClosureLate(Descends):
    """Takes steps without a closure for a while; then it asks for one."""

    def step(self, closure: Closure | None = None) -> None:  # type: ignore[override]
        if self.made >= 10:
            if closure is None:
                raise RuntimeError("WantsItsClosureLate needs a closure by now")
            closure()
        super().step()


class RestsWithoutClosure(Descends):
    """Does nothing where no closure is given."""

    def step(self, closure: Closure | None = None) -> None:  # type: ignore[override]
        if closure is not None:
            closure()
            super().step()


class LooksAhead(Optimizer):
    """A wrapper that shares its inner optimizer's groups and is never initialised as an Optimizer: no state_dict()."""

    def __init__(self, params: Iterable[Tensor], lr: float) -> None:
        self.inner = SGD(params, lr=lr, momentum=0.9)
        self.param_groups, self.state, self.defaults = self.inner.param_groups, self.inner.state, self.inner.defaults
        self.tensors = [p for group in self.param_groups for p in group["params"]]
        self.slow = [p.detach().clone() for p in self.tensors]
        self.made = 0

    def zero_grad(self, set_to_none: bool = True) -> None:
        self.inner.zero_grad(set_to_none)

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> None:  # type: ignore[override]
        self.inner.step()
        self.made += 1
        if self.made % 5 == 0:
            for slow, p in zip(self.slow, self.tensors, strict=True):
                slow.lerp_(p, 0.5)
                p.copy_(slow)
