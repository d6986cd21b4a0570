"""With the real tensorboard: `nox -s integrations`."""

from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.tensorboard import SummaryWriter

from spikecheck import Watch
from spikecheck.watch.columns import read_columns
from spikecheck.watch.diagnosis import diagnose


def test_what_a_watch_writes_is_read_as_columns(tmp_path: Path) -> None:
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x = torch.ones(4, 2)
    losses = []
    with Watch(model, optimizer, every=2, tensorboard=tmp_path, show=False) as watch:
        for _ in range(5):
            loss = model(x).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            watch.step(loss, lambda: model(x).square().mean())
            losses.append(float(loss.detach()))
    columns = read_columns(tmp_path)
    np.testing.assert_allclose(columns["spikecheck/loss"], losses, rtol=1e-6)
    np.testing.assert_array_equal(np.isfinite(columns["spikecheck/overshoot"]), [True, False, True, False, True])


def test_events_of_others_are_diagnosed(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    with SummaryWriter(str(tmp_path)) as writer:
        for step in range(600):
            writer.add_scalar("train/loss", 2.0 + 0.05 * rng.standard_normal() + 3.0 * (400 <= step < 420), step)
            writer.add_scalar("lr", 0.1, step)
    found = diagnose(read_columns(tmp_path), "train/loss", "step")
    assert [one.spike.onset for one in found.spikes] == [400]
