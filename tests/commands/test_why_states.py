"""`spikecheck diagnose LOG --states FOLDER --workload …` from the command line."""

import json
from pathlib import Path
from typing import Any

import pytest

from spikecheck import Training, Watch
from spikecheck.why import keeping as keeping_module
from tests.why.planted_spikes import planted

WORKLOAD = ("--workload", "planted_spikes:planted", "--executor", "local")


@pytest.fixture
def watched(spikecheck: Any, monkeypatch: pytest.MonkeyPatch) -> Training:
    """In the test's folder, a log and states of a training with six bad batches."""
    monkeypatch.setattr(keeping_module, "_SHARE", 0)
    training = planted(None, 0, "cpu", plant="batches")
    with Watch.of(training, log="watch.jsonl", states="states", show=False) as watch:
        training.run(900, observe=watch.made)
    return training


def test_the_cause_is_named_from_what_was_kept(watched: Training, spikecheck: Any, capsys: Any) -> None:
    words = ("diagnose", "watch.jsonl", "--states", "states", *WORKLOAD, "--at", "plant=batches")
    assert spikecheck(*words, "--json", "why.json") == 0
    shown = capsys.readouterr().out
    assert "caused by the data: batches of steps" in shown and max(map(len, shown.splitlines())) <= 80
    whole = json.loads(Path("why.json").read_text())
    assert whole["cause"] == "data" and whole["differs_at"] is None
    assert "--states states" in whole["command"]


def test_a_mistake_is_one_line(watched: Training, spikecheck: Any, capsys: Any) -> None:
    Path("empty").mkdir()
    Path("run.csv").write_text("step,loss\n" + "\n".join(f"{n},1" for n in range(300)))
    plant = ("--at", "plant=batches")
    for words, says in (
        (("--states", "states"), "--states states: needs LOG; give LOG, --states and --workload together"),
        (("watch.jsonl", "--states", "states"), "--states states: needs --workload"),
        (("watch.jsonl", "--states", "empty", *WORKLOAD, *plant), "states=empty: holds no state; give the folder that"),
        (("run.csv", "--states", "states", *WORKLOAD, *plant), "run.csv: is no log of spikecheck.Watch"),
        (
            ("watch.jsonl", "--states", "states", *WORKLOAD, *plant, "--seed", "1"),
            "states=states: step 768 has the loss",
        ),
        (("watch.jsonl", "--states", "states", "--workload", "mlp"), "states=states: are of another training"),
        (
            ("watch.jsonl", "--states", "states", *WORKLOAD, *plant, "--at-step", "2000"),
            "--at-step 2000: the training has",
        ),
    ):
        assert spikecheck("diagnose", *words) == 2
        taken = capsys.readouterr()
        assert says in taken.err.strip().splitlines()[-1] and "Traceback" not in taken.err
        assert sum("error" in line for line in taken.err.splitlines()) == 1
