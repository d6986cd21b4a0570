"""With the real wandb, offline: `nox -s integrations`."""

import json
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import wandb
from torch import nn
from wandb.proto.wandb_internal_pb2 import Record

from spikecheck import Watch

_BLOCK, _HEADER = 32_768, 7
"""Of LevelDB's log format, behind W&B's own header of seven bytes; each part of a record has a header of seven too."""
_WHOLE, _LAST = 1, 4


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"MODE": "offline", "SILENT": "true"}.items():
        monkeypatch.setenv(f"WANDB_{name}", value)


def records(content: bytes) -> Iterator[bytes]:
    at, record = _HEADER, b""
    while at + _HEADER <= len(content):
        left = _BLOCK - at % _BLOCK
        if left < _HEADER:
            at += left
            continue
        length, kind = int.from_bytes(content[at + 4 : at + 6], "little"), content[at + 6]
        record += content[at + _HEADER : at + _HEADER + length]
        at += _HEADER + length
        if kind in (_WHOLE, _LAST):
            yield record
            record = b""


def written(run: Any) -> list[Any]:
    """All records of a run; its service may write the last ones a little after `finish` returned."""
    run.finish()
    until = time.monotonic() + 60.0
    while time.monotonic() < until:
        kept = [Record.FromString(content) for content in records(Path(run.settings.sync_file).read_bytes())]
        if any(record.WhichOneof("record_type") == "exit" for record in kept):
            return kept
        time.sleep(0.1)
    raise TimeoutError(run.settings.sync_file)


def rows(run: Any) -> list[dict[str, Any]]:
    """What the run logged, without times."""
    histories = [one.history.item for one in written(run) if one.WhichOneof("record_type") == "history"]
    named = [{item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in one} for one in histories]
    return [{name: value for name, value in row.items() if name not in ("_timestamp", "_runtime")} for row in named]


def train(steps: int, report: Callable[[int, float], None], **options: Any) -> None:
    torch.manual_seed(0)
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x = torch.randn(8, 2)
    watch = Watch(model, optimizer, every=2, show=False, **options) if options else None
    for step in range(steps):
        loss = model(x).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if watch is not None:
            watch.step(loss, lambda: model(x).square().mean())
        report(step, float(loss.detach()))
    if watch is not None:
        watch.close()


def begun(folder: Path, **options: Any) -> Any:
    return wandb.init(project="tests", dir=str(folder), **options)


LOGS: dict[str, Callable[[Any], Callable[[int, float], None]]] = {
    "a row a step": lambda run: lambda step, loss: run.log({"loss": loss}),
    "steps of its own": lambda run: lambda step, loss: run.log({"loss": loss}, step=3 * step),
    "every third step": lambda run: lambda step, loss: run.log({"loss": loss}) if step % 3 == 2 else None,
}


@pytest.mark.parametrize("name", LOGS)
def test_the_users_own_rows_stay_as_they_were(name: str, tmp_path: Path) -> None:
    bare = begun(tmp_path)
    train(6, LOGS[name](bare))
    expected = rows(bare)
    watched = begun(tmp_path)
    train(6, LOGS[name](watched), wandb=True)
    shared = rows(watched)
    own = [{key: value for key, value in row.items() if not key.startswith("spikecheck/")} for row in shared]
    assert own == expected
    assert any("spikecheck/overshoot" in row for row in shared)


def test_every_step_has_a_row_where_the_loop_logs_one(tmp_path: Path) -> None:
    run = begun(tmp_path)
    train(6, LOGS["a row a step"](run), wandb=True)
    shared = rows(run)
    assert [row["spikecheck/step"] for row in shared] == list(range(6))
    assert [row["spikecheck/loss"] for row in shared] == pytest.approx([row["loss"] for row in shared])
    assert ["spikecheck/overshoot" in row for row in shared] == [True, False] * 3


def test_a_run_of_its_own_gets_every_step_whatever_the_loop_logs(tmp_path: Path) -> None:
    users, own = begun(tmp_path), begun(tmp_path, reinit="create_new")
    train(6, lambda step, loss: users.log({"loss": loss}, step=3 * step), wandb=own)
    assert [row["spikecheck/step"] for row in rows(own)] == list(range(6))
    assert [set(row) for row in rows(users)] == [{"loss", "_step"}] * 6


def test_figures_that_overwrite_one_another_are_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    run = begun(tmp_path)
    with caplog.at_level(logging.WARNING, "spikecheck.watch"):
        train(250, lambda step, loss: None, wandb=True)
    said = [record.getMessage() for record in caplog.records if record.name == "spikecheck.watch"]
    assert [message.split(";")[0] for message in said] == [
        "wandb=True: 100 steps share one row of W&B, which keeps the last"
    ]
    assert [row["spikecheck/step"] for row in rows(run)] == [249]
