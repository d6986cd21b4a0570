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

rank, port, folder, watched = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=port, RANK=str(rank), WORLD_SIZE="2")
torch.distributed.init_process_group("gloo")
torch.manual_seed(0)
inner = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.Tanh(), nn.Linear(16, 1))
model = DistributedDataParallel(inner)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
looks = watched == "both" or watched == "first" and rank == 0
watch = Watch(model, optimizer, log=f"{folder}/{rank}.jsonl", every=2, show=False) if looks else None
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
print(json.dumps([p.tolist() for p in inner.state_dict().values()]))
torch.distributed.destroy_process_group()
"""


def train(folder: Path, watched: str, port: int) -> list[object]:
    folder.mkdir()
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT]
    processes = [
        subprocess.Popen([*command, str(rank), str(port), str(folder), watched], stdout=subprocess.PIPE, text=True)
        for rank in range(2)
    ]
    return [json.loads(process.communicate(timeout=120)[0]) for process in processes]


def test_both_or_one_of_two_processes_watch(tmp_path: Path) -> None:
    bare = train(tmp_path / "none", "none", 29_611)
    assert train(tmp_path / "both", "both", 29_612) == bare
    assert train(tmp_path / "first", "first", 29_613) == bare
    assert not (tmp_path / "both" / "1.jsonl").exists()
    steps = [json.loads(line) for line in (tmp_path / "both" / "0.jsonl").read_text().splitlines()[1:]]
    looks = [step["look"] for step in steps if "look" in step]
    assert len(steps) == 12 and len(looks) == 6
    assert {look.get("slope_from") for look in looks} == {"gradient"}  # both are means over the processes
    assert all("overshoot" in look for look in looks)
