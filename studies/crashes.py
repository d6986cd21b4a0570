"""Ends runs of spikecheck at random moments, and shows that the next run goes on to the same verdict.

Each round starts one task in an empty store, ends it by SIGKILL, SIGTERM or Ctrl-C at a random moment, and then demands:
`spikecheck store verify` finds no damage, no process is left, no temporary file is left after the next run, and the next run's
verdict and per-seed scores are those of a run that nobody ended. Run it as `python studies/reliability.py --part crashes`.
"""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ENDS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
_CLAIM = '''"""Training lowers the loss."""
from spikecheck import Claim, Control, Domain, Ladder, Prediction, Setting, Trial

def fall(trial: Trial) -> float:
    """Loss at the end over loss at the start."""
    return float(trial["run"].loss[-1] / trial["run"].loss[0])

def rise(trial: Trial) -> float:
    """The inverse."""
    return 1.0 / fall(trial)

def gone(trial: Trial) -> float:
    """The loss of a training that has learned everything."""
    return 0.0

claim = Claim(
    says="training lowers the loss", where="everywhere", kind="law",
    domain=Domain(Setting(width=20, points=20, steps=3000, lr=0.02), lr=Ladder(0.02, 0.01)),
    measure=fall, unit="ratio", predicts=Prediction(below=1.0), applies=lambda trial: True,
    control=Control(says="inverted", measure=rise),
    positive=Control(says="a loss that is gone", measure=gone),
)
'''
_LONGEST = 600.0
"""Seconds after which a run counts as hanging."""
_SETTLES = 10.0
"""Seconds in which workers notice that their parent is dead."""
_GATE = "gate --workload mlp --optimizer adam --set lr=0.003 --against gd --against-set lr=0.1 --seeds 2 --at steps=300"
_ROWS = "diverged,final loss,best loss"
"""Not the time of a step, which no two runs share."""


@dataclass
class Round:
    """What one interruption led to; `faults` is empty where all is well."""

    task: str
    end: str
    after: float
    ended_by: int
    stored: int = 0
    faults: list[str] = field(default_factory=list)


def tasks(where: Path, dask: str) -> dict[str, list[str]]:
    """The commands, without their store and report."""
    verify = ["verify", "small", "--claims-path", str(where / "claims")]
    many = [*verify, "--profile", "quick"]
    return {
        "verify, local": [*verify, "--executor", "local"],
        "verify, processes": [*many, "--executor", "processes"],
        "verify, Dask": [*many, "--executor", f"dask://{dask}"],
        "gate, workload": [*_GATE.split(), "--rows", _ROWS],
    }


