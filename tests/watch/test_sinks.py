"""Other places for the figures; what is missing is told before any training."""

import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import nn

from spikecheck import Watch
from spikecheck.core.errors import UsageError


@pytest.mark.parametrize(
    ("option", "module", "says"),
    [
        ({"tensorboard": "events"}, "torch.utils.tensorboard", "pip install tensorboard"),
        ({"wandb": True}, "wandb", "pip install wandb"),
    ],
)
def test_a_missing_package_is_named(
    option: dict[str, object], module: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    model = nn.Linear(1, 1)
    with pytest.raises(UsageError, match=says):
        Watch(model, torch.optim.SGD(model.parameters(), lr=0.1), **option)  # type: ignore[arg-type]


def test_wandb_without_a_run_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    module = ModuleType("wandb")
    module.run = None  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "wandb", module)
    model = nn.Linear(1, 1)
    with pytest.raises(UsageError, match=r"call wandb.init\(\) before"):
        Watch(model, torch.optim.SGD(model.parameters(), lr=0.1), wandb=True)
