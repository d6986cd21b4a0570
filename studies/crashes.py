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
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import psutil

from spikecheck.lab.store import MARKER
from studies.crash_tasks import Task, dask_cluster, tasks
from studies.forked_commands import Command, Forked, Server
from studies.starts import PYTHONS, ended

ENDS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
_LONGEST = 300.0
"""Seconds after which a run counts as hanging."""
SETTLES = 10.0
"""Seconds in which workers notice that their parent is dead, and a cluster's worker ends the task that it has."""
_TRIES = 8
"""Times that a round is begun again, at an earlier moment, where its run had finished before its moment came."""
_EARLIER = 0.7
_FINISHED = (0, 1, 3)
"""Exit codes of a run that came to its end."""

Begun = Forked | subprocess.Popen[bytes]
Start = Callable[[Task, Path], Begun]


@dataclass
class Round:
    """What one interruption led to; `faults` is empty where all is well."""

    task: str
    end: str
    after: float
    """Seconds from the start to the signal."""
    ended_by: int
    missed: int = 0
    """Runs before it that had finished when their moment came."""
    stored: int = 0
    """Runs in the store when it ended."""
    pythons: bool = False
    """Whether it ended with a traceback of Python's own start, of which `starts` tells more."""
    faults: list[str] = field(default_factory=list)


