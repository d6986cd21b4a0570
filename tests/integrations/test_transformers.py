"""With the real transformers: `nox -s integrations`."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments, set_seed

from spikecheck.integrations.transformers import WatchCallback
from spikecheck.watch.log import WatchLog


def train(folder: Path, watch: bool, **options: Any) -> tuple[dict[str, Tensor], Tensor]:
    set_seed(0)
    model = GPT2LMHeadModel(GPT2Config(vocab_size=50, n_positions=16, n_embd=32, n_layer=1, n_head=2))
    tokens = torch.randint(0, 50, (64, 16))
    data = [{"input_ids": row, "labels": row} for row in tokens]
    callbacks = [WatchCallback(log=folder / "log.jsonl", every=2, show=False)] if watch else []
    arguments = TrainingArguments(
        output_dir=str(folder / "out"), per_device_train_batch_size=4, num_train_epochs=2, use_cpu=True, save_strategy="no",
        report_to=[], disable_tqdm=True, logging_steps=1000, learning_rate=1e-3, **options,
    )  # fmt: skip
    Trainer(model=model, args=arguments, train_dataset=data, callbacks=callbacks).train()
    return {name: value.clone() for name, value in model.state_dict().items()}, torch.get_rng_state()


@pytest.mark.parametrize("options", [{}, {"gradient_accumulation_steps": 2}, {"bf16": True}], ids=str)
def test_a_training_is_watched_and_not_changed(options: dict[str, Any], tmp_path: Path) -> None:
    (without, state), (watched, state_watched) = train(tmp_path, False, **options), train(tmp_path, True, **options)
    assert all(torch.equal(without[name], watched[name]) for name in without)
    assert torch.equal(state, state_watched)
    steps = list(WatchLog.open(tmp_path / "log.jsonl").ordered())
    assert len(steps) == 32 // options.get("gradient_accumulation_steps", 1)
    looks = [step.look for step in steps if step.look is not None]
    resolved = [look.overshoot for look in looks if look.overshoot is not None]
    if options.get("bf16"):
        reasons = {look.unresolved for look in looks if look.overshoot is None}
        assert reasons <= {"the change of the loss is lost in rounding", "the update does not descend on its own batch"}
    else:
        assert len(resolved) >= len(looks) // 2
