"""What a Watch refuses before the training, and the one warning after which the training goes on unwatched."""

import logging
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from spikecheck import Watch
from spikecheck.core.errors import UsageError
from spikecheck.watch.log import WatchLog
from tests.watch.trainings import dropout, plain, squared_error, watched_loop


def _raises(model: Any, x: torch.Tensor) -> torch.Tensor:
    raise RuntimeError("out of memory, say")


def _other_batch(model: Any, x: torch.Tensor) -> torch.Tensor:
    return (model(x + 1.0) - 1.0).square().mean()


def _other_mode(model: Any, x: torch.Tensor) -> torch.Tensor:
    model.eval()
    return (model(x) - 1.0).square().mean()


def _leaves(model: Any, x: torch.Tensor) -> torch.Tensor:
    raise SystemExit(0)


def _many(model: Any, x: torch.Tensor) -> torch.Tensor:
    return model(x)


@pytest.mark.parametrize(
    ("closure", "early", "says"),
    [
        (_raises, False, "watching stops, the training goes on: RuntimeError: out of memory, say"),
        (_other_batch, False, r"the closure returned [\d.]+ where watch.step was given the loss [\d.]+; pass the same"),
        (_other_mode, False, r"the closure returned [\d.]+ where watch.step was given the loss [\d.]+; pass the same"),
        (
            squared_error,
            True,
            r"given the loss after the step, [\d.]+ \(it was [\d.]+ before\); call it after optimizer.step",
        ),
        (_leaves, False, "watching stops, the training goes on: SystemExit: 0"),
        (_many, False, r"the closure returned a tensor of shape \(16, 1\); return the loss, one number"),
    ],
)
def test_a_users_mistake_is_told_once_and_the_training_goes_on(
    closure: Any, early: bool, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    model = dropout() if closure is _other_mode else nn.Sequential(plain())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    watch = Watch(model, optimizer, every=1, show=False)
    with caplog.at_level(logging.WARNING, "spikecheck.watch"):
        watched_loop(8, watch, model, optimizer, closure, early)
    assert model.training
    assert len(caplog.records) == 1
    assert re.search(says, caplog.text)
    watch.close()


@pytest.mark.parametrize(
    ("closure", "early", "says"),
    [
        (_other_batch, False, r"the closure returned [\d.]+ where watch.step was given the loss [\d.]+; pass the same"),
        (
            squared_error,
            True,
            r"given the loss after the step, [\d.]+ \(it was [\d.]+ before\); call it after optimizer.step",
        ),
    ],
)
def test_a_model_with_dropout_does_not_hide_a_mistake(
    closure: Any, early: bool, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Regression: its masks were blamed for whatever the closure did otherwise."""
    model = dropout()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    watch = Watch(model, optimizer, every=1, show=False)
    with caplog.at_level(logging.WARNING, "spikecheck.watch"):
        watched_loop(8, watch, model, optimizer, closure, early)
    assert re.search(says, caplog.text)
    watch.close()


@pytest.mark.parametrize("rank", ["", "abc", "0"])
def test_a_rank_that_is_no_number_ends_no_training(rank: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", rank)
    model = plain()
    Watch(model, torch.optim.SGD(model.parameters(), lr=0.1)).close()


def test_a_model_that_was_rebuilt_stops_the_watching(caplog: pytest.LogCaptureFixture) -> None:
    model: Any = plain()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    watch = Watch(model, optimizer, every=1, show=False)
    watched_loop(2, watch, model, optimizer, squared_error)
    model[0], model[2] = nn.Linear(4, 16), nn.Linear(16, 1)
    watched_loop(2, watch, model, optimizer, squared_error)
    assert "moves none of the model's parameters" in caplog.text and len(caplog.records) == 1


def test_a_log_that_cannot_be_written_is_refused_at_once() -> None:
    model = plain()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    with pytest.raises(UsageError, match="cannot be written: No space left"):
        Watch(model, optimizer, log="/dev/full", show=False)


def test_a_disk_that_fills_later_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    model = plain()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    watch = Watch(model, optimizer, log=tmp_path / "log.jsonl", every=1, show=False)
    watched_loop(2, watch, model, optimizer, squared_error)
    assert watch._writer is not None
    watch._writer._file.close()
    watch._writer._file = open("/dev/full", "a", buffering=1)  # noqa: PTH123, SIM115 - a real full disk
    watched_loop(2, watch, model, optimizer, squared_error)
    assert len(caplog.records) == 1 and "No space left" in caplog.text
    assert len(WatchLog.open(tmp_path / "log.jsonl").steps) == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"every": 0}, "every=0: give a whole number of at least 1"),
        ({"start": -1}, "start=-1"),
        ({"optimizer": 3}, "optimizer=int: is no torch.optim.Optimizer"),
        ({"model": 3}, "model=int: is no torch.nn.Module"),
        ({"model": nn.Linear(2, 2)}, "moves none of the model's parameters"),
        ({"log": "/proc/nothing/log.jsonl"}, "log=/proc/nothing/log.jsonl: cannot be written"),
    ],
)
def test_what_cannot_be_used_is_refused_before_any_training(arguments: dict[str, Any], says: str) -> None:
    model = plain()
    given = {"model": model, "optimizer": torch.optim.SGD(model.parameters(), lr=0.1), **arguments}
    with pytest.raises(UsageError, match=says.replace("(", r"\(")):
        Watch(**given)


def test_an_optimizer_that_never_steps_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """Regression: of an optimizer inside another one, as in SAM, all steps were recorded as skipped, without a word."""
    model = plain()
    watched, stepped = (torch.optim.SGD(model.parameters(), lr=0.05) for _ in range(2))
    with Watch(model, watched, every=5, show=False) as watch:
        watched_loop(120, watch, model, stepped, squared_error)
    assert len(caplog.records) == 1 and "in 50 steps SGD.step() was not called, so nothing was measured" in caplog.text


def test_a_layer_without_a_shape_is_refused_before_any_training() -> None:
    model = nn.LazyLinear(2)
    with pytest.raises(
        UsageError, match="model: weight has no shape yet; pass one batch through the model before Watch"
    ):
        Watch(model, torch.optim.SGD(model.parameters(), lr=0.1))


def test_a_file_of_something_else_is_not_appended_to(tmp_path: Path) -> None:
    """Regression: a log's lines were added to whatever file had the name."""
    file = tmp_path / "notes.csv"
    file.write_text("step,loss\n")
    model = plain()
    with pytest.raises(UsageError, match="notes.csv: is there already, and is no log of spikecheck.Watch"):
        Watch(model, torch.optim.SGD(model.parameters(), lr=0.1), log=file, show=False)
    assert file.read_text() == "step,loss\n"


def test_two_watches_with_one_log_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    model = plain()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(2):  # one after another is a training that was resumed
        Watch(model, optimizer, log=tmp_path / "log.jsonl", show=False).close()
    assert not caplog.records
    first = Watch(model, optimizer, log=tmp_path / "log.jsonl", show=False)
    Watch(model, optimizer, log=tmp_path / "log.jsonl", show=False).close()
    first.close()
    assert len(caplog.records) == 1 and "another Watch writes to the same log" in caplog.text
