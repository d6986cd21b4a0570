"""Between looks a Watch does not wait for the GPU, and a look leaves its generator alone."""

from pathlib import Path

import torch
from torch import nn

from spikecheck import Watch
from spikecheck.watch.log import WatchLog


def train(log: Path | None) -> tuple[list[torch.Tensor], torch.Tensor]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 64), nn.Dropout(0.2), nn.Tanh(), nn.Linear(64, 1)).cuda()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    watch = None if log is None else Watch(model, optimizer, log=log, every=10, show=False)
    for step in range(40):
        torch.cuda.set_sync_debug_mode("default" if step % 10 == 0 else "error")
        x = torch.randn(32, 8, device="cuda")

        def loss_of(x: torch.Tensor = x) -> torch.Tensor:
            return (model(x) - 1.0).square().mean()

        loss = loss_of()
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        if watch is not None:
            watch.step(loss, loss_of)
    torch.cuda.set_sync_debug_mode("default")
    if watch is not None:
        watch.close()
    return [p.detach().clone() for p in model.parameters()], torch.cuda.get_rng_state()


def test_a_training_on_the_gpu_is_watched_and_not_changed(tmp_path: Path) -> None:
    (bare, state), (watched, state_watched) = train(None), train(tmp_path / "log.jsonl")
    assert all(map(torch.equal, bare, watched))
    assert torch.equal(state, state_watched)
    looks = [step.look for step in WatchLog.open(tmp_path / "log.jsonl").ordered() if step.look is not None]
    assert len(looks) == 4
    # Batches are drawn on the GPU within the step: dropout's masks are found at the second look.
    assert sum(look.overshoot is not None for look in looks) >= 3
