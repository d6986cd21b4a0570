"""A watched training that is asked why it spiked, and goes on."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

import spikecheck
from spikecheck.core.errors import UsageError
from spikecheck.watch.batches import NumberedBatches
from spikecheck.watch.log import WatchLog
from spikecheck.why.arms import LEFT_OUT, OTHER_BATCHES

WILD = range(300, 306)
"""Steps whose labels are wild."""


def training() -> spikecheck.Training:
    """A small regression under Adam with dropout, so that the random state matters."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.Tanh(), torch.nn.Dropout(0.1), torch.nn.Linear(16, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    slopes = torch.randn(8, 1)

    def batch_of(number: int) -> tuple[torch.Tensor, torch.Tensor]:
        generator = torch.Generator().manual_seed(number)
        x = torch.randn(32, 8, generator=generator)
        return x, (x @ slopes).tanh() + (5.0 if number in WILD else 0.3) * torch.randn(32, 1, generator=generator)

    def loss_of(batch: Any) -> torch.Tensor:
        x, y = batch
        return (model(x) - y).square().mean()

    def step(batch: Any) -> torch.Tensor:
        optimizer.zero_grad()
        loss = loss_of(batch)
        loss.backward()
        optimizer.step()
        return loss

    return spikecheck.Training(
        step=step, batches=NumberedBatches(batch_of), state={"model": model, "optimizer": optimizer}, loss=loss_of
    )


def trained(folder: Path, asked: str) -> tuple[list[torch.Tensor], list[Any], Any]:
    """Parameters at the end, the log without times, and the answer: asked for between two runs, by an observer, or never."""
    one, answers = training(), list[Any]()
    with spikecheck.Watch.of(one, log=folder / "watch.jsonl", states=folder / "states", every=7, show=False) as watch:

        def ask() -> None:
            answers.append(watch.why(arms=(LEFT_OUT, OTHER_BATCHES)))

        def observe(step: Any) -> None:
            watch.made(step)
            if asked == "by an observer" and step.number == 370:
                ask()

        one.run(365, observe=observe)
        if asked == "between two runs":
            ask()
        one.run(40, observe=observe)
    log = [step.model_copy(update={"seconds": 0.0}) for step in WatchLog.open(folder / "watch.jsonl").ordered()]
    return [p.detach().clone() for p in one.model.parameters()], log, [answer.cause for answer in answers]


def test_why_is_told_between_two_steps_and_the_training_and_its_log_go_on_as_without(tmp_path: Path) -> None:
    ends, log, _ = trained(tmp_path / "never", "never")
    assert len(log) == 405
    for asked in ("between two runs", "by an observer"):
        other_ends, other_log, causes = trained(tmp_path / asked, asked)
        assert causes == ["data"]
        assert all(torch.equal(one, other) for one, other in zip(ends, other_ends, strict=True))
        assert log == other_log


def test_a_watch_of_a_loop_says_how_it_could_tell() -> None:
    model = torch.nn.Linear(2, 1)
    with (
        spikecheck.Watch(model, torch.optim.SGD(model.parameters(), lr=0.1), show=False) as watch,
        pytest.raises(UsageError, match=r"why: .*make it by Watch.of\(training, log="),
    ):
        watch.why()


def test_without_states_it_cannot_be_told_either(tmp_path: Path) -> None:
    with (
        spikecheck.Watch.of(training(), log=tmp_path / "watch.jsonl", show=False) as watch,
        pytest.raises(UsageError, match="states="),
    ):
        watch.why()


def test_steps_in_a_pause_are_not_looked_at() -> None:
    """At a look the parameters before the step are copied; the forks of an answer make thousands of steps."""
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with spikecheck.Watch(model, optimizer, every=1, show=False) as watch:
        (hooks,) = watch._hooks
        for paused in (True, False):
            with watch.paused() if paused else nullcontext():
                model(torch.ones(1, 2)).sum().backward()
                optimizer.step()
                assert (hooks.segment is None) is paused


def _both(one: Callable[[Any], None], step: Any) -> None:
    one(step)


def test_a_watch_of_a_training_does_not_have_it_read_random_states(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[None] = []

    def read() -> dict[str, Any]:
        reads.append(None)
        return {}

    monkeypatch.setattr("spikecheck.watch.training.random_state", read)
    one = training()
    with spikecheck.Watch.of(one, show=False) as watch:
        one.run(12, observe=watch.made)
        assert not reads
        one.run(3, observe=partial(_both, watch.made))
    assert len(reads) == 3
