"""Two processes that train one model together, each with batch statistics of its own, are watched."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import os, sys, json, torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from spikecheck import Watch

rank, port, folder = int(sys.argv[1]), sys.argv[2], sys.argv[3]
os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=port, RANK=str(rank), WORLD_SIZE="2")
torch.distributed.init_process_group("gloo")
models = []

def train(watched):
    torch.manual_seed(0)
    inner = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.Tanh(), nn.Linear(16, 1))
    model = DistributedDataParallel(inner)
    models.append(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    looks = watched == "both" or watched == "first" and rank == 0
    log = f"{folder}/{watched}-{rank}.jsonl"
    watch = Watch(model, optimizer, log=log, every=2, show=False) if looks else None
    generator = torch.Generator().manual_seed(rank)
    for _ in range(12):
        x = torch.randn(16, 4, generator=generator)
        loss_of = lambda: (model(x) - x.sin().sum(1, keepdim=True)).square().mean()
        loss = loss_of()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if watch is not None:
            watch.step(loss, loss_of)
    if watch is not None:
        watch.close()
    return [p.tolist() for p in inner.state_dict().values()]

print(json.dumps({watched: train(watched) for watched in ("none", "both", "first")}))
torch.distributed.destroy_process_group()
sys.stdout.flush()
os._exit(0)  # as in joint_training.py, since several models are freed here
"""


def test_both_or_one_of_two_processes_watch(tmp_path: Path) -> None:
    """The same two processes train without a Watch, with two and with one: most of their time is torch's import."""
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT]
    processes = [
        subprocess.Popen([*command, str(rank), "29611", str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for rank in range(2)
    ]
    for process in processes:
        ends = json.loads(process.communicate(timeout=120)[0])
        assert ends["none"] == ends["both"] == ends["first"]
    assert sorted(log.name for log in tmp_path.glob("*.jsonl")) == ["both-0.jsonl", "first-0.jsonl"]
    steps = [json.loads(line) for line in (tmp_path / "both-0.jsonl").read_text().splitlines()[1:]]
    looks = [step["look"] for step in steps if "look" in step]
    assert len(steps) == 12 and len(looks) == 6
    assert {look.get("slope_from") for look in looks} == {"gradient"}  # both are means over the processes
    assert all("overshoot" in look for look in looks)
