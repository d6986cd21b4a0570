"""`spikecheck watch` and `spikecheck diagnose` from the command line."""

import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikecheck.core.watched import Header, LayerLook, Look, Step
from spikecheck.watch.log import LogWriter

HEADER = Header(model="Net<b>", optimizer="SGD", parameters=1_234, every=10, started="2026-01-01T00:00:00+00:00")


def write_log(path: Path, steps: int = 600) -> None:
    rng = np.random.default_rng(0)
    writer = LogWriter(path, HEADER)
    for step in range(steps):
        height = 2.0 if 400 <= step < 420 else 0.0
        over = 1.5 if step > 380 else 0.4
        look = Look(overshoot=over, layers={"head": LayerLook(update=over, weights=1.0)}) if step % 10 == 0 else None
        writer.write(Step(step=step, loss=2.0 + height + 0.05 * rng.standard_normal(), lr=(0.1,), look=look))
    writer.close()


@pytest.mark.parametrize("columns", ["80", "100", "120"])
def test_a_log_is_shown_within_the_width(
    columns: str, spikecheck: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_log(Path("log.jsonl"))
    monkeypatch.setenv("COLUMNS", columns)
    assert spikecheck("watch", "log.jsonl", "--html", "log.html") == 0
    shown = capsys.readouterr().out
    assert shown.startswith("The loss spiked once in 600 steps; overshoot was above 1 at 21 of 60 looks.")
    assert "step 410" in shown and "raise their own batch's loss" in shown
    assert max(map(len, shown.splitlines())) <= min(int(columns), 100)
    page = Path("log.html").read_text(encoding="utf-8")
    assert "The loss spiked once" in page and "Net&lt;b&gt;" in page and page.count("<svg") == 2


def test_an_empty_training_is_shown(spikecheck: Any, capsys: Any) -> None:
    write_log(Path("log.jsonl"), 0)
    assert spikecheck("watch", "log.jsonl", "--html", "log.html") == 0
    assert "No step was logged yet." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["watch", "none.jsonl"], "none.jsonl: cannot be read: No such file"),
        (["watch", "run.csv"], "run.csv: is no log of spikecheck.Watch"),
        (["watch", "log.jsonl", "--html", "no/such/folder.html"], "--html no/such/folder.html: cannot be written"),
        (["diagnose", "none.csv"], "none.csv: cannot be read: No such file"),
        (["diagnose", "run.csv"], "no column is called loss; give its name with --loss, such as: my_loss"),
        (["diagnose", "run.csv", "--loss", "my_los"], "no column is called 'my_los'; did you mean: my_loss"),
        (["diagnose", "run.csv", "--loss", "my_loss", "--step", "s"], "no column is called 's'"),
    ],
)
def test_a_users_mistake_is_one_line(words: list[str], says: str, spikecheck: Any, capsys: Any) -> None:
    write_log(Path("log.jsonl"), 3)
    Path("run.csv").write_text("n,my_loss\n1,2\n")
    assert spikecheck(*words) == 2
    told = capsys.readouterr().err
    assert says in told and len(told.strip().splitlines()) == 1


def test_a_growing_log_is_followed_until_interrupted(tmp_path: Path) -> None:
    write_log(tmp_path / "log.jsonl", 5)
    command = [sys.executable, "-m", "spikecheck", "watch", "log.jsonl", "--follow"]
    shown = tmp_path / "shown.txt"
    with shown.open("w") as out:
        process = subprocess.Popen(command, cwd=tmp_path, stdout=out, stderr=subprocess.PIPE, text=True)
        _wait_for(shown, "No spike in 5 steps")
        with (tmp_path / "log.jsonl").open("a") as log:
            log.write('{"step":5,"loss":1.0}\n')
        _wait_for(shown, "No spike in 6 steps")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert process.stderr is not None
    assert process.stderr.read().strip() == "no longer followed; the training goes on"
    process.stderr.close()


def _wait_for(file: Path, text: str) -> None:
    until = time.monotonic() + 60
    while text not in file.read_text(encoding="utf-8"):
        assert time.monotonic() < until, file.read_text(encoding="utf-8")
        time.sleep(0.1)


@pytest.mark.parametrize("words", [["watch", "log.jsonl"], ["diagnose", "log.jsonl"]])
def test_neither_loads_torch(words: list[str], tmp_path: Path) -> None:
    write_log(tmp_path / "log.jsonl", 200)
    program = (
        "import sys; from spikecheck.cli.main import cli; "
        f"cli.main({words!r}, standalone_mode=False); sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True, env={**os.environ})


def test_infinite_losses_are_shown(spikecheck: Any, capsys: Any) -> None:
    writer = LogWriter(Path("log.jsonl"), HEADER)
    for step in range(300):
        writer.write(Step(step=step, not_finite="inf") if step >= 290 else Step(step=step, loss=math.exp(-step / 100)))
    writer.close()
    assert spikecheck("watch", "log.jsonl", "--html", "log.html") == 0
    shown = capsys.readouterr().out
    assert "10 steps with a loss that is not finite" in shown and "the loss is inf" in shown
