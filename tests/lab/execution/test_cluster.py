"""Workers of a real Dask scheduler and of submitit's local queue, and a verification in parts, through the command line."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

import spikecheck
from spikecheck.core.errors import ClusterLost, StoreError
from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.lab.device import environment as environment_of_device
from spikecheck.lab.execution.cluster import Cluster, Connection, answer
from spikecheck.lab.laboratory import Laboratory
from spikecheck.lab.store import Store
from tests.command_line import Told, called


@pytest.fixture
def folder(tmp_path: Path, small_claim: Callable[..., str]) -> Path:
    (tmp_path / "mine").mkdir()
    for name, steps in {"short": 40, "shorter": 30, "long": 6_000}.items():
        (tmp_path / "mine" / f"{name}.py").write_text(small_claim(steps=steps), encoding="utf-8")
    return tmp_path


def line(*words: str) -> list[str]:
    return [sys.executable, "-m", *words]


def environment(folder: Path) -> dict[str, str]:
    """Workers find the folder's modules, and this checkout's spikecheck whichever is installed."""
    path = f"{folder}{os.pathsep}{Path(spikecheck.__file__).parents[1]}"
    return {**os.environ, "SPIKECHECK_STORE": str(folder / "store"), "OMP_NUM_THREADS": "1", "PYTHONPATH": path}


def verify(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    whole = line("spikecheck", "verify", "--claims-path", "mine", *words)
    return subprocess.run(
        whole, cwd=folder, env=environment(folder), capture_output=True, text=True, timeout=240, check=False
    )


def verify_here(folder: Path, *words: str) -> Told:
    """As `verify` in this process, where torch is imported already."""
    return here(folder, "verify", "--claims-path", "mine", *words)


def here(folder: Path, *words: str) -> Told:
    return called(folder, *words, SPIKECHECK_STORE=str(folder / "store"))


def report(folder: Path, *words: str) -> dict[str, Any]:
    start = verify_here if "local" in words else verify
    done = start(folder, "--json", "-", "--quiet", *words)
    assert done.stdout, done.stderr
    parsed: dict[str, Any] = json.loads(done.stdout)
    return parsed


def without_costs(parsed: dict[str, Any]) -> list[dict[str, Any]]:
    costs = ("seconds", "runs_trained", "runs_reused")
    return [{name: value for name, value in claim.items() if name not in costs} for claim in parsed["claims"]]


@contextmanager
def running(folder: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(line(*words), cwd=folder, env=environment(folder), stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def scheduler(folder: Path, port: int) -> list[str]:
    return ["distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]


def worker(port: int) -> list[str]:
    return ["distributed.cli.dask_worker", f"tcp://127.0.0.1:{port}", "--nthreads", "1", "--no-dashboard"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def stored(folder: Path) -> int:
    return sum(1 for _ in (folder / "store" / "runs").glob("??/*.safetensors"))


def wait_for(what: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def test_dask_gives_the_verdict_and_the_scores_of_this_process(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    local = report(folder, "--claim", "short", "--executor", "local", "--store", str(tmp_path_factory.mktemp("own")))
    port = free_port()
    with ExitStack() as stack:
        stack.enter_context(running(folder, *scheduler(folder, port)))
        for _ in range(2):
            stack.enter_context(running(folder, *worker(port)))
        there = report(folder, "--claim", "short", "--executor", f"dask://127.0.0.1:{port}")
    assert there["claims"][0]["runs_trained"] == local["claims"][0]["runs_trained"] > 0
    assert without_costs(there) == without_costs(local)


def test_a_worker_and_a_scheduler_that_die_cost_only_unfinished_tiles(folder: Path) -> None:
    port = free_port()
    words = ("--claim", "long", "--executor", f"dask://127.0.0.1:{port}", "--quiet")
    whole = line("spikecheck", "verify", "--claims-path", "mine", *words)
    with ExitStack() as stack:
        head = stack.enter_context(running(folder, *scheduler(folder, port)))
        workers = [stack.enter_context(running(folder, *worker(port))) for _ in range(2)]
        first = subprocess.Popen(whole, cwd=folder, env=environment(folder), stderr=subprocess.PIPE, text=True)
        wait_for(lambda: stored(folder) > 0)
        workers[0].send_signal(signal.SIGKILL)
        seen = stored(folder)
        wait_for(lambda: stored(folder) > seen)
        head.send_signal(signal.SIGKILL)
        _, said = first.communicate(timeout=120)
        assert first.returncode == 3, said
        assert f"dask://127.0.0.1:{port}: is lost" in said
        assert "Traceback" not in said
    kept = stored(folder)
    with ExitStack() as stack:
        stack.enter_context(running(folder, *scheduler(folder, port)))
        stack.enter_context(running(folder, *worker(port)))
        again = report(folder, *words[:-1])
    (claim,) = again["claims"]
    assert claim["runs_reused"] >= kept
    assert claim["runs_trained"] == stored(folder) - kept
    assert again["complete"]


def test_submitit_gives_the_same_verdict(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    local = report(folder, "--claim", "shorter", "--executor", "local", "--store", str(tmp_path_factory.mktemp("own")))
    there = report(folder, "--claim", "shorter", "--executor", "submitit://local")
    assert without_costs(there) == without_costs(local)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--executor", "dask://nowhere"), "give local, processes, dask://HOST:PORT or slurm://PARTITION"),
        (("--executor", "dask://127.0.0.1:1"), "no scheduler answers there"),
        (("--executor", "dask://127.0.0.1:1", "--no-store"), "omit one of them"),
        (("--executor", "slurm://gpu"), "sbatch"),
        (("--shard", "3/2"), "give I/N"),
        (("--shard", "9/9", "--claim", "short"), "use fewer parts"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(folder: Path, words: tuple[str, ...], said: str) -> None:
    start = verify if "dask://127.0.0.1:1" in words else verify_here  # Dask's threads outlive a call
    done = start(folder, *(("--claim", "short") if "--claim" not in words else ()), *words)
    assert done.returncode in (2, 5)
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


class Silent(futures.Executor):
    """Takes tasks and never says a word about them."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> "futures.Future[Any]":
        return futures.Future()


