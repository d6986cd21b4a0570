"""A watched model can be copied: no hook of the Watch goes with it."""

import copy
import pickle
from functools import partial
from typing import Any

import torch

from spikecheck import Watch
from tests.watch.trainings import LOOPS


def _right(model: Any, x: torch.Tensor) -> torch.Tensor:
    return (model(x) - 1.0).square().mean()


def test_a_watched_model_can_be_copied_and_pickled() -> None:
    for name in ("dropout, drawn batches", "adamw"):
        loop = LOOPS[name]
        torch.manual_seed(0)
        model = loop.model()
        optimizer = loop.optimizer(model.parameters())
        watch = Watch(model, optimizer, every=1, show=False)
        for _ in range(3):
            x = torch.randn(16, 4)
            loss = _right(model, x)
            loss.backward()
            optimizer.step()
            watch.step(loss, partial(_right, model, x))
        assert bool(model._forward_pre_hooks) == (name != "adamw")
        for copied in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
            assert all(map(torch.equal, copied.parameters(), model.parameters()))
            copied.train()(x)
        assert pickle.dumps(optimizer)
        watch.close()
