"""What a Watch costs: `python studies/watch_cost.py [--workloads gpt resnet] [--sizes small medium] [--pairs 3]`.

Three trainings of each kind run in turns of 20 steps: one bare, one with a Watch at its default cadence and a log, and one
that makes the forward passes of the looks and nothing else: one at every tenth step, four at every twentieth of these. The
last is the least that a Watch can cost. Printed, by workload and size: the time of a bare step, and the ratios of the other
two trainings to the bare one over 200 steps, the median with its quartiles. Every round makes the three trainings anew, in
another order. A GPU's peak of memory is printed each way.

Without `--workloads` the training is a transformer on random tokens under AdamW, sized by `--width`, `--layers`, `--batch`
and `--context`; `--clip` clips its gradients, `--bf16` makes its matrix products in bfloat16.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spikecheck import Training, Watch
from spikecheck.watch.batches import NumberedBatches
from spikecheck.watch.workload import Workload

_VOCABULARY = 1_000
_EVERY, _FIRST, _AGAIN = 10, 3, 20
"""Steps between looks, and which looks check: the first three, and every twentieth."""
_TURN, _PERIOD = 2 * _EVERY, _AGAIN * _EVERY
"""Steps of a turn, and of a pair: every pair has one look that checks."""

Make = Callable[[], Training]
Row = tuple[float, float, float]
"""Seconds of one pair: bare, watched, with the passes alone."""


def passes_of(look: int) -> int:
    """Forward passes of a look; looks are numbered from 0.

    >>> [passes_of(look) for look in (0, 2, 3, 19, 20, 21)]
    [4, 4, 1, 1, 4, 1]
    """
    return 4 if look < _FIRST or look % _AGAIN == 0 else 1


class Arm:
    """One training: bare, with a Watch where it is given a log, or with the looks' forward passes alone."""

    def __init__(self, make: Make, log: Path | None = None, *, passes: bool = False) -> None:
        self.training = make()
        self.watch = None if log is None else Watch.of(self.training, log=log, show=False)
        self._passes = passes
        self._batch: Any = None
        self._device = next(self.training.model.parameters()).device

    def turn(self) -> float:
        """Seconds of 20 steps: on a CPU of its processors, which others that are busy there disturb less."""
        clock = time.process_time if self._device.type == "cpu" else time.perf_counter
        self._wait()
        began = clock()
        if self._passes:
            self._with_passes()
        else:
            self.training.run(_TURN, None if self.watch is None else self.watch.made)
        self._wait()
        return clock() - began

    def _with_passes(self) -> None:
        with self.training.batches_chosen(self._noted), torch.no_grad():
            for look in range(self.training.steps // _EVERY, (self.training.steps + _TURN) // _EVERY):
                with torch.enable_grad():
                    self.training.run(1)
                for _ in range(passes_of(look)):
                    float(self.training.loss(self._batch))
                with torch.enable_grad():
                    self.training.run(_EVERY - 1)

    def _noted(self, step: int, draw: Callable[[], Any]) -> Any:
        self._batch = draw()
        return self._batch

    def _wait(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize()


def measured(arms: Sequence[Arm], pairs: int, warm_up: int) -> Iterator[Row]:
    """Seconds of the arms over each 200 steps, after so many that are not counted.

    The first looks check more, and the detector of spikes begins its work after 152 steps.
    """
    for _ in range(warm_up // _TURN):
        for arm in arms:
            arm.turn()
    for _ in range(pairs):
        times = np.zeros(len(arms))
        for turn in range(_PERIOD // _TURN):
            for place in range(len(arms)):  # no arm always follows the same one
                arm_number = (place * (1 + turn % 2) + turn) % len(arms)
                times[arm_number] += arms[arm_number].turn()
        bare, watched, passes = times
        yield bare, watched, passes


def line(name: str, size: int, rows: Sequence[Row]) -> str:
    """A row of the table.

    >>> line("gpt, small", 115_328, [(2.0, 2.1, 2.06), (2.0, 2.12, 2.08), (2.0, 2.08, 2.1)])
    '| gpt, small | 115,328 | 10.0 ms | 1.050 (1.045 to 1.055) | 1.040 (1.035 to 1.045) |'
    """
    times = np.array(rows)
    ratios = [np.quantile(times[:, arm] / times[:, 0], (0.25, 0.5, 0.75)) for arm in (1, 2)]
    shown = [f"{middle:.3f} ({low:.3f} to {high:.3f})" for low, middle, high in ratios]
    cells = [name, f"{size:,}", f"{1e3 * np.median(times[:, 0]) / _PERIOD:.1f} ms", *shown]
    return f"| {' | '.join(cells)} |"


def row(name: str, make: Make, options: argparse.Namespace) -> str:
    """Measure one training."""
    rows: list[Row] = []
    for first in range(options.rounds):
        with tempfile.TemporaryDirectory() as folder:
            arms = made(make, Path(folder) / "log.jsonl", first)
            rows += measured(arms, options.pairs, options.warm_up)
    return line(name, sum(parameter.numel() for parameter in arms[0].training.model.parameters()), rows)


def made(make: Make, log: Path, first: int) -> list[Arm]:
    """The arms bare, watched, and with the passes alone; the one with the number `first` is made first.

    Where its numbers lie in memory makes one of three equal trainings up to two percent faster than another.
    """
    ways = [partial(Arm, make), partial(Arm, make, log), partial(Arm, make, passes=True)]
    arms = {number % 3: ways[number % 3]() for number in range(first, first + 3)}
    return [arms[number] for number in range(3)]


def peaks(make: Make) -> str:
    """What a training needs at its peak on the GPU, bare and watched: one after the other, since two models would hide it."""
    with tempfile.TemporaryDirectory() as folder:
        found = [_peak(make, log) for log in (None, Path(folder) / "log.jsonl")]
    return f"peak on the GPU: {found[0]:.2f} GiB bare, {found[1]:.2f} GiB watched"


def _peak(make: Make, log: Path | None) -> float:
    torch.cuda.reset_peak_memory_stats()
    Arm(make, log).turn()
    return torch.cuda.max_memory_allocated() / 2**30


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


def transformer(options: argparse.Namespace) -> Training:
    """On random tokens, trained by AdamW."""
    torch.manual_seed(0)
    device, shape = torch.device(options.device), (options.batch, options.context)
    model = Transformer(options.width, options.layers).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)

    def loss_of(tokens: Tensor) -> Tensor:
        with torch.autocast(device.type, torch.bfloat16, enabled=options.bf16):
            logits = model(tokens[:, :-1])
        return nn.functional.cross_entropy(logits.float().flatten(0, 1), tokens[:, 1:].flatten())

    def step(tokens: Tensor) -> Tensor:
        loss = loss_of(tokens)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        if options.clip:
            nn.utils.clip_grad_norm_(model.parameters(), options.clip)
        optimizer.step()
        return loss

    batches = NumberedBatches(lambda _: torch.randint(0, _VOCABULARY, shape, device=device))
    return Training(step=step, batches=batches, state={"model": model, "optimizer": optimizer}, loss=loss_of)


def asked_for(options: argparse.Namespace) -> Iterator[tuple[str, Make]]:
    """The trainings to measure, by name."""
    if not options.workloads:
        yield f"transformer, width {options.width}", partial(transformer, options)
    for name in options.workloads:
        for size in options.sizes:
            yield f"{name}, {size}", partial(Workload.of(name, {"size": size}).make, None, 0, options.device)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--workloads", nargs="*", default=())
    parser.add_argument("--sizes", nargs="+", default=("small", "medium"))
    numbers = {"width": 256, "layers": 2, "batch": 16, "context": 65, "pairs": 3, "rounds": 3, "threads": 1}
    for name, default in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--warm-up", type=int, default=200)
    parser.add_argument("--clip", type=float, default=0.0)
    parser.add_argument("--bf16", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    name = torch.cuda.get_device_name() if options.device == "cuda" else f"CPU, {options.threads} threads"
    print(f"{name}; {options.rounds} rounds of {options.pairs} times {_PERIOD} steps; {vars(options)}\n")
    print("| training | parameters | a step | watched / bare | forward passes of the looks alone / bare |")
    print("|---|---|---|---|---|", flush=True)
    for what, make in asked_for(options):
        print(row(what, make, options), flush=True)
        if options.device == "cuda":
            print(peaks(make))


if __name__ == "__main__":
    main()
