"""The command line end to end: real processes, real trainings of a small claim."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest

from spikecheck.report import json_file
from tests.command_line import Told, called


@pytest.fixture
def folder(tmp_path: Path, small_claim: Callable[..., str]) -> Path:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "lowers.py").write_text(small_claim(steps=40, below=1.0))
    (tmp_path / "mine" / "nought.py").write_text(small_claim(steps=40, below=1e-6))
    (tmp_path / "mine" / "long.py").write_text(small_claim(steps=60_000, below=1.0))
    return tmp_path


def command(*words: str) -> list[str]:
    return [sys.executable, "-W", "error", "-m", "spikecheck", *words]


def run(folder: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    # Width and colour follow these; a test that is about one of them sets it.
    inherited = {
        name: value for name, value in os.environ.items() if name not in {"CI", "COLUMNS", "NO_COLOR", "FORCE_COLOR"}
    }
    environment = {**inherited, "SPIKECHECK_STORE": str(folder / "store"), "OMP_NUM_THREADS": "1", **env}
    return subprocess.run(
        command(*words), cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def run_here(folder: Path, *words: str) -> Told:
    """As `run` in this process, where torch is imported already."""
    return called(folder, *words, SPIKECHECK_STORE=str(folder / "store"), COLUMNS="80")


def verify_here(folder: Path, *words: str) -> Told:
    return run_here(folder, "verify", "--claims-path", "mine", *words)


def verify(folder: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return run(folder, "verify", "--claims-path", "mine", *words, **env)


def test_a_claim_that_passes_exits_0_and_says_so(folder: Path) -> None:
    done = verify(folder, "--claim", "lowers")
    assert done.returncode == 0, done.stderr
    assert "HOLDS" in done.stdout
    assert "lowers: reference" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert all(len(line) <= 80 for line in done.stdout.splitlines())


def test_a_claim_that_fails_exits_1_with_json_that_fits_its_schema(folder: Path) -> None:
    done = verify(folder, "--claim", "nought", "--json", "-", "--quiet")
    assert done.returncode == 1
    assert done.stderr == ""
    parsed = json.loads(done.stdout)
    jsonschema.validate(parsed, json_file.schema())
    (claim,) = parsed["claims"]
    assert (claim["replicates"], claim["reference"]["held"], parsed["passed"]) == ("fails", 0, False)


def test_the_second_time_nothing_is_trained(folder: Path) -> None:
    first, second = (verify_here(folder, "--claim", "lowers", "--json", "-", "--quiet") for _ in range(2))
    before, after = (json.loads(done.stdout)["claims"][0] for done in (first, second))
    assert before["runs_trained"] > 0
    assert after["runs_trained"] == 0
    assert before["reference"] == after["reference"]


FORKED = """
from spikecheck import Claim, Control, Domain, Ladder, Prediction, Setting, Trail, Trial
from spikecheck.arms import through

def sharpest(trial: Trial) -> float:
    return float(trial["run"].records["trail"]["sharpness"].max())

