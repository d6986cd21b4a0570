"""`spikecheck diagnose` from the command line, of a log and of a workload: answer, files, exit codes, refusals."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import numpy as np
import pytest

import spikecheck as package
from spikecheck.report import json_file
from tests.commands.test_watch import write_log

WHY = Path(__file__).parents[1] / "why"
PLANTED = ("diagnose", "--workload", "planted_spikes:planted", "--steps", "560", "--executor", "local")


def test_a_planted_bad_batch_is_named_in_the_terminal_and_in_every_file(
    spikecheck: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = ("--html", "why.html", "--json", "why.json", "--markdown", "why.md")
    assert spikecheck(*PLANTED, "--at", "plant=batches", *files) == 0
    shown = capsys.readouterr().out
    said = " ".join(shown.split())
    assert re.match(
        r"The loss spike at step 40\d was caused by the data: batches of steps 39\d to 4\d\d\. In forks", said
    )
    assert "in 5 of 5 with batches left out or other batches;" in said and "it comes again in 5 of 5." in said
    assert max(map(len, shown.splitlines())) <= 80
    whole = json.loads(Path("why.json").read_text())
    jsonschema.validate(whole, json.loads(json_file.why_schema_text()))
    assert (whole["schema"], whole["cause"], whole["workload"]) == ("spikecheck/why@1", "data", PLANTED[2])
    assert json_file.read_why(Path("why.json")).cause == "data"
    page = Path("why.html").read_text(encoding="utf-8")
    assert "<svg" in page and "was caused by the data" in page and "diagnose --workload" in page
    assert "| batches left out | removes it | 5 of 5 |" in Path("why.md").read_text(encoding="utf-8")
    for columns in ("100", "120"):
        monkeypatch.setenv("COLUMNS", columns)
        assert spikecheck(*PLANTED, "--at", "plant=batches") == 0
        assert max(map(len, capsys.readouterr().out.splitlines())) <= 100


def test_a_planted_jump_of_the_rate_is_named(spikecheck: Any, capsys: Any) -> None:
    assert spikecheck(*PLANTED, "--at", "plant=rate", "--json", "-") == 0
    taken = capsys.readouterr()
    assert json.loads(taken.out)["cause"] == "schedule"
    assert "was caused by a change of the learning rate" in " ".join(taken.err.split())


def test_the_mlp_that_ships_has_no_spike(spikecheck: Any, capsys: Any) -> None:
    assert spikecheck("diagnose", "--workload", "mlp", "--steps", "150") == 3
    assert capsys.readouterr().out.startswith("No loss spike.")


def test_without_a_spike_the_code_is_3(spikecheck: Any, capsys: Any) -> None:
    assert spikecheck(*PLANTED, "--quiet") == 3
    assert capsys.readouterr().out == ""


def test_a_log_says_which_spike(spikecheck: Any, capsys: Any) -> None:
    rows = [f"{step},{5.0 if 400 <= step < 420 else 1.0 + step % 7 / 100}" for step in range(600)]
    Path("run.csv").write_text("\n".join(["step,loss", *rows]))
    assert spikecheck(*PLANTED, "run.csv", "--at", "plant=batches", "--json", "-") == 0
    assert abs(json.loads(capsys.readouterr().out)["spike"]["onset"] - 400) <= 2
    Path("run.csv").write_text("\n".join(["step,loss", *(f"{step},{1 + step % 7 / 100}" for step in range(600))]))
    assert spikecheck(*PLANTED, "run.csv") == 2
    assert "LOG: has no loss spike; leave it out, or name a step with --at-step N" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "no log is given; add LOG, or --workload NAME to train one"),
        (["run.csv", "--at-step", "4"], "--at-step: belongs to --workload; give that as well"),
        (["--workload", "nothing"], "no workload is called 'nothing'"),
        (["--workload", "mlp", "--at", "sizes=small"], "no option of the workload mlp is called 'sizes'"),
        (["--workload", "mlp", "--set", "lr=1"], "--set lr=1: belongs to an optimizer; give --optimizer as well"),
        (["--workload", "mlp", "--arm", "os:getcwd"], "--arm os:getcwd: returned a str; return a spikecheck.Arm"),
        (["--workload", "mlp", "--html", "no/such/f.html"], "--html no/such/f.html: cannot be written"),
        (
            ["--workload", "mlp", "--steps", "40", "--at-step", "9"],
            "--at-step 9: 9 losses come before it, and 32 are needed",
        ),
        (["--workload", "mlp", "--executor", "dask://a:1"], "--executor dask://a:1: workloads are trained on this"),
        (["--workload", "iterator:made"], "an iterator cannot be rewound; give a list"),
        (["--workload", "unkept:made", "--steps", "300"], "state['odd']['state']['set']: holds a set"),
    ],
)
def test_a_mistake_is_one_line(words: list[str], says: str, spikecheck: Any, capsys: Any) -> None:
    Path("run.csv").write_text("step,loss\n" + "\n".join(f"{n},1" for n in range(300)))
    Path("iterator.py").write_text(
        "import torch, spikecheck\n"
        "def made(make_optimizer, seed, device):\n"
        "    net = torch.nn.Linear(1, 1)\n"
        "    return spikecheck.Training(step=lambda b: 1.0, batches=iter([1]), state={'model': net})\n"
    )
    Path("unkept.py").write_text(
        "import torch, spikecheck\n"
        "class Odd:\n"
        "    step = 0\n"
        "    def state_dict(self): return {'set': {1}, 'step': self.step}\n"
        "    def load_state_dict(self, state): self.step = state['step']\n"
        "def made(make_optimizer, seed, device):\n"
        "    net, odd = torch.nn.Linear(1, 1), Odd()\n"
        "    def step(batch):\n"
        "        odd.step += 1\n"
        "        return 50.0 if 200 <= odd.step < 220 else 1.0 + odd.step % 7 / 100\n"
        "    return spikecheck.Training(step=step, batches=[1], state={'model': net, 'odd': odd})\n"
    )
    assert spikecheck("diagnose", *words) == 2
    taken = capsys.readouterr()
    last = taken.err.strip().splitlines()[-1]
    assert says in last and "Traceback" not in taken.err
    assert sum("error" in line for line in taken.err.splitlines()) == 1


OWN = """
from contextlib import contextmanager
import spikecheck