def crashes(where: Path, rounds: int, already: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Rounds whose numbers are missing from `already`, as each is done."""
    done = {row["number"] for row in already}
    with dask_cluster(where) as address, Server({"TMPDIR": str(where), "OMP_NUM_THREADS": "1"}) as server:
        chosen = tasks(where, address)
        start = starting(server, where)
        whole = cache(lambda task: uninterrupted(where, task, start))
        for number in sorted(set(range(rounds)) - done):
            draw = random.Random(number)
            (task,) = draw.choices(chosen, [task.weight for task in chosen])
            expected, seconds = whole(task)
            end, moment = draw.choice(ENDS), draw.uniform(0.0, seconds)
            one = round_of(where / f"round-{number}", task, end, moment, expected, start)
            yield {"number": number, **asdict(one)}


def scores(report: Path) -> Any:
    """What decides in a report or a scorecard, with each seed's scores: all but times, counts of reused runs and paths."""
    document = json.loads(report.read_text(encoding="utf-8"))
    if "rows" in document:
        return [document["decision"], document["rows"], document["curves"]]
    kept = ("replicates", "generalises", "passed", "reference", "control", "positive", "answers", "reach", "weakest")
    return [{name: verdict[name] for name in kept} for verdict in document["claims"]]


def uninterrupted(where: Path, task: Task, start: Start) -> tuple[Any, float]:
    """The result of a run that nobody ends, and its seconds; of a second one where forks save it the imports of the first."""
    for _ in range(1 if task.fresh else 2):
        place = _empty(where / "whole")
        began = time.monotonic()
        code = start(task, place).wait(timeout=_LONGEST)
        seconds = time.monotonic() - began
    print(f"  {task.name}: {seconds:.1f} s without interruption, exit code {code}", flush=True)
    return scores(place / "report.json"), seconds


def round_of(place: Path, task: Task, end: signal.Signals, after: float, expected: Any, start: Start) -> Round:
    """A run ended about `after` seconds after its start, the next run, and what is wrong with both.

    `place` is a folder for it alone, which is kept where something is wrong.
    """
    one, begun = _ended(place, task, end, after, start)
    one.faults += orphans(begun.pid, place)
    said = (place / "said").read_text(encoding="utf-8", errors="replace") if (place / "said").exists() else ""
    # A command that is forked is imported already: its tracebacks are never Python's own start.
    one.pythons = task.fresh and end is signal.SIGINT and ended(said, one.ended_by) == PYTHONS
    one.faults += ["traceback"] if "Traceback" in said and not one.pythons else []
    one.stored = len(list(place.glob("store/runs/*/*.safetensors")))
    one.faults += _damage(start, place, "")
    code = start(task, place).wait(timeout=_LONGEST)
    if code not in _FINISHED:
        one.faults.append(f"the next run exits with {code}")
    elif scores(place / "report.json") != expected:
        one.faults.append("the next run has other scores")
    one.faults += [f"left behind: {path.relative_to(place)}" for path in _leftovers(place)]
    one.faults += _damage(start, place, " after the next run")
    if not one.faults:
        shutil.rmtree(place, ignore_errors=True)
    return one


def _ended(place: Path, task: Task, end: signal.Signals, after: float, start: Start) -> tuple[Round, Begun]:
    """A run that was ended while it ran, `after` seconds after its start or earlier.

    Raises:
        RuntimeError: every try had finished before its moment came.
    """
    for missed in range(_TRIES):
        begun = start(task, _empty(place))
        with suppress(subprocess.TimeoutExpired):
            begun.wait(timeout=after)
        if begun.poll() is None:
            # Ctrl-C reaches the whole group, as from a terminal; the others reach the one process that somebody knows.
            with suppress(ProcessLookupError):  # it has just finished
                os.killpg(begun.pid, end) if end is signal.SIGINT else os.kill(begun.pid, end)
        one = Round(task.name, end.name, round(after, 3), 0, missed)
        try:
            one.ended_by = begun.wait(timeout=_LONGEST)
        except subprocess.TimeoutExpired:
            one.faults.append("it hangs")
            os.killpg(begun.pid, signal.SIGKILL)
            one.ended_by = begun.wait(timeout=_LONGEST)
        if one.ended_by not in _FINISHED:
            return one, begun
        after *= _EARLIER
    raise RuntimeError(f"{task.name}: finished {_TRIES} times before its moment came")


def starting(server: Server, where: Path) -> Start:
    """Starts tasks, by forks of the server or by an interpreter of their own, in a folder with their store and report."""

    learned = where / "modules"

    def start(task: Task, place: Path) -> Begun:
        words = tuple(map(str, (*task.words, "--store", place / "store", *task.files(place))))
        environ = {"TMPDIR": str(place / "tmp"), "OMP_NUM_THREADS": "1"}
        if not task.fresh:
            return server.start(Command(words, str(place), environ, str(learned)))
        with (place / "said").open("ab") as said:
            return subprocess.Popen(
                [sys.executable, "-m", "spikecheck", *words], cwd=place, stdout=said, stderr=said,
                start_new_session=True, env={**os.environ, **environ},
            )  # fmt: skip

    return start


def _damage(start: Start, place: Path, when: str) -> list[str]:
    if not (place / "store" / MARKER).exists():
        return []  # it was ended before there was a store
    check = Task("store verify", ("store", "verify"), reports=False)
    return [] if start(check, place).wait(timeout=_LONGEST) == 0 else [f"store verify finds damage{when}"]


def orphans(group: int, place: Path) -> list[str]:
    """The run's processes that live longer than workers need to see that their parent is dead; they are ended."""
    until = time.monotonic() + SETTLES
    while left := _processes(group, place):
        if time.monotonic() > until:
            for process in left:
                with suppress(psutil.Error):
                    process.kill()
            return [f"a process is left: {len(left)}"]
        time.sleep(0.05)
    return []


def _processes(group: int, place: Path) -> list[psutil.Process]:
    """Those of the run's process group, and whatever else was started with its folder for temporary files."""
    return [process for process in psutil.process_iter() if _belongs(process, group, str(place / "tmp"))]


def _belongs(process: psutil.Process, group: int, temporary: str) -> bool:
    with suppress(psutil.Error, ProcessLookupError):
        ended = process.status() == psutil.STATUS_ZOMBIE
        return not ended and (os.getpgid(process.pid) == group or process.environ().get("TMPDIR") == temporary)
    return False


def _leftovers(place: Path) -> list[Path]:
    """Drafts and checkpoints that nobody will use, and whatever is in the folder for temporary files.

    A cluster's worker may still be writing what an ended run had asked of it.
    """
    until = time.monotonic() + SETTLES
    while left := [*place.rglob("*.draft"), *place.glob("store/checkpoints/*"), *temporary(place / "tmp")]:
        if time.monotonic() > until:
            return left
        time.sleep(0.1)
    return []


def temporary(folder: Path) -> list[Path]:
    """What is left in a folder for temporary files, but for torch's empty folder `torchinductor_USER`.

    Whoever uses torch.optim makes that folder: `torch/_dynamo/package.py` creates torch's cache as it is imported. It is one
    for all programs of a user, and nothing is in it unless something was compiled by torch.
    """

    def torchs(path: Path) -> bool:
        return path.name.startswith("torchinductor_") and all(part.is_dir() for part in path.rglob("*"))

    return [path for path in folder.iterdir() if not torchs(path)]


def _empty(place: Path) -> Path:
    shutil.rmtree(place, ignore_errors=True)
    (place / "tmp").mkdir(parents=True)
    return place