claim = Claim(
    says="forks are sharp", where="everywhere", kind="law",
    domain=Domain(Setting(width=5, points=8, steps=60, lr=0.02), lr=Ladder(0.02, 0.01)),
    arms={"run": lambda setting: through(setting, at="end", horizon=30)}, probe=Trail(),
    measure=sharpest, unit="sharpness", predicts=Prediction(above=0.0), applies=lambda trial: True,
    control=Control(says="none", measure=lambda trial: 0.0),
    positive=Control(says="one", measure=lambda trial: 1.0),
)
"""


def test_the_second_time_torch_is_not_even_imported(folder: Path) -> None:
    """Its import was half of the seconds that a repeat took: forks, probes and figures are found and judged without it."""
    (folder / "mine" / "forked.py").write_text(FORKED)
    here = {"TORCHINDUCTOR_CACHE_DIR": str(folder / "kernels"), "PYTHONPROFILEIMPORTTIME": "1"}
    first, second = (verify(folder, "--claim", "lowers", "--claim", "forked", **here) for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0), first.stdout
    imported = [{line.rpartition("|")[2].strip() for line in done.stderr.splitlines()} for done in (first, second)]
    assert [("spikecheck.session.verify" in names, "torch" in names) for names in imported] == [
        (True, True),
        (True, False),
    ]


@pytest.mark.parametrize(
    "optimizer", [(), ("--optimizer", "torch.optim:Adam", "--set", "lr=5e-4", "--set", "betas=0.8,0.9")]
)
def test_a_counterexamples_replay_line_runs_as_it_stands(folder: Path, optimizer: Sequence[str]) -> None:
    """Regression: it named neither the folder of the claim nor the optimizer that the claim was asked about."""
    (folder / "mine").rename(folder / "my claims")
    asked = ("--claims-path", "my claims", "--claim", "nought", *optimizer)
    done = run_here(folder, "verify", *asked, "--json", "-", "--quiet")
    found = json.loads(done.stdout)["claims"][0]["counterexample"]
    judged, effect = found["judgement"], found["judgement"]["effect"]
    again = run_here(folder, *shlex.split(found["replay"])[1:])
    assert again.returncode == 0, again.stderr
    assert f"held in {judged['held']} of {judged['applicable']} applicable ({judged['drawn']} trained)" in again.stdout
    assert f"mean {effect['mean']:.3g} (" in again.stdout
    assert f"median {effect['median']:.3g} (" in again.stdout  # its bounds are at the rule's level, and not at a look's


def test_a_problem_with_nan_is_refused_by_name(folder: Path) -> None:
    mine = f"data_{folder.name}"  # other tests of this process may have a module of another name
    (folder / f"{mine}.py").write_text(
        "import torch\nfrom spikecheck.data.dataset import Data\n"
        "def nan(setting):\n    x = torch.ones(8, 1, dtype=torch.float64)\n    return Data(x=x, y=x * float('nan'))\n"
    )
    done = run_here(folder, "replay", "condensation", "--at", f"problem={mine}:nan")
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "y holds 8 values that are not finite" in done.stderr


def test_a_claim_file_that_raises_is_told_and_the_others_still_run(folder: Path) -> None:
    (folder / "mine" / "broken.py").write_text("1/0\n")
    done = verify_here(folder, "--claim", "lowers")
    assert done.returncode == 3
    assert "ZeroDivisionError" in done.stderr
    assert "HOLDS" in done.stdout


def test_a_budget_ends_in_a_partial_report_and_exit_3(folder: Path) -> None:
    done = verify_here(folder, "--claim", "long", "--budget", "1s")
    assert done.returncode == 3, done.stderr
    assert "Stopped early" in done.stdout


def test_ctrl_c_ends_in_a_partial_report_and_130(folder: Path) -> None:
    environment = {**os.environ, "SPIKECHECK_STORE": str(folder / "store"), "OMP_NUM_THREADS": "1"}
    words = command("verify", "--claims-path", "mine", "--claim", "long", "--json", "out.json")
    process = subprocess.Popen(
        words, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "reference" in line:
            break
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "Stopped early" in out
    assert json.loads((folder / "out.json").read_text())["complete"] is False


def test_a_killed_verification_leaves_a_store_that_the_next_one_uses(folder: Path) -> None:
    environment = {**os.environ, "SPIKECHECK_STORE": str(folder / "store"), "OMP_NUM_THREADS": "1"}
    (folder / "mine" / "long.py").rename(folder / "mine" / "widest.py")  # after the short ones, as files go
    process = subprocess.Popen(command("verify", "--claims-path", "mine"), cwd=folder, env=environment)
    deadline = time.monotonic() + 60
    while not list(folder.glob("store/runs/*/*.safetensors")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    done = verify_here(folder, "--claim", "lowers")
    assert done.returncode == 0, done.stderr
    assert "damaged" not in done.stderr


def test_a_map_is_drawn_of_real_trainings_and_the_second_time_nothing_is_trained(folder: Path) -> None:
    words = ("map", "--claims-path", "mine", "--claim", "lowers", "--x", "lr", "--y", "steps=20,40", "--seeds", "14")
    files = ("--json", "map.json", "--figure", "map.svg")
    done = run_here(folder, *words, *files)
    assert done.returncode == 0, done.stderr
    assert "lowers: map, 4 settings x 14 seeds" in done.stderr
    assert "[✓ 14/14 ]" in done.stdout
    assert all(len(line) <= 80 for line in done.stdout.splitlines())
    trained, picture = len(stored(folder)), (folder / "map.svg").read_bytes()
    scope = json_file.read_map(folder / "map.json").scopes[0]
    assert [(cell.setting.lr, cell.setting.steps) for cell in scope.cells] == [
        (0.01, 20),
        (0.02, 20),
        (0.01, 40),
        (0.02, 40),
    ]
    assert all(cell.held == 14 for cell in scope.cells)
    again = run_here(folder, *words, *files)
    assert again.stdout == done.stdout
    assert (len(stored(folder)), (folder / "map.svg").read_bytes()) == (trained, picture)


def stored(folder: Path) -> list[Path]:
    return list(folder.glob("store/runs/*/*.safetensors"))


def test_a_map_that_is_interrupted_keeps_what_was_trained_and_goes_on_from_there(folder: Path) -> None:
    """One row is trained in no time, the other one is not."""
    environment = {**os.environ, "SPIKECHECK_STORE": str(folder / "store"), "OMP_NUM_THREADS": "1"}
    words = ("map", "--claims-path", "mine", "--claim", "lowers", "--x", "lr", "--seeds", "14", "--executor", "local")
    process = subprocess.Popen(
        command(*words, "--y", "steps=40,60000", "--figure", "map.png"),
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while len(stored(folder)) < 28 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert err.splitlines()[-1] == "interrupted; everything trained so far is kept, run again to go on"
    assert (out, list(folder.glob("map*"))) == ("", [])
    kept = len(stored(folder))
    assert run_here(folder, *words, "--y", "steps=40,41").returncode == 0
    assert (kept, len(stored(folder))) == (28, 56)


def test_claims_are_asked_about_another_optimizer(folder: Path) -> None:
    done = verify_here(
        folder, "--claim", "lowers", "--optimizer", "torch.optim:SGD", "--set", "lr=0.02", "--json", "r.json"
    )
    assert done.returncode == 0, done.stderr
    report = json_file.read(folder / "r.json")
    assert report.claims[0].reference.setting.optimizer == "torch.optim:SGD"
    rateless = verify_here(folder, "--claim", "lowers", "--optimizer", "torch.optim:SGD")
    assert rateless.returncode == 2
    assert "--set lr=" in rateless.stderr
    nothing = verify_here(folder, "--claim", "lowers", "--optimizer", "torch.optim:SGDD", "--set", "lr=0.1")
    assert nothing.returncode == 5
    assert "did you mean" in nothing.stderr
    assert verify_here(folder, "--claim", "lowers", "--set", "lr=0.1").returncode == 2


def test_a_plan_says_what_would_be_trained_and_trains_nothing(folder: Path) -> None:
    done = run_here(folder, "verify", "--claim", "condensation*", "--profile", "full", "--plan")
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines() if line.startswith("condensation")]
    assert [row[0] for row in rows] == [
        "condensation", "condensation-beyond-edge", "condensation-dose", "condensation-generalises"
    ]  # fmt: skip
    assert "About" in done.stdout
    assert not (folder / "store").exists()
