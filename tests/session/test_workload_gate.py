"""A workload's gate, made from the options of a command line: what it trains, where, and what its report says of that."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import torch

from spikecheck.core.errors import UsageError
from spikecheck.core.events import ignore
from spikecheck.core.scorecard import OptimizerSpec
from spikecheck.gate.workload_suite import workload_suite
from spikecheck.session.lab_options import LabOptions
from spikecheck.session.workload_gate import workload_gate

SUITE = workload_suite({"workload": "mlp", "steps": 30, "batch": 16}, seeds=8, root=3)
ADAM = OptimizerSpec(optimizer="adam", lr=0.01)


def test_its_trainer_trains_the_suites_workload_where_the_options_say(tmp_path: Path) -> None:
    options = LabOptions(str(tmp_path), device="cpu", executor="local", deadline=5.0)
    gate = workload_gate(ADAM, SUITE, options, "spikecheck gate …", ignore)
    trainer = gate.trainer
    assert (gate.candidate, gate.suite, gate.command) == (ADAM, SUITE, "spikecheck gate …")
    assert (trainer.workload, trainer.steps) == (SUITE.workload, 30)
    assert trainer.store is not None and trainer.store.folder == tmp_path
    assert (trainer.device, trainer.workers, trainer.deadline) == ("cpu", 1, 5.0)
    assert (trainer.trained, trainer.reused) == (0, 0)


def test_its_report_says_with_what_and_when(tmp_path: Path) -> None:
    gate = workload_gate(ADAM, SUITE, LabOptions(no_store=True, device="cpu"), "", ignore)
    where = gate.environment
    assert (where["torch"], where["threads"]) == (torch.__version__, 1)  # one thread a process
    assert abs((datetime.fromisoformat(str(where["date"])).date() - datetime.now(UTC).date()).days) <= 1
    assert gate.trainer.workers is None


def test_a_cluster_is_refused_before_anything_is_trained() -> None:
    with pytest.raises(UsageError, match="^--executor dask://h:1: "):
        workload_gate(ADAM, SUITE, LabOptions(no_store=True, executor="dask://h:1"), "", ignore)
