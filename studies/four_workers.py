"""Every claim verified by this machine, and again by four Dask workers over one store: `nox -s workers` (ten minutes).

Both must say the same of every seed, every run must have been trained once, and no file may be damaged.
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
    """A process for as long as it is needed."""
    process = subprocess.Popen([sys.executable, "-m", *words], stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def verified(folder: Path, profile: str, executor: str) -> tuple[dict[str, Any], float]:
    """The report in JSON, and the seconds that it took."""
    folder.mkdir()
    report, started = folder / "report.json", time.monotonic()
    words = ["verify", "--profile", profile, "--executor", executor, "--store", str(folder), "--json", str(report)]
    subprocess.run([sys.executable, "-m", "spikecheck", *words, "--quiet"], check=False, stdout=subprocess.DEVNULL)
    found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return found, time.monotonic() - started


def by_workers(folder: Path, profile: str) -> tuple[dict[str, Any], float]:
    """The same through a scheduler and its workers."""
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
    """How many runs a store holds, every one of them whole."""
    files = sorted((folder / "runs").glob("??/*"))
    for file in files:
        unpack(file.read_bytes(), file.stem)  # raises where a file is damaged or set aside
    return len(files)


def main() -> int:
    """0 when both agree."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--profile", default="ci")
    profile = parser.parse_args().profile
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as temporary:
        folders = {"four workers": Path(temporary, "four"), "this machine": Path(temporary, "here")}
        found = {
            "this machine": verified(folders["this machine"], profile, "processes"),
            "four workers": by_workers(folders["four workers"], profile),
        }
        for name, (report, seconds) in found.items():
            trained = sum(claim["runs_trained"] for claim in report["claims"])
            print(f"{name}: {trained:,} runs trained, {stored(folders[name]):,} stored, {seconds:.0f} s")
    said = [
        [{name: value for name, value in claim.items() if name not in _COSTS} for claim in report["claims"]]
        for report, _ in found.values()
    ]
    print("the same verdicts and the same scores" if said[0] == said[1] else "they differ")
    return 0 if said[0] == said[1] else 1


if __name__ == "__main__":
    sys.exit(main())