def crashes(where: Path, rounds: int, already: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Rounds that are missing from `already`, as each is done."""
    (where / "claims").mkdir(parents=True, exist_ok=True)
    (where / "claims" / "small.py").write_text(_CLAIM)
    with _dask(where) as address:
        commands = tasks(where, address)
        whole = {name: _whole(where, name, command) for name, command in commands.items()}
        for number in range(len(already), rounds):
            draw = random.Random(number)
            name = list(commands)[number % len(commands)]
            end = ENDS[number // len(commands) % len(ENDS)]
            expected, seconds = whole[name]
            yield asdict(_round(where, (name, commands[name]), end, draw.uniform(0.0, seconds), expected))


def scores(report: Path) -> Any:
    """What decides in a report or a scorecard, with each seed's scores: all but times, counts of reused runs and paths."""
    document = json.loads(report.read_text(encoding="utf-8"))
    if "rows" in document:
        return [document["decision"], document["rows"], document["curves"]]
    kept = ("replicates", "generalises", "passed", "reference", "control", "positive", "answers", "reach", "weakest")
    return [{name: verdict[name] for name in kept} for verdict in document["claims"]]


def _whole(where: Path, name: str, command: list[str]) -> tuple[Any, float]:
    """The result of a run that nobody ends, and its seconds."""
    place = _empty(where / "whole")
    began = time.monotonic()
    _started(place, command).wait(timeout=_LONGEST)
    seconds = time.monotonic() - began
    print(f"  {name}: {seconds:.1f} s without interruption", flush=True)
    return scores(place / "report.json"), seconds


def _round(where: Path, task: tuple[str, list[str]], end: signal.Signals, after: float, expected: Any) -> Round:
    name, command = task
    place = _empty(where / "round")
    begun = _started(place, command)
    with suppress(subprocess.TimeoutExpired):
        begun.wait(timeout=after)
    one = Round(name, end.name, round(after, 3), 0)
    if begun.poll() is None:
        # Ctrl-C reaches the whole group, as from a terminal; the others reach the one process that somebody knows.
        os.killpg(begun.pid, end) if end is signal.SIGINT else begun.send_signal(end)
    try:
        one.ended_by = begun.wait(timeout=_LONGEST)
    except subprocess.TimeoutExpired:
        one.faults.append("it hangs")
        os.killpg(begun.pid, signal.SIGKILL)
        begun.wait()
    one.faults += _orphans(begun.pid)
    said = (place / "said").read_text(encoding="utf-8", errors="replace")
    one.faults += ["traceback"] if "Traceback" in said else []
    one.stored = len(list(place.glob("store/runs/*/*.safetensors")))
    one.faults += [] if _called(place, ["store", "verify"]) == 0 else ["store verify finds damage"]
    code = _started(place, command).wait(timeout=_LONGEST)
    one.faults += [] if code in (0, 1, 3) else [f"the next run exits with {code}"]
    if not one.faults and scores(place / "report.json") != expected:
        one.faults.append("the next run has other scores")
    one.faults += [f"left behind: {path.relative_to(place)}" for path in _leftovers(place)]
    one.faults += [] if _called(place, ["store", "verify"]) == 0 else ["store verify finds damage after the next run"]
    return one


def _started(place: Path, command: list[str]) -> "subprocess.Popen[bytes]":
    """The command in a group of its own, with a store, a report and a folder for temporary files in `place`."""
    with (place / "said").open("ab") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "spikecheck", *command, "--store", place / "store", "--json", place / "report.json"],
            cwd=place, stdout=said, stderr=said, start_new_session=True,
            env={**os.environ, "TMPDIR": str(place / "tmp"), "OMP_NUM_THREADS": "1"},
        )  # fmt: skip


def _called(place: Path, command: list[str]) -> int:
    words = [sys.executable, "-m", "spikecheck", *command, "--store", str(place / "store")]
    return subprocess.run(words, cwd=place, capture_output=True, check=False, timeout=_LONGEST).returncode


def _orphans(group: int) -> list[str]:
    """The processes of the group that live longer than workers need to see that their parent is dead; they are ended."""
    until = time.monotonic() + _SETTLES
    while time.monotonic() < until:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return []
        time.sleep(0.05)
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
    return ["a process is left"]


def _leftovers(place: Path) -> list[Path]:
    """Drafts and checkpoints that nobody will use, and whatever is in the folder for temporary files."""
    return [
        *place.rglob("*.draft"),
        *place.glob("store/checkpoints/*"),
        *(path for path in (place / "tmp").iterdir()),
    ]


def _empty(place: Path) -> Path:
    shutil.rmtree(place, ignore_errors=True)
    (place / "tmp").mkdir(parents=True)
    return place


@contextmanager
def _dask(where: Path) -> Iterator[str]:
    """A scheduler and a worker, which outlive the runs that are ended."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    head = ["distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", address.split(":")[1], "--no-dashboard"]
    worker = ["distributed.cli.dask_worker", address, "--nthreads", "1", "--no-dashboard"]
    worker += ["--local-directory", str(where / "dask-files")]
    said = (where / "dask").open("wb")
    with said:
        begun = [subprocess.Popen([sys.executable, "-m", *part], stdout=said, stderr=said) for part in (head, worker)]
        try:
            yield address
        finally:
            for one in reversed(begun):
                one.terminate()
                one.wait()
