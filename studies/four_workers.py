"""Verifies every claim on this machine, and again with four Dask workers over one store: `nox -s workers` (ten minutes).

Both must give the same result for every seed, every run must be trained exactly once, and no file may be damaged.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from spikecheck.lab.store_format import unpack

WORKERS = 4
_COSTS = ("seconds", "runs_trained", "runs_reused")


@contextmanager
def running(*words: str) -> Iterator[None]:
    """A context during which a process runs."""
    process = subprocess.Popen([sys.executable, "-m", *words], stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def verified(folder: Path, profile: str, executor: str) -> tuple[dict[str, Any], float]:
    """The JSON report of a verification, and the seconds that it took."""
    folder.mkdir()
    report, started = folder / "report.json", time.monotonic()
    words = ["verify", "--profile", profile, "--executor", executor, "--store", str(folder), "--json", str(report)]
    subprocess.run([sys.executable, "-m", "spikecheck", *words, "--quiet"], check=False, stdout=subprocess.DEVNULL)
    document: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return document, time.monotonic() - started


def by_workers(folder: Path, profile: str) -> tuple[dict[str, Any], float]:
    """The JSON report of a verification by a scheduler and its workers, and the seconds that it took."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    with ExitStack() as stack:
        scheduler = ["distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard"]
        stack.enter_context(running(*scheduler))
        worker = ["distributed.cli.dask_worker", f"tcp://127.0.0.1:{port}", "--nthreads", "1", "--no-dashboard"]
        for _ in range(WORKERS):
            stack.enter_context(running(*worker))
        return verified(folder, profile, f"dask://127.0.0.1:{port}")


def stored(folder: Path) -> int:
    """The number of runs in a store; a damaged one raises an error."""
    files = sorted((folder / "runs").glob("??/*"))
    for file in files:
        unpack(file.read_bytes(), file.stem)  # raises where a file is damaged or set aside
    return len(files)


def main() -> int:
    """Compare both verifications; the exit code is 0 if they agree, else 1."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--profile", default="ci")
    profile = parser.parse_args().profile
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as temporary:
        folders = {"four workers": Path(temporary, "four"), "this machine": Path(temporary, "here")}
        verifications = {
            "this machine": verified(folders["this machine"], profile, "processes"),
            "four workers": by_workers(folders["four workers"], profile),
        }
        for name, (report, seconds) in verifications.items():
            trained = sum(claim["runs_trained"] for claim in report["claims"])
            print(f"{name}: {trained:,} runs trained, {stored(folders[name]):,} stored, {seconds:.0f} s")
    verdicts = [
        [{name: value for name, value in claim.items() if name not in _COSTS} for claim in report["claims"]]
        for report, _ in verifications.values()
    ]
    print("the same verdicts and the same scores" if verdicts[0] == verdicts[1] else "they differ")
    return 0 if verdicts[0] == verdicts[1] else 1


if __name__ == "__main__":
    sys.exit(main())
