"""How far it is from `spikecheck verify` to a training step: a reader has to follow no more than twelve calls."""

import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

import pytest
from click.testing import CliRunner

from spikecheck.cli.commands.verify import verify
from spikecheck.core.errors import BudgetSpent
from spikecheck.lab import train_batch

MOST = 12


def test_from_the_command_to_a_training_step_are_few_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []

    def train(*args: object, **options: object) -> NoReturn:
        seen.append(own_frames(sys._getframe(1)))
        raise BudgetSpent("seen enough")

    monkeypatch.setattr(train_batch, "train", train)
    options = ["--executor", "local", "--store", str(tmp_path), "--quiet"]
    CliRunner().invoke(verify, ["spikes-come", *options])
    assert seen
    for frames in seen:
        assert len(frames) + 1 <= MOST, "\n".join([*frames, "train"])


def own_frames(frame: FrameType | None) -> list[str]:
    """The functions between the command and here, the command first; those of libraries are left out."""
    names: list[str] = []
    while frame is not None:
        file = frame.f_code.co_filename
        if "/spikecheck/" in file and not frame.f_code.co_name.startswith("<"):  # a comprehension is no call to follow
            names.append(f"{Path(file).stem}:{frame.f_code.co_name}")
            if Path(file).parts[-2:] == ("commands", "verify.py"):
                return names[::-1]
        frame = frame.f_back
    raise AssertionError("not called by the command")
