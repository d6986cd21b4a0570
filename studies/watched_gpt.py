"""The training shown in docs/how-to/watch.md: `python studies/watched_gpt.py gpt.jsonl`, then `spikecheck watch gpt.jsonl`.

A small causal transformer on the characters of Python's own help texts, AdamW. Five batches from step 400 on have random
labels; at ten steps from 600 on the learning rate is thirty times too high. Half a minute on one core.
"""

import sys
from pydoc_data.topics import topics

import torch
from torch import Tensor, nn

from spikecheck import Watch

_CONTEXT, _WIDTH, _STEPS = 32, 64, 800


class GPT(nn.Module):
    """Two causal encoder layers between embedding and head."""

    def __init__(self, letters: int) -> None:
        super().__init__()
        self.embed, self.place = nn.Embedding(letters, _WIDTH), nn.Parameter(0.02 * torch.randn(_CONTEXT, _WIDTH))
        layer = nn.TransformerEncoderLayer(_WIDTH, 4, 4 * _WIDTH, dropout=0.0, batch_first=True, norm_first=True)
        self.body = nn.TransformerEncoder(layer, 2, nn.LayerNorm(_WIDTH), enable_nested_tensor=False)
        self.head = nn.Linear(_WIDTH, letters, bias=False)
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(_CONTEXT))

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits."""
        logits: Tensor = self.head(self.body(self.embed(tokens) + self.place, mask=self.mask, is_causal=True))
        return logits


def main() -> None:
    """Train, and watch."""
    torch.manual_seed(0)
    text = "\n".join(topics.values())
    letters = sorted(set(text))
    numbers = {letter: number for number, letter in enumerate(letters)}
    corpus = torch.tensor([numbers[letter] for letter in text])
    model = GPT(len(letters))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    watch = Watch(model, optimizer, log=sys.argv[1], every=5)
    for step in range(_STEPS):
        starts = torch.randint(0, len(corpus) - _CONTEXT - 1, (16,))
        chunks = torch.stack([corpus[start : start + _CONTEXT + 1] for start in starts])
        x, y = chunks[:, :-1], chunks[:, 1:]
        if 400 <= step < 405:
            y = torch.randint(0, len(letters), y.shape)
        optimizer.param_groups[0]["lr"] = 9e-2 if 600 <= step < 610 else 3e-3

        def loss_of(x: Tensor = x, y: Tensor = y) -> Tensor:
            return nn.functional.cross_entropy(model(x).flatten(0, 1), y.flatten())

        loss = loss_of()
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        watch.step(loss, loss_of, batch=[x, y])
    watch.close()


if __name__ == "__main__":
    main()
