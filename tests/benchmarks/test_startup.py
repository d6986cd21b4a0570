"""What a process takes until its first step, with and without kernels that another has compiled."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

FIRST_STEP = """
import torch
from spikecheck.core.setting import Setting
from spikecheck.objective.objective import build_objective
from spikecheck.training.segment import _function
torch.set_num_threads(1)
goal = build_objective([Setting(steps=2_000)] * 3)
bound, _ = goal.bound(goal.initial([0, 1, 2]))
assert _function("double", len(bound.arguments)) is not None
"""


@pytest.mark.benchmark(group="a process until its first step")
@pytest.mark.parametrize("kernels", ["recorded", "compiled now"])
def test_until_the_first_step(
    benchmark: BenchmarkFixture, kernels: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seconds of CPU say more than the clock where others use the machine."""
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    seconds: list[float] = []

    def process() -> None:
        if kernels != "recorded":
            shutil.rmtree(tmp_path / "spikecheck", ignore_errors=True)
        running = subprocess.Popen([sys.executable, "-c", FIRST_STEP])
        _, status, used = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
        assert running.returncode == 0
        seconds.append(used.ru_utime + used.ru_stime)

    process()
    seconds.clear()
    benchmark.pedantic(process, rounds=3)
    benchmark.extra_info["seconds_of_cpu"] = round(min(seconds), 2)
