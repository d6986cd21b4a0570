"""What a Watch costs: `python studies/watch_cost.py [--device cuda] [--width 256] [--layers 2] [--batch 16] [--clip 1]`.

A transformer on random tokens, trained by AdamW in blocks of 40 steps, in turns without and with a Watch at its default
cadence and a log. Printed: the median time of a step each way, the ratio of paired blocks with its quartiles, and on a
GPU the peak of its memory each way.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from spikecheck import Watch

_BLOCK, _VOCABULARY = 40, 1_000


class Transformer(nn.Module):
    """Embedding, encoder layers, and a head over the vocabulary."""

    def __init__(self, width: int, layers: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(_VOCABULARY, width)
        layer = nn.TransformerEncoderLayer(
            width, width // 64, 4 * width, dropout=0.0, batch_first=True, norm_first=True
        )
        self.body = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.head = nn.Linear(width, _VOCABULARY)

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits."""
        logits: Tensor = self.head(self.body(self.embed(tokens)))
        return logits


class Loop:
    """One training, with or without a Watch."""

    def __init__(self, options: argparse.Namespace, log: Path | None) -> None:
        torch.manual_seed(0)
        self.device, self.clip, self.bf16 = torch.device(options.device), options.clip, options.bf16
        self.model = Transformer(options.width, options.layers).to(self.device)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-4)
        self.watch = None if log is None else Watch(self.model, self.optimizer, log=log, show=False)
        self.shape = (options.batch, options.context)

    def block(self) -> float:
        """Seconds of a block: on a CPU of its processors, which others that are busy there disturb less."""
        clock = time.process_time if self.device.type == "cpu" else time.perf_counter
        self._wait()
        began = clock()
        for _ in range(_BLOCK):
            self._step(torch.randint(0, _VOCABULARY, self.shape, device=self.device))
        self._wait()
        return clock() - began

    def _step(self, tokens: Tensor) -> None:
        def loss_of() -> Tensor:
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
                logits = self.model(tokens[:, :-1])
            return nn.functional.cross_entropy(logits.float().flatten(0, 1), tokens[:, 1:].flatten())

        loss = loss_of()
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        if self.clip:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
        self.optimizer.step()
        if self.watch is not None:
            self.watch.step(loss, loss_of)

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()


def peak(run: Callable[[], object]) -> float:
    """GiB that a run needs at its peak on the GPU; 0 elsewhere."""
    if not torch.cuda.is_available():
        return 0.0
    torch.cuda.reset_peak_memory_stats()
    run()
    return torch.cuda.max_memory_allocated() / 2**30


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cpu")
    for name, default in (("width", 256), ("layers", 2), ("batch", 16), ("context", 65), ("pairs", 10)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--clip", type=float, default=0.0)
    parser.add_argument("--bf16", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        # One after the other for the memory: two models at once would hide it.
        peaks = [peak(Loop(options, log).block) for log in (None, Path(folder) / "memory.jsonl")]
        bare, watched = Loop(options, None), Loop(options, Path(folder) / "log.jsonl")
        for loop in (bare, watched):
            loop.block()  # warms up, and makes the first looks, which check more
        pairs = np.array([(bare.block(), watched.block()) for _ in range(options.pairs)])
    size = sum(parameter.numel() for parameter in bare.model.parameters())
    ratio = np.quantile(pairs[:, 1] / pairs[:, 0], (0.25, 0.5, 0.75))
    name = torch.cuda.get_device_name() if options.device == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    print(f"{size:,} parameters ({4 * size / 2**30:.2f} GiB), {name}; {vars(options)}")
    print(
        f"a step: {1e3 * np.median(pairs[:, 0]) / _BLOCK:.2f} ms bare, {1e3 * np.median(pairs[:, 1]) / _BLOCK:.2f} ms watched"
    )
    print(
        f"ratio: {ratio[1]:.3f} (quartiles {ratio[0]:.3f} to {ratio[2]:.3f}, {options.pairs} pairs of {_BLOCK} steps)"
    )
    if options.device == "cuda":
        print(f"peak on the GPU: {peaks[0]:.2f} GiB bare, {peaks[1]:.2f} GiB watched")


if __name__ == "__main__":
    main()
