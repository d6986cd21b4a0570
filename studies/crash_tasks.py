"""The runs that `crashes` ends: verdicts and gates, of ensembles and of own trainings, by every executor of one machine."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from studies.small_claim import small_claim

_PLAIN, _COMPILED = 40, 1_000
"""Steps of a training by torch's operations, and of one by compiled kernels."""
_ROWS = "diverged,final loss,best loss"
"""Not the time of a step, which no two runs share."""


@dataclass(frozen=True)
class Task:
    """A command line, without its store and report."""

    name: str
    words: tuple[str, ...]
    fresh: bool = False
    """Whether it is run by an interpreter of its own, so that it may be ended while it imports."""
    weight: int = 6
    """Its share of the rounds: less where a round takes long."""
    reports: bool = True
    """Whether it writes a report."""

    def files(self, place: Path) -> tuple[object, ...]:
        """The option that writes the report."""
        return ("--json", place / "report.json") if self.reports else ()


def tasks(where: Path, dask: str) -> tuple[Task, ...]:
    """All of them; their claims are written to `where`."""
    claims = claims_in(where)

    def verify(claim: str, executor: str) -> tuple[str, ...]:
        return ("verify", claim, "--claims-path", str(claims), "--executor", executor)

    mlp = ("--workload", "mlp", "--executor", "local")
    rates = ("--optimizer", "adam", "--set", "lr=0.003", "--against", "gd", "--against-set", "lr=0.1")
    gate = ("gate", *rates, "--rows", _ROWS, "--seeds", "4")
    own = (*gate, *mlp, "--at", "steps=40")
    compiled = verify("compiled", "local")
    return (
        Task("verify, local", verify("small", "local")),
        Task("verify, processes", verify("small", "processes")),
        Task("verify, Dask", verify("small", f"dask://{dask}")),
        Task("verify, own training", ("verify", "spikes-come", *mlp, "--steps", "20", "--seeds", "14"), weight=2),
        Task("gate, ensembles", (*gate, "--dataset", "few-digits", "--at", "steps=40", "--executor", "local")),
        Task("gate, own training", own),
        Task("verify, compiled, from the interpreter's start", compiled, fresh=True, weight=1),
        Task("gate, own training, from the interpreter's start", own, fresh=True, weight=1),
    )


def claims_in(where: Path) -> Path:
    """A new folder with the claims `small`, trained by torch's operations, and `compiled`."""
    claims = where / "claims"
    claims.mkdir(parents=True, exist_ok=True)
    for name, steps in (("small", _PLAIN), ("compiled", _COMPILED)):
        (claims / f"{name}.py").write_text(small_claim(steps=steps), encoding="utf-8")
    return claims


@contextmanager
def dask_cluster(where: Path) -> Iterator[str]:
    """A scheduler and a worker, which outlive the runs that are ended."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    head = ["distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", address.split(":")[1], "--no-dashboard"]
    worker = ["distributed.cli.dask_worker", address, "--nthreads", "1", "--no-dashboard"]
    worker += ["--local-directory", str(where / "dask-files")]
    with (where / "dask").open("wb") as said:
        begun = [subprocess.Popen([sys.executable, "-m", *part], stdout=said, stderr=said) for part in (head, worker)]
        try:
            yield address
        finally:
            for one in reversed(begun):
                one.terminate()
                one.wait()
