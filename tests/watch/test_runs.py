"""Runs of workloads: stored by what decides them, resumed after a kill with the same bits, never lost to a full disk."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from spikecheck.core.errors import SettingError, StoreError
from spikecheck.lab.store import Store
from spikecheck.watch.runs import Order, WorkloadRun, train
from spikecheck.watch.workload import OptimizerChoice, Workload

Write = Callable[[str], str]
MLP = Workload.of("mlp", {"dropout": 0.5})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def order(**changes: Any) -> Order:
    return Order(**{"workload": MLP, "seed": 3, "steps": 30, **changes})


def test_a_run_is_the_training_itself_and_is_trained_once(store: Store) -> None:
    run = train(order(), store)
    assert run.losses.tolist() == MLP.make(None, 3, "cpu").run(30)
    assert not run.reused and not run.diverged and run.seconds_a_step > 0
    again = train(order(), store)
    assert again.reused
    assert again.about == run.about
    assert np.array_equal(again.losses, run.losses)
    assert not list((store.folder / "checkpoints").glob("*"))


@pytest.mark.parametrize("changes", [
    {"seed": 4}, {"steps": 31}, {"workload": Workload.of("mlp")},
    {"optimizer": OptimizerChoice.of("adam", {"lr": 0.002})},
])  # fmt: skip
def test_whatever_decides_a_run_is_another_run(store: Store, changes: dict[str, Any]) -> None:
    train(order(), store)
    assert not train(order(**changes), store).reused


OWN = """
import torch
import spikecheck
{imported}

def workload(make_optimizer, seed, device):
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1) if make_optimizer is None else make_optimizer(model.parameters())
    def step(x):
        optimizer.zero_grad()
        loss = (model(x) - {target}).square().mean()
        loss.backward()
        optimizer.step()
        return loss
    batches = list(torch.randn(5, 3, 2).unbind())
    return spikecheck.Training(step=step, batches=batches, state={{"model": model, "optimizer": optimizer}})
"""


def test_a_changed_source_is_another_run(store: Store, write: Write) -> None:
    module = write(OWN.format(imported="", target=1))
    mine = order(workload=Workload.of(f"{module}:workload"))
    first = train(mine, store)
    assert train(mine, store).reused
    file = Path(f"{module}.py")
    file.write_text(OWN.format(imported="", target=2))
    os.utime(file, (time.time() + 5, time.time() + 5))
    del sys.modules[module]
    changed = train(mine, store)
    assert not changed.reused
    assert not np.array_equal(changed.losses, first.losses)


STOPPED = """
import sys, time
from pathlib import Path
import torch
torch.set_num_threads(1)
from spikecheck.lab.store import Store
from spikecheck.watch.runs import Order, train
from spikecheck.watch.workload import Workload

def tick(steps):
    if steps > 40:
        print("on", flush=True)
        time.sleep(600)

train(Order(Workload.of("mlp", {{"dropout": 0.5}}), 3, 2000), Store(Path({store!r})), tick, save_every=0.0)
"""


def test_a_run_that_is_killed_goes_on_with_the_same_bits(tmp_path: Path, store: Store) -> None:
    """kill -9 in the middle; the loss of every step is that of a run without a break."""
    program = STOPPED.format(store=str(store.folder))
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "on\n"
        child.send_signal(signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL
    kept = list((store.folder / "checkpoints").iterdir())
    assert len(kept) == 1
    run = train(order(steps=2000), store)
    assert 0 < run.resumed_at < 2000
    assert run.losses.tolist() == MLP.make(None, 3, "cpu").run(2000)
    assert not list((store.folder / "checkpoints").iterdir())


class Stop(Exception):
    """Raised by who has waited long enough."""


def stopped(store: Store) -> WorkloadRun | None:
    def tick(steps: int) -> None:
        if steps >= 20:
            raise Stop

    with pytest.raises(Stop):
        train(order(steps=2000), store, tick)
    return None


def test_who_stops_a_run_leaves_a_checkpoint(store: Store) -> None:
    stopped(store)
    assert train(order(steps=2000), store).resumed_at > 0


def test_a_training_in_float64_goes_on_with_all_its_digits(store: Store, write: Write) -> None:
    module = write(OWN.format(imported="torch.set_default_dtype(torch.float64)", target=1))
    before = torch.get_default_dtype()
    try:
        own = Order(Workload.of(f"{module}:workload"), 3, 2000)
        whole = train(own, None)

        def tick(steps: int) -> None:
            if steps >= 20:
                raise Stop

        with pytest.raises(Stop):
            train(own, store, tick)
        resumed = train(own, store)
    finally:
        torch.set_default_dtype(before)
    assert resumed.resumed_at > 0
    assert resumed.losses.tolist() == whole.losses.tolist()
    assert not np.array_equal(whole.losses, whole.losses.astype(np.float32))


def test_a_damaged_checkpoint_is_trained_anew(store: Store) -> None:
    stopped(store)
    (checkpoint,) = (store.folder / "checkpoints").iterdir()
    checkpoint.write_bytes(checkpoint.read_bytes()[:-7])
    run = train(order(steps=2000), store)
    assert run.resumed_at == 0
    assert len(run.losses) == 2000


def test_a_damaged_entry_is_trained_anew(store: Store) -> None:
    train(order(), store)
    (entry,) = store.folder.glob("runs/*/*.safetensors")
    entry.write_bytes(entry.read_bytes()[:-3])
    assert not train(order(), store).reused
    assert train(order(), store).reused


def test_a_full_disk_costs_no_training(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any, **options: Any) -> None:
        raise StoreError("store: No space left on device")

    monkeypatch.setattr(Store, "put", full)
    monkeypatch.setattr("spikecheck.watch.runs.save_checkpoint", full)
    run = train(order(steps=300), store, save_every=0.0)
    assert len(run.losses) == 300
    assert "No space left" in run.warning


def test_without_a_store_nothing_is_written(tmp_path: Path) -> None:
    run = train(order(), None)
    assert len(run.losses) == 30
    assert not list(tmp_path.iterdir())


def test_a_diverged_run_ends_and_says_so(store: Store) -> None:
    run = train(
        order(workload=Workload.of("resnet"), optimizer=OptimizerChoice.of("gd", {"lr": 1e12}), steps=5000), store
    )
    assert run.diverged
    assert np.isfinite(run.losses).all()
    assert len(run.losses) < 100
    assert train(run.order, store).diverged


def test_a_step_that_raises_is_named(write: Write) -> None:
    module = write(OWN.format(imported="", target="torch.ones(7, 2)"))
    with pytest.raises(SettingError, match=r"workload='users.*': step 0 raised RuntimeError: The size of tensor"):
        train(order(workload=Workload.of(f"{module}:workload")), None)
