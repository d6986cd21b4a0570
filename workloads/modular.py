"""Addition modulo a prime, learned from half of all sums: the task on which transformers were seen to grok.

Source of the task: Power et al., arXiv 2201.02177. Under Adam without weight decay, late in such trainings, the norm of the
last layer grows in bursts and the loss spikes: the slingshots of arXiv 2206.04817.
"""

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from spikecheck.tensors.seeding import generator_of
from spikecheck.watch.training import Training

from .gpt import GPT, SIZES
from .parts import MakeOptimizer, count, of_size

_PRIME = {"tiny": 23, "small": 97, "medium": 97, "large": 97, "huge": 97}
_MOST = 512
"""Sums a step, as in the source; all of them where there are fewer."""
_WARMUP = 10


def modular(
    make_optimizer: MakeOptimizer | None, seed: int, device: str, *, size: str = "tiny", dropout: float = 0.0
) -> Training:
    """A small transformer that reads "a + b =" and learns (a + b) mod p; loss in nats a sum, chance is ln p.

    Args:
        make_optimizer: called with the named parameters; None for Adam without weight decay.
        seed: of the initial weights, of which half of the sums is trained on, of the batches and of dropout.
        device: such as "cpu" or "cuda".
        size: "tiny" (p = 23, 1e4 parameters), "small" (p = 97, 1e5), "medium" (1e6), "large" (1e7) or "huge" (1e8).
        dropout: share of activations set to zero.
    """
    torch.manual_seed(seed)
    shape, prime = of_size(size, SIZES), _PRIME[size]
    model = GPT(prime + 2, 4, *shape, dropout=dropout).to(device)
    default = torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.9, 0.98))
    optimizer = default if make_optimizer is None else make_optimizer(model.named_parameters())
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / _WARMUP))
    questions, sums = _half_of_all(prime, seed)
    batch = min(_MOST, len(sums))

    def loss_of(pair: list[Tensor]) -> Tensor:
        answers = model(pair[0].to(device))[:, -1]
        return functional.cross_entropy(answers, pair[1].to(device))

    def step(pair: list[Tensor]) -> Tensor:
        loss = loss_of(pair)
        loss.backward()
        optimizer.step()
        scheduler.step()
        optimizer.zero_grad()
        return loss

    return Training(
        step=step,
        batches=DataLoader(TensorDataset(questions, sums), batch_size=batch, shuffle=True),
        state={"model": model, "optimizer": optimizer, "scheduler": scheduler},
        loss=loss_of,
        about={"parameters": count(model), "prime": prime, "samples a step": batch},
    )


def _half_of_all(prime: int, seed: int) -> tuple[Tensor, Tensor]:
    """Questions [N, 4] as tokens, where p is the plus and p + 1 the equals sign, and answers [N]."""
    a, b = torch.cartesian_prod(torch.arange(prime), torch.arange(prime)).unbind(1)
    signs = torch.full_like(a, prime)
    questions = torch.stack([a, signs, b, signs + 1], 1)
    chosen = torch.randperm(len(a), generator=generator_of(seed, "modular"))[: len(a) // 2]
    return questions[chosen], ((a + b) % prime)[chosen]