def test_a_scheduler_that_is_gone_is_noticed_though_no_future_says_so(tmp_path: Path) -> None:
    """Regression: one that died between a task's end and its answer was waited for without end."""
    left: list[str] = []
    connection = Connection(Silent(), lambda: left.append("left"), lambda: True)
    lab = Laboratory(Store(tmp_path), executor=Cluster(lambda: connection, str(tmp_path), "dask://there"))
    with pytest.raises(ClusterLost, match="dask://there: is lost"):
        lab.runs([Recipe(setting=Setting(width=4, points=6, steps=5), seed=0)])
    lab.close()
    assert left == ["left"]


def test_a_worker_that_cannot_store_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not that the folder is another one, which is what a missing run would look like."""

    def full(*_: object) -> None:
        raise StoreError("store: no space left")

    monkeypatch.setattr(Store, "put", full)
    recipe = Recipe(setting=Setting(width=4, points=6, steps=5), seed=0)
    with pytest.raises(StoreError, match="a worker cannot store .* no space left"):
        answer((recipe,), str(tmp_path), "cpu", environment_of_device("cpu"))


def test_parts_merge_to_the_whole_and_to_nothing_else(folder: Path) -> None:
    chosen = ("--claim", "short", "--claim", "shorter", "--executor", "local")
    whole = report(folder, *chosen)
    for part in ("1", "2"):
        verify_here(folder, *chosen, "--shard", f"{part}/2", "--json", f"{part}.json", "--quiet")

    def merge(*words: str) -> Told:
        return here(folder, "merge", *words)

    done = merge("2.json", "1.json", "--json", "-", "--quiet")
    assert done.returncode == 0, done.stderr
    parsed = json.loads(done.stdout)
    assert [claim["id"] for claim in parsed["claims"]] == ["short", "shorter"]
    assert without_costs(parsed) == without_costs(whole)
    assert (parsed["shard"], parsed["passed"], parsed["complete"]) == ("", True, True)
    (folder / "whole.json").write_text(json.dumps(whole), encoding="utf-8")
    (folder / "copy.json").write_bytes((folder / "1.json").read_bytes())
    text = (folder / "1.json").read_text(encoding="utf-8")
    (folder / "other.json").write_text(text.replace('"shard": "1/2"', '"shard": "2/2"'), encoding="utf-8")
    (folder / "odd.json").write_text(text.replace('"shard": "1/2"', '"shard": "one"'), encoding="utf-8")
    for files, said in {
        ("1.json",): "2/2: are missing",
        ("1.json", "whole.json"): "is a whole report",
        ("1.json", "copy.json", "2.json"): "give every part once",
        ("1.json", "other.json"): "make all parts with the same --claim options",
    }.items():
        refused = merge(*files)
        assert refused.returncode == 4, refused.stdout
        assert said in refused.stderr
    assert merge("odd.json").returncode == 2