@contextmanager
def tame(training, context):
    def chosen(step, draw):
        batch = draw()
        while batch[1].abs().max() > 5.0:
            batch = draw()
        return batch
    with training.batches_chosen(chosen):
        yield

def arm(name="tame batches"):
    return spikecheck.Arm(name, "without labels above 5?", "wild labels", tame, remedy="skip wild labels")

def twice():
    return arm("other batches")

def hidden():
    return spikecheck.Arm("hidden", "?", "hidden", lambda training, context: None)
"""


def test_an_arm_of_ones_own_is_forked_by_workers(spikecheck: Any, capsys: Any, write: Any) -> None:
    module = write(OWN)
    words = [word for word in PLANTED if word not in ("--executor", "local")]
    assert spikecheck(*words, "--at", "plant=batches", "--arm", f"{module}:arm", "--json", "-") == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["cause"] for one in found["causes"]] == ["data", "wild labels"]
    (own,) = (arm for arm in found["arms"] if arm["name"] == "tame batches")
    assert own["effect"] == "removes it" and own["claimed"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("twice", "arms: two are called 'other batches'; give each a name of its own"),
        ("hidden", "worker processes cannot find its function"),
    ],
)
def test_an_arm_that_cannot_be_used_is_one_line(name: str, says: str, spikecheck: Any, capsys: Any, write: Any) -> None:
    assert spikecheck(*PLANTED, "--arm", f"{write(OWN)}:{name}") == 2
    assert says in capsys.readouterr().err


def test_a_spent_budget_is_code_3_and_says_so(spikecheck: Any, capsys: Any) -> None:
    assert spikecheck(*PLANTED, "--at", "plant=batches", "--budget", "0.001s") == 3
    assert "--budget: the time is used up" in capsys.readouterr().err


def test_ctrl_c_prints_the_answer_so_far(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "PYTHONPATH": f"{Path(package.__file__).parents[1]}:{WHY}",
        "SPIKECHECK_STORE": str(tmp_path),
    }
    words = [sys.executable, "-m", "spikecheck", *PLANTED, "--at", "plant=batches"]
    runs = tmp_path / "runs"
    with subprocess.Popen(
        words, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        deadline = time.monotonic() + 60.0
        while len(list(runs.glob("*/*"))) < 4 and time.monotonic() < deadline:  # the run itself, and three forks
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "stopped before every arm was judged" in " ".join(out.split())
    assert "interrupted; finished forks are kept" in err
    assert "Traceback" not in err


def test_a_csv_is_diagnosed(spikecheck: Any, capsys: Any) -> None:
    rng = np.random.default_rng(3)
    lines = ["step;train_loss;grad_norm;lr"]
    for step in range(1_000):
        spike, grad = 700 <= step < 720, 696 <= step < 720
        loss, norm = 2.0 + 0.05 * rng.standard_normal() + 3.0 * spike, 1.0 + 0.1 * rng.standard_normal() + 5.0 * grad
        lines.append(f"{step};{'nan' if step == 300 else loss:.6};{norm:.5};{1e-3 if step < 698 else 1e-2}")
    Path("run.csv").write_text("\n".join(lines))
    assert spikecheck("diagnose", "run.csv") == 0
    shown = capsys.readouterr().out
    assert shown.startswith("1 loss spike in 999 losses, steps 0 to 999.")
    assert "step 700: the loss reaches" in shown and "over at step 720" in shown
    assert "grad_norm, 4 steps before (step 696" in shown
    assert "the learning rate has a kink at step 69" in shown


def test_a_watched_log_is_diagnosed_too(spikecheck: Any, capsys: Any) -> None:
    write_log(Path("log.jsonl"))
    assert spikecheck("diagnose", "log.jsonl") == 0
    assert capsys.readouterr().out.startswith("1 loss spike in 600 losses")


def test_columns_of_other_names_are_named(spikecheck: Any, capsys: Any) -> None:
    rows = [f"{2 * step},{9.0 if 400 <= step < 420 else 1.0 + step % 7 / 100}" for step in range(600)]
    Path("run.csv").write_text("\n".join(["n,cost", *rows]))
    assert spikecheck("diagnose", "run.csv", "--loss", "cost", "--step", "n") == 0
    assert capsys.readouterr().out.startswith("1 loss spike in 600 losses, steps 0 to 1,198.")
