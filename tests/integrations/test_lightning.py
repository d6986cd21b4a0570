"""With the real Lightning: `nox -s integrations`."""

from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer, seed_everything
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from spikecheck.integrations.lightning import WatchCallback
from spikecheck.watch.log import WatchLog


class Regression(LightningModule):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 16), nn.Dropout(0.2), nn.BatchNorm1d(16), nn.Tanh(), nn.Linear(16, 1))

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        x, y = batch
        loss = (self.net(x) - y).square().mean()
        self.log("loss", loss)
        return loss

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.AdamW(self.parameters(), lr=0.01)
        return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, 1)]


def fit(folder: Path, watch: bool, **options: Any) -> tuple[dict[str, Tensor], Tensor]:
    seed_everything(0)
    x = torch.randn(256, 4)
    loader = DataLoader(TensorDataset(x, x.sin().sum(1, keepdim=True)), batch_size=16, shuffle=True)
    model = Regression()
    callbacks = [WatchCallback(log=folder / "log.jsonl", every=2, show=False)] if watch else []
    quiet = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    Trainer(max_epochs=2, callbacks=callbacks, accelerator="cpu", **quiet, **options).fit(model, loader)
    return {name: value.clone() for name, value in model.state_dict().items()}, torch.get_rng_state()


@pytest.mark.parametrize("options", [{}, {"accumulate_grad_batches": 2}, {"gradient_clip_val": 0.1}], ids=str)
def test_a_fit_is_watched_and_not_changed(options: dict[str, Any], tmp_path: Path) -> None:
    (without, state), (watched, state_watched) = fit(tmp_path, False, **options), fit(tmp_path, True, **options)
    assert all(torch.equal(without[name], watched[name]) for name in without)
    assert torch.equal(state, state_watched)
    steps = list(WatchLog.open(tmp_path / "log.jsonl").ordered())
    assert len(steps) == 32 // options.get("accumulate_grad_batches", 1)
    looks = [step.look for step in steps if step.look is not None]
    resolved = [look.overshoot for look in looks if look.overshoot is not None]
    assert len(resolved) >= len(looks) // 2
    assert {0.01, 0.001} == {round(step.lr[0], 9) for step in steps}
