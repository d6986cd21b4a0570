"""States kept while a training runs: which, how many, and the training as if none were kept."""

import logging
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from spikecheck import Training, Watch
from spikecheck.core.errors import StoreError, UsageError
from spikecheck.core.watched import Step
from spikecheck.watch.checkpoint import load_checkpoint
from spikecheck.watch.replay import _same
from spikecheck.watch.training import Step as Made
from spikecheck.why import keeping as keeping_module
from spikecheck.why.keeping import Keeping
from spikecheck.why.kept import kept_steps, state_file
from tests.why.planted_spikes import AT, planted


@pytest.fixture(autouse=True)
def swift(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping_module, "_SHARE", 0)  # however slowly this disk writes


TEN: dict[str, Any] = {"states_every": 10, "states_most": 40, "show": False}


def kept(training: Training, steps: int, folder: Path, **options: Any) -> list[float]:
    """Its losses, and states in the folder."""
    with Watch.of(training, states=folder, show=False, **options) as watch:
        return training.run(steps, observe=watch.made)


def test_the_training_is_the_same_to_the_bit(tmp_path: Path) -> None:
    plain, watched = planted(None, 0, "cpu"), planted(None, 0, "cpu")
    assert kept(watched, 90, tmp_path, states_every=20, states_most=20) == plain.run(90)
    assert _same(watched.snapshot().values, plain.snapshot().values)
    assert not watched.optimizer._optimizer_step_pre_hooks and not watched.optimizer._optimizer_step_post_hooks


def test_the_last_stay(tmp_path: Path) -> None:
    kept(planted(None, 0, "cpu"), 520, tmp_path, states_every=100)
    assert kept_steps(tmp_path) == [100, 200, 300, 400, 500]


def test_the_state_before_a_spike_stays_however_long_the_training_goes_on(tmp_path: Path) -> None:
    kept(planted(None, 0, "cpu", plant="batches"), 900, tmp_path, states_every=100)
    assert kept_steps(tmp_path) == [300, 500, 600, 700, 800, 900]  # 64 steps before 400 are 336


def test_many_spikes_take_no_more_files_than_are_allowed(tmp_path: Path) -> None:
    training = planted(None, 0, "cpu")
    keeping = Keeping(training, tmp_path, every=100, most=6)
    training._step = lambda _: 0.0
    for number in range(2_000):
        training.run(1)
        keeping.step(Step(step=number, loss=50.0 if number % 470 > 450 else 1.0 + number % 7 / 100))
        keeping.after_step()
        assert len(kept_steps(tmp_path)) <= 6
    assert kept_steps(tmp_path) == [300, 1_600, 1_700, 1_800, 1_900, 2_000]


def test_a_state_is_the_training_to_the_bit(tmp_path: Path) -> None:
    training = planted(None, 0, "cpu")
    kept(training, 60, tmp_path, states_every=60)
    found = load_checkpoint(state_file(tmp_path, 60))
    assert found is not None and _same(found.snapshot.values, training.snapshot().values)


def test_writing_takes_a_thirtieth_of_the_time_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping_module, "_SHARE", 10**9)
    kept(planted(None, 0, "cpu"), 60, tmp_path, states_every=5, states_most=60)
    assert kept_steps(tmp_path) == [0]


def test_what_it_takes_is_said_first_and_is_enough(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    training = planted(None, 0, "cpu")
    keeping = Keeping(training, tmp_path / "bound", every=100)
    kept(training, 101, tmp_path / "run", states_every=100)
    largest = max(file.stat().st_size for file in (tmp_path / "run").iterdir())
    assert largest <= keeping._bytes
    (said,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "every 100 steps" in said.getMessage() and "at most 8 of them" in said.getMessage()


def test_a_resumed_training_goes_on_in_the_same_folder(tmp_path: Path) -> None:
    training = planted(None, 0, "cpu")
    kept(training, 50, tmp_path, states_every=10, states_most=40)
    middle = load_checkpoint(state_file(tmp_path, 40))
    assert middle is not None
    again = planted(None, 0, "cpu")
    again.restore(middle.snapshot)
    with Watch.of(again, states=tmp_path, states_every=20, states_most=40, show=False) as watch:
        assert kept_steps(tmp_path) == [0, 10, 20, 30, 40]
        again.run(20, observe=watch.made)
    assert kept_steps(tmp_path) == [0, 10, 20, 30, 40, 60]


def test_a_full_disk_ends_the_keeping_and_not_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    training = planted(None, 0, "cpu")
    with Watch.of(training, states=tmp_path, log=tmp_path / "watch.jsonl", **TEN) as watch:
        monkeypatch.setattr(keeping_module, "save_checkpoint", _refused)
        assert training.run(60, observe=watch.made) == planted(None, 0, "cpu").run(60)
    assert kept_steps(tmp_path) == [0]
    told = [record.getMessage() for record in caplog.records if "no more states" in record.getMessage()]
    assert len(told) == 1 and "no space" in told[0]
    assert len((tmp_path / "watch.jsonl").read_text().splitlines()) == 61


def _refused(*_: object, **__: object) -> None:
    raise StoreError("checkpoint: no space")


class Odd:
    def state_dict(self) -> dict[str, Any]:
        return {"set": {1}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        pass


def test_a_state_that_files_do_not_keep_is_refused_before_any_step(tmp_path: Path) -> None:
    training = planted(None, 0, "cpu")
    odd = Training(step=training._step, batches=[1], state={**training.state, "odd": Odd()})
    with pytest.raises(UsageError, match=r"state\['odd'\]\['state'\]\['set'\]: holds a set"):
        Watch.of(odd, states=tmp_path)


def test_what_cannot_be_used_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    training = planted(None, 0, "cpu")
    for options, says in (
        ({"states_every": 0}, "states_every=0: give a whole number of at least 1"),
        ({"states_most": 3}, "states_most=3: give a whole number of at least 4 with states_every=256"),
        ({"states_every": 10}, "states_most=8: give a whole number of at least 29 with states_every=10"),
    ):
        with pytest.raises(UsageError, match=says):
            Watch.of(training, states=tmp_path / "a", **options)
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="states=.*file"):
        Watch.of(training, states=tmp_path / "file")
    kept(training, AT // 10, tmp_path / "b")
    with pytest.raises(UsageError, match="has states of a training up to step 0, and this one begins at step 0"):
        Watch.of(planted(None, 0, "cpu"), states=tmp_path / "b")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=7))
    with pytest.raises(UsageError, match="8 states take up to .* kB, and the disk has 7 bytes left"):
        Watch.of(planted(None, 0, "cpu"), states=tmp_path / "c")
    assert not kept_steps(tmp_path / "c")  # with more room the same call goes on
    with pytest.raises(UsageError, match="made: this watch has no training"):
        Watch(training.model, training.optimizer).made(Made(0, None, 1.0, {}))


def test_of_several_processes_no_state_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    with pytest.raises(UsageError, match="of several processes no state can be kept"):
        Keeping(planted(None, 0, "cpu"), tmp_path)
