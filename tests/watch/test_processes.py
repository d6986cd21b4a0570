"""Several trainings at once: the same bits as alone, told how far they are, resumed, and ended with their parent."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikecheck.core.errors import SettingError
from spikecheck.lab.store import Store
from spikecheck.watch import processes
from spikecheck.watch.processes import train_all
from spikecheck.watch.runs import Order
from spikecheck.watch.workload import OptimizerChoice, Workload

MLP = Workload.of("mlp")


def orders(count: int, steps: int = 40) -> list[Order]:
    return [Order(MLP, seed, steps) for seed in range(count)]


def test_workers_give_the_bits_of_this_process(tmp_path: Path) -> None:
    told: dict[int, int] = {}
    here = dict(train_all(orders(3), None, workers=1))
    there = dict(
        train_all(orders(3), Store(tmp_path), workers=2, progress=lambda place, steps: told.update({place: steps}))
    )
    assert here.keys() == there.keys() == {0, 1, 2}
    for place, run in here.items():
        assert np.array_equal(run.losses, there[place].losses)
    assert all(run.reused for _, run in train_all(orders(3), Store(tmp_path), workers=1))
    assert max(told.values()) == 40


def test_one_that_cannot_be_trained_is_said(tmp_path: Path) -> None:
    broken = Order(MLP, 0, 10, OptimizerChoice.of("torch.optim:SGD", {"lr": 0.1, "momentum": -1.0}))
    with pytest.raises(SettingError, match=r"Invalid momentum value"):
        list(train_all([*orders(1, 10), broken], Store(tmp_path), workers=2))


class Enough(Exception):
    """Raised by who watches the progress."""


def test_who_stops_leaves_checkpoints(tmp_path: Path) -> None:
    def progress(place: int, steps: int) -> None:
        if steps > 10:
            raise Enough

    with pytest.raises(Enough):
        list(train_all(orders(2, 100_000), Store(tmp_path), workers=2, progress=progress))
    assert list((tmp_path / "checkpoints").iterdir())


def idle(counts: Any) -> None:
    """A worker that waits for something to train."""
    processes._begin_worker(counts)
    counts[0] = 1
    time.sleep(60.0)


def busy(counts: Any, folder: Path) -> None:
    """A worker that trains for long, and would then wait for the next order."""
    processes._begin_worker(counts)
    (order,) = orders(1, 10**6)
    with suppress(BaseException):  # as a pool does, which hands it to the parent
        processes._train_numbered(0, order, Store(folder), 1e6)
    time.sleep(60.0)


@pytest.mark.parametrize("does", [idle, busy])
def test_a_worker_that_is_told_to_end_ends_whatever_it_does(does: Callable[..., None], tmp_path: Path) -> None:
    """Regression: it took note of it, and then waited for its next order; `gate --workload` hung after Ctrl-C."""
    context = multiprocessing.get_context("spawn")
    counts = context.Array("q", 1, lock=False)
    worker = context.Process(target=does, args=(counts,) if does is idle else (counts, tmp_path))
    worker.start()
    while not counts[0]:
        time.sleep(0.05)
    worker.terminate()
    worker.join(30.0)
    assert worker.exitcode == 0
    assert does is idle or list((tmp_path / "checkpoints").iterdir())


PARENT = """
import sys
from pathlib import Path
from spikecheck.lab.store import Store
from spikecheck.watch import processes
from spikecheck.watch.processes import train_all
from spikecheck.watch.runs import Order
from spikecheck.watch.workload import Workload

def progress(place, steps):
    if steps:
        import multiprocessing
        print(*(child.pid for child in multiprocessing.active_children()), flush=True)

if __name__ == "__main__":
    orders = [Order(Workload.of("mlp"), seed, 10**6) for seed in range(2)]
    list(train_all(orders, Store(Path(sys.argv[1])), workers=2, progress=progress))
"""


def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, str(script), str(tmp_path / "store")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as child:
        assert child.stdout is not None
        workers = [int(pid) for pid in child.stdout.readline().split()]
        child.send_signal(signal.SIGKILL)
    assert len(workers) == 2
    deadline = time.monotonic() + 20
    while any(map(_runs, workers)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(_runs, workers))


def _runs(pid: int) -> bool:
    """Whether a process is there, and no zombie that nobody has buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


PRINTS = """
import workloads.mlp

def talks(make_optimizer, seed, device):
    print("making")
    return workloads.mlp.mlp(make_optimizer, seed, device, size="tiny")
"""


def test_what_a_workload_prints_is_no_part_of_a_report(
    write: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Regression: it stood in standard output before the JSON that was asked for there."""
    talks = Order(Workload.of(f"{write(PRINTS)}:talks"), 0, 2)
    list(train_all([talks], None, workers=1))
    printed = capsys.readouterr()
    assert printed.out == "" and "making" in printed.err
