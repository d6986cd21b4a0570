"""SIGTERM, and Ctrl-C in the background of a shell script, end to end: real processes, real trainings."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

import pytest

import spikecheck as package
from tests.commands.test_watch import write_log

WHY = Path(__file__).parents[1] / "why"
KEPT = "interrupted; everything trained so far is kept, run again to go on"
WORKLOAD = ("--workload", "modular", "--steps", "4000", "--seeds", "16")
GATE = ("gate", "--optimizer", "torch.optim:SGD", "--set", "lr=0.05", "--against", "torch.optim:SGD")
OTHER_END = ("--against-set", "lr=0.1")

Begun = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def begun(tmp_path: Path, small_claim: Callable[..., str]) -> Iterator[Begun]:
    """Starts spikecheck in a folder of its own, with a claim that trains for long."""
    (tmp_path / "mine").mkdir()
    long = small_claim(steps=60_000, below=1.0).replace("width=5,", "width=60,")  # so wide that workers are worth it
    (tmp_path / "mine" / "long.py").write_text(long)
    processes: list[subprocess.Popen[str]] = []
    paths = f"{Path(package.__file__).parents[1]}:{WHY}"
    environment = {**os.environ, "SPIKECHECK_STORE": "store", "OMP_NUM_THREADS": "1", "PYTHONPATH": paths}

    def begin(*words: str, by: Sequence[str] = ()) -> "subprocess.Popen[str]":
        processes.append(
            subprocess.Popen(
                [*by, sys.executable, "-m", "spikecheck", *words],
                cwd=tmp_path,
                env=environment,
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        )
        return processes[-1]

    yield begin
    for process in processes:
        process.kill()
        process.communicate()


def wait_until(process: "subprocess.Popen[str]", reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 90
    while not reached():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def handles_sigterm(process: "subprocess.Popen[str]") -> bool:
    """Whether the command line has begun, so that the signal does not end Python by itself."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    (caught,) = (line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught, 16) & 1 << signal.SIGTERM - 1)


def training(process: "subprocess.Popen[str]") -> None:
    """Wait until progress says that trainings have begun."""
    assert process.stderr is not None
    line = next(line for line in process.stderr if "reference" in line or "gate" in line)
    assert line
    time.sleep(1.0)


def ended(process: "subprocess.Popen[str]", number: int = signal.SIGTERM) -> tuple[int, str, list[str]]:
    """Send a signal; exit code, standard output, and the lines of standard error."""
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    return process.returncode, out, err.splitlines()


@contextmanager
def group_of(process: "subprocess.Popen[str]") -> Iterator[int]:
    """The number of a process's group, none of which is left afterwards."""
    yield process.pid
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail("a process of the group is left")


@pytest.mark.parametrize("executor", ["local", "processes"])
@pytest.mark.parametrize("whole_group", [False, True])
def test_verify_reports_what_it_knows_and_says_what_is_kept(
    begun: Begun, tmp_path: Path, executor: str, whole_group: bool
) -> None:
    words = ("verify", "--claims-path", "mine", "--claim", "long", "--json", "out.json", "--executor", executor)
    process = begun(*words)
    with group_of(process) as group:
        training(process)
        if whole_group:
            os.killpg(group, signal.SIGTERM)
            out, err = process.communicate(timeout=60)
            code, lines = process.returncode, err.splitlines()
        else:
            code, out, lines = ended(process)
    assert (code, lines[-1]) == (143, KEPT)
    assert "Stopped early: this report is partial." in out
    assert json.loads((tmp_path / "out.json").read_text())["complete"] is False


def test_quiet_and_without_a_store_one_line_says_that_nothing_is_kept(begun: Begun) -> None:
    process = begun("verify", "--claims-path", "mine", "--claim", "long", "--no-store", "--quiet")
    wait_until(process, lambda: handles_sigterm(process))
    code, out, lines = ended(process)
    assert (code, out) == (143, "")
    assert list(filter(None, lines)) == ["interrupted; without a store nothing is kept"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_verify_of_a_workload_reports_what_it_knows_too(begun: Begun, tmp_path: Path, number: int) -> None:
    process = begun("verify", "--claim", "spikes-come", *WORKLOAD, "--json", "out.json")
    with group_of(process):
        training(process)
        code, _, lines = ended(process, number)
    assert (code, lines[-1]) == (128 + number, KEPT)
    assert json.loads((tmp_path / "out.json").read_text())["complete"] is False
    assert list(tmp_path.rglob("*.draft")) == []


def stored(folder: Path) -> list[Path]:
    return list(folder.glob("store/runs/*/*.safetensors"))


@pytest.mark.parametrize("workload", [False, True])
def test_gate_says_what_is_kept_and_its_files_say_that_it_was_not_held(
    begun: Begun, tmp_path: Path, workload: bool
) -> None:
    of = ("--workload", "modular", "--at", "steps=4000") if workload else ("--at", "steps=60000")
    process = begun(*GATE, *OTHER_END, *of, "--junit", "gate.xml")
    with group_of(process):
        training(process)
        code, out, lines = ended(process)
    assert (code, out, lines[-1]) == (143, "", KEPT)
    (error,) = ElementTree.parse(tmp_path / "gate.xml").iter("error")
    assert "interrupted" in str(error.get("message"))


def test_diagnose_prints_the_answer_so_far(begun: Begun, tmp_path: Path) -> None:
    words = ("diagnose", "--workload", "planted_spikes:planted", "--steps", "560", "--at", "plant=batches")
    process = begun(*words)
    with group_of(process):
        wait_until(process, lambda: len(stored(tmp_path)) >= 4)  # the run itself, and three forks
        code, out, lines = ended(process)
    assert (code, lines[-1]) == (143, "interrupted; finished forks are kept, and the same command continues from there")
    assert "stopped before every arm was judged" in " ".join(out.split())


def test_watch_stops_following_and_the_training_goes_on(begun: Begun, tmp_path: Path) -> None:
    write_log(tmp_path / "log.jsonl", 5)
    process = begun("watch", "log.jsonl", "--follow")
    assert process.stdout is not None
    assert any("No spike in 5 steps" in line for line in process.stdout)
    code, _, lines = ended(process)
    assert (code, lines) == (0, ["no longer followed; the training goes on"])


def test_in_the_background_of_a_script_ctrl_c_is_not_for_it_and_sigterm_is(begun: Begun) -> None:
    """A shell starts background jobs with SIGINT ignored, and Python leaves it so."""
    script = ("sh", "-c", '"$@" & echo $!; wait $!', "script")
    shell = begun("verify", "--claim", "spikes-come", *WORKLOAD, by=script)
    assert shell.stdout is not None
    with group_of(shell):
        job = int(shell.stdout.readline())
        training(shell)
        os.kill(job, signal.SIGINT)
        time.sleep(1.0)
        assert shell.poll() is None
        os.kill(job, signal.SIGTERM)
        _, err = shell.communicate(timeout=60)
    assert (shell.returncode, err.splitlines()[-1]) == (143, KEPT)
