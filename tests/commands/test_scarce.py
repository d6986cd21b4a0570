"""A full disk and too little memory, by the kernel's own limits: one line, an exit code, nothing half-written."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("resource", reason="has no resource limits")

# The limits hold from the moment at which torch is there; its import alone takes gigabytes of addresses.
LIMITED = """
import os, resource, sys
import torch, spikecheck.cli.gating
kind, most, *words = sys.argv[1:]
used = 0
if kind == "RLIMIT_AS":
    used = int(open("/proc/self/statm").read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
resource.setrlimit(getattr(resource, kind), (used + int(most),) * 2)
sys.argv = ["spikecheck", *words]
from spikecheck.cli.main import main
main()
"""
MIB = 2**20
GATE = ("gate", "--optimizer", "torch.optim:SGD", "--set", "lr=0.05", "--seeds", "4", "--at", "steps=40")
DAMAGED = '{"schema": "spikecheck/baseline@1"}'
FEW_ROWS = ("--rows", "final loss, best loss, diverged, spiking")


@pytest.fixture
def folder(tmp_path: Path, small_claim: Callable[..., str]) -> Path:
    (tmp_path / "mine").mkdir()
    small = small_claim(steps=40, below=1.0)
    (tmp_path / "mine" / "lowers.py").write_text(small)
    assert "width=5," in small
    (tmp_path / "mine" / "large.py").write_text(small.replace("width=5,", "width=4000, depth=3,"))
    return tmp_path


def limited(folder: Path, kind: str, most: int, *words: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name not in {"CI", "FORCE_COLOR"}}
    environment = {**inherited, "SPIKECHECK_STORE": "store", "COLUMNS": "100", "SPIKECHECK_COMPILE": "0"}
    command = [sys.executable, "-c", LIMITED, kind, str(most), *words]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=180, check=False
    )
    assert "Traceback" not in done.stderr
    assert "internal error" not in done.stderr
    return done


def verify(folder: Path, kind: str, most: int, claim: str, *words: str) -> subprocess.CompletedProcess[str]:
    return limited(folder, kind, most, "verify", "--claims-path", "mine", "--claim", claim, "--quiet", *words)


def files(folder: Path) -> set[str]:
    written = (path for path in folder.rglob("*") if path.is_file() and path.parent.name != "__pycache__")
    return {path.relative_to(folder).as_posix() for path in written}


def test_verify_goes_on_without_storing_where_the_disk_takes_no_run(folder: Path) -> None:
    done = limited(folder, "RLIMIT_FSIZE", 1024, "verify", "--claims-path", "mine", "--claim", "lowers")
    assert done.returncode == 0, done.stderr
    (trouble,) = (line for line in done.stderr.splitlines() if "going on without storing" in line)
    assert "File too large" in trouble
    assert not [name for name in files(folder) if name.endswith((".safetensors", ".draft"))]


@pytest.mark.parametrize("kept", [True, False])
def test_verifys_report_is_written_whole_or_not_at_all(folder: Path, kept: bool) -> None:
    """The report is larger than any run; the terminal has it nevertheless."""
    if kept:
        (folder / "report.json").write_text("of yesterday")
    before = files(folder)
    words = ("verify", "--claims-path", "mine", "--claim", "lowers", "--json", "report.json", "--executor", "local")
    done = limited(folder, "RLIMIT_FSIZE", 8192, *words)
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: --json report.json: cannot be written: File too large; give")
    assert "HOLDS" in done.stdout
    assert {name for name in files(folder) if not name.startswith("store/")} == before
    assert not kept or (folder / "report.json").read_text() == "of yesterday"
    assert not list(folder.rglob("*.draft"))


def test_the_gates_baseline_is_written_whole_or_not_at_all(folder: Path) -> None:
    (folder / "base.json").write_text(DAMAGED)
    words = (*GATE, "--baseline", "base.json", "--update-baseline", "--reason", "first", "--executor", "local")
    done = limited(folder, "RLIMIT_FSIZE", 1024, *words, *FEW_ROWS, "--quiet")
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: --baseline base.json: cannot be written: File too large")
    assert (folder / "base.json").read_text() == DAMAGED
    assert not list(folder.rglob("*.draft")) and not list(folder.glob(".base.json*"))


def test_the_gates_scorecard_is_written_whole_or_not_at_all(folder: Path) -> None:
    words = (*GATE, "--against", "torch.optim:SGD", "--html", "card.html", "--executor", "local", "--quiet")
    done = limited(folder, "RLIMIT_FSIZE", 8192, *words, *FEW_ROWS)
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: --html card.html: cannot be written: File too large")
    assert not [name for name in files(folder) if "card.html" in name]


def test_a_full_standard_output_is_one_line(folder: Path) -> None:
    environment = {**os.environ, "SPIKECHECK_STORE": "store"}
    words = [sys.executable, "-m", "spikecheck", "verify", "--claims-path", "mine", "--claim", "lowers", "--json", "-"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            words, cwd=folder, env=environment, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120, check=False
        )
    assert done.returncode == 2, done.stderr
    assert "standard output: cannot be written: No space left on device; make room and run again" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="reads its size from /proc")
def test_verify_of_what_needs_more_memory_than_there_is_is_one_line(folder: Path) -> None:
    done = verify(folder, "RLIMIT_AS", 300 * MIB, "large", "--executor", "local", "--json", "report.json")
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert re.fullmatch(r"error: (device='cpu': )?out of memory.*; use a smaller .*, or --executor local.*", line)
    assert not [name for name in files(folder) if name.endswith((".safetensors", ".draft", "report.json"))]


@pytest.mark.skipif(sys.platform != "linux", reason="reads its size from /proc")
def test_gate_of_what_needs_more_memory_than_there_is_is_one_line_and_its_files_say_so(folder: Path) -> None:
    large = ("--at", "width=4000", "--at", "depth=3", "--against", "torch.optim:SGD", "--junit", "gate.xml")
    done = limited(folder, "RLIMIT_AS", 300 * MIB, *GATE, *large, "--executor", "local", "--quiet")
    assert done.returncode == 2, done.stderr
    assert "out of memory" in done.stderr.splitlines()[-1]  # a tile's, or Python's where that came first
    assert "out of memory" in (folder / "gate.xml").read_text()


def workers(parent: int) -> list[int]:
    """The worker processes of a process, Python's resource tracker not among them."""
    children = map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="utf-8").split())
    return [child for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


@pytest.mark.skipif(sys.platform != "linux", reason="looks for workers in /proc")
def test_a_worker_that_the_kernel_kills_is_one_line(folder: Path) -> None:
    """As it does where memory runs out."""
    small = (folder / "mine" / "lowers.py").read_text()
    (folder / "mine" / "long.py").write_text(small.replace("steps=40", "steps=60_000").replace("width=5,", "width=60,"))
    words = ["verify", "--claims-path", "mine", "--claim", "long", "--quiet", "--executor", "processes"]
    environment = {**os.environ, "SPIKECHECK_STORE": "store"}
    with subprocess.Popen(
        [sys.executable, "-m", "spikecheck", *words], cwd=folder, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        deadline = time.monotonic() + 90
        while not (there := workers(process.pid)) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        os.kill(there[0], signal.SIGKILL)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 2, err
    (line,) = (line for line in err.splitlines() if line.startswith("error"))
    assert "a worker process was killed, perhaps for lack of memory" in line
    assert "--executor local" in line
    assert "Traceback" not in err


def test_what_was_stored_before_the_disk_was_full_is_used(folder: Path) -> None:
    first = limited(folder, "RLIMIT_FSIZE", 2**30, "verify", "--claims-path", "mine", "--claim", "lowers", "--quiet")
    assert first.returncode == 0, first.stderr
    words = ("--json", "-", "--quiet")
    done = limited(folder, "RLIMIT_FSIZE", 1024, "verify", "--claims-path", "mine", "--claim", "lowers", *words)
    (claim,) = json.loads(done.stdout)["claims"]
    assert (done.returncode, claim["runs_trained"]) == (0, 0)
