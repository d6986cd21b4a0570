"""A small GPT that learns to continue text, letter by letter: the text of Python's own help topics.

Pre-norm blocks of causal attention and a GELU layer as in GPT-2; AdamW with warm-up, cosine decay and clipping, as such
models are usually trained. Text differs between versions of Python, so its digest belongs to every record.
"""

import hashlib
from functools import cache
from pydoc_data.topics import topics
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from spikecheck.tensors.seeding import generator_of
from spikecheck.watch.batches import NumberedBatches
from spikecheck.watch.training import Training

from .parts import MakeOptimizer, count, of_size, warmup_cosine

SIZES = {
    "tiny": (1, 24, 4),
    "small": (2, 64, 4),
    "medium": (4, 144, 4),
    "large": (8, 320, 5),
    "huge": (12, 832, 13),
}
"""Blocks, width and attention heads."""
_CONTEXT = {"tiny": 32, "small": 32, "medium": 64, "large": 128, "huge": 256}
_RATE = {"tiny": 3e-3, "small": 3e-3, "medium": 1e-3, "large": 6e-4, "huge": 3e-4}
"""Peak learning rates of the default AdamW: falling with size, as is usual."""
_WARMUP = 100
_CLIP = 1.0
_PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}

Batch = tuple[Tensor, Tensor]


def gpt(
    make_optimizer: MakeOptimizer | None,
    seed: int,
    device: str,
    *,
    size: str = "tiny",
    steps: int = 2_000,
    batch: int = 16,
    dropout: float = 0.0,
    precision: Literal["float32", "bfloat16", "float16"] = "float32",
) -> Training:
    """A GPT on Python's help topics; loss in nats a letter.

    Args:
        make_optimizer: called with the named parameters; None for AdamW.
        seed: of the initial weights, the batches and dropout.
        device: such as "cpu" or "cuda".
        size: "tiny" (1e4 parameters), "small" (1e5), "medium" (1e6), "large" (1e7) or "huge" (1e8).
        steps: at which the schedule ends.
        batch: sequences a step.
        dropout: share of activations set to zero.
        precision: of the matrix products; float16 with loss scaling.
    """
    torch.manual_seed(seed)
    shape, context = of_size(size, SIZES), _CONTEXT[size]
    letters, known, digest = _text()
    model = GPT(known, context, *shape, dropout=dropout).to(device)
    default = torch.optim.AdamW(model.parameters(), lr=_RATE[size], betas=(0.9, 0.95), weight_decay=0.1)
    optimizer = default if make_optimizer is None else make_optimizer(model.named_parameters())
    scheduler = warmup_cosine(optimizer, _WARMUP, steps)
    kind = torch.device(device).type
    scaler = torch.amp.GradScaler(kind, enabled=precision == "float16")

    def drawn(number: int) -> Batch:
        starts = torch.randint(len(letters) - context, (batch, 1), generator=generator_of(seed, "gpt", number))
        windows = letters[starts + torch.arange(context + 1)].to(device)
        return windows[:, :-1], windows[:, 1:]

    def loss_of(pair: Batch) -> Tensor:
        with torch.autocast(kind, _PRECISIONS[precision], enabled=precision != "float32"):
            logits = model(pair[0])
        return functional.cross_entropy(logits.float().flatten(0, 1), pair[1].flatten())

    def step(pair: Batch) -> Tensor:
        loss = loss_of(pair)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(model.parameters(), _CLIP)
        scaler.step(optimizer)
        scaler.update()
        scheduler.step()
        optimizer.zero_grad()
        return loss

    return Training(
        step=step,
        batches=NumberedBatches(drawn),
        state={"model": model, "optimizer": optimizer, "scheduler": scheduler, "scaler": scaler},
        loss=loss_of,
        about={"parameters": count(model), "text": digest, "tokens a step": batch * context},
    )


class GPT(nn.Module):
    """Logits of the next token at every place."""

    def __init__(self, tokens: int, context: int, blocks: int, width: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.embed, self.place = nn.Embedding(tokens, width), nn.Embedding(context, width)
        self.drop = nn.Dropout(dropout)
        self.blocks = nn.Sequential(*(Block(width, heads, dropout) for _ in range(blocks)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, tokens, bias=False)
        self.apply(_initialise)
        for name, weight in self.named_parameters():
            if name.endswith(("out.weight", "down.weight")):  # as GPT-2: each block adds two of these to its input
                nn.init.normal_(weight, std=0.02 * (2 * blocks) ** -0.5)

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens [B, T] to logits [B, T, tokens]."""
        places = torch.arange(tokens.shape[1], device=tokens.device)
        hidden = self.drop(self.embed(tokens) + self.place(places))
        logits: Tensor = self.head(self.norm(self.blocks(hidden)))
        return logits


class Block(nn.Module):
    """Causal attention and a layer of four times the width, each added to its input."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.before, self.after = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """[B, T, W] to [B, T, W]."""
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in self.qkv(self.before(x)).chunk(3, -1)
        )
        rate = self.dropout if self.training else 0.0
        mixed = functional.scaled_dot_product_attention(query, key, value, dropout_p=rate, is_causal=True)
        x = x + self.drop(self.out(mixed.transpose(1, 2).flatten(2)))
        added: Tensor = x + self.drop(self.down(functional.gelu(self.up(self.after(x)))))
        return added


def unigram_entropy() -> float:
    """Nats a letter that are left to who knows how frequent each letter is, and nothing of its context."""
    letters, _, _ = _text()
    shares = letters.bincount().double() / len(letters)
    return float(-(shares * shares.log()).sum())


@cache
def _text() -> tuple[Tensor, int, str]:
    """The letters as numbers [N], how many kinds there are, and the text's sha256."""
    text = "\n".join(topics[name] for name in sorted(topics))
    kinds, letters = np.unique(np.array(list(text)), return_inverse=True)
    return torch.from_numpy(letters), len(kinds), hashlib.sha256(text.encode()).hexdigest()


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
