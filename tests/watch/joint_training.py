"""One process of several trainings, one after the other: `joint_training.py FOLDER WAY CLIP:WATCHED...`.

By itself or under torchrun. `WAY` is plain, ddp or fsdp; the batch of a step is divided among the processes. Each writes the
parameters at the end of every training: it is several because most of a process's time is torch's import.
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from spikecheck import Watch

STEPS = 30


class Net(nn.Module):
    """Two layers, of sizes that two processes cannot divide evenly, and dropout-free so that the batch can be joined."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(4, 33), nn.Linear(33, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.first(x).tanh())


def wrapped(net: Net, way: str) -> Any:
    if way == "ddp":
        return DistributedDataParallel(net)
    if way == "fsdp":
        from torch.distributed.fsdp import fully_shard  # two seconds, which pytest would pay when it looks for doctests

        fully_shard(net.first)
        fully_shard(net)
    return net


def batches(rank: int, processes: int) -> Iterator[tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(1)
    for _ in range(STEPS):
        x = torch.randn(32, 4, generator=generator)
        part = x.chunk(processes)[rank]
        yield part, part.sin().sum(1, keepdim=True)


def trained(folder: str, way: str, clip: float, watched: str) -> Any:
    """The model after its training, which `watched` says who watches; its parameters are in a file."""
    rank, processes = os.environ.get("RANK", "0"), os.environ.get("WORLD_SIZE", "1")
    name = f"{way}-{clip}-{watched}-{rank}"
    torch.manual_seed(0)
    model = wrapped(Net(), way)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    looks = watched == "all" or (watched, rank) == ("first", "0") or watched == "failing"
    watch = Watch(model, optimizer, log=f"{folder}/{name}.jsonl", every=2, show=False) if looks else None
    for step, (x, y) in enumerate(batches(int(rank), int(processes))):

        def loss_of(x: Tensor = x, y: Tensor = y, step: int = step) -> Tensor:
            if watched == "failing" and step == 10 and rank == "1" and not torch.is_grad_enabled():
                raise RuntimeError("of the second process alone")
            return (model(x) - y).square().mean()

        loss = loss_of()
        optimizer.zero_grad()
        loss.backward()
        if clip:
            nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        if watch is not None:
            watch.step(loss, loss_of)
    if watch is not None:
        watch.close()
    whole = [p.full_tensor() if way == "fsdp" else p for p in model.parameters()]
    Path(folder, f"{name}.json").write_text(json.dumps([p.tolist() for p in whole]))
    return model


def main() -> None:
    folder, way, *trainings = sys.argv[1:]
    together = int(os.environ.get("WORLD_SIZE", "1")) > 1
    if together:
        torch.distributed.init_process_group("gloo")
    models = []
    for training in trainings:
        clip, watched = training.split(":")
        models.append(trained(folder, way, float(clip), watched))
    if together:
        torch.distributed.destroy_process_group()
        # Freeing DDP's reducer can wait for ever in torch 2.13, watched or not: it holds the GIL and joins gloo's threads,
        # of which one needs the GIL. So the process ends before the models are freed.
        assert models
        os._exit(0)


if __name__ == "__main__":
    main()
