"""AdamW written out, with faults that can be switched on one by one: what the gate on workloads must name."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer


class WrittenAdamW(Optimizer):
    """AdamW (arXiv 1711.05101); without a fault its numbers are torch's but for rounding."""

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.1,
        corrected: bool = True,
        decoupled: bool = True,
        without_warmup: int = 0,
    ) -> None:
        """`without_warmup` steps are made at the scheduler's peak rate, whatever the scheduler says."""
        numbers = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, {**numbers, "step": 0})
        self.corrected, self.decoupled, self.without_warmup = corrected, decoupled, without_warmup

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """One update of every parameter."""
        for group in self.param_groups:
            group["step"] += 1
            rate = group["initial_lr"] if group["step"] <= self.without_warmup else group["lr"]
            for tensor in group["params"]:
                self._move(tensor, rate, group)

    def _move(self, tensor: Tensor, rate: float, group: dict[str, Any]) -> None:
        state, (beta1, beta2), decay = self.state[tensor], group["betas"], group["weight_decay"]
        gradient = tensor.grad if self.decoupled else tensor.grad + decay * tensor
        if self.decoupled:
            tensor.mul_(1 - rate * decay)
        mean = state.setdefault("mean", torch.zeros_like(tensor))
        square = state.setdefault("square", torch.zeros_like(tensor))
        mean.mul_(beta1).add_(gradient, alpha=1 - beta1)
        square.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        unbiased1, unbiased2 = (1 - beta ** group["step"] if self.corrected else 1.0 for beta in (beta1, beta2))
        tensor.sub_(rate * (mean / unbiased1) / ((square / unbiased2).sqrt() + group["eps"]))
