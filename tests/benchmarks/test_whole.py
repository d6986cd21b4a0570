"""What a user waits for: the first command, with its memory, and real data followed."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from spikecheck.core.probe import SharpnessTrace
from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.lab.execution.processes import Processes
from spikecheck.lab.laboratory import Laboratory

CLAIMS = Path(__file__).parents[2] / "claims"


@pytest.mark.benchmark(group="README's first command, without its installation")
@pytest.mark.parametrize("kernels", ["compiled before", "compiled now"])
def test_the_first_command(
    benchmark: BenchmarkFixture, kernels: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In an empty store; the peak is that of the largest process."""
    if kernels == "compiled now":
        monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "kernels"))
    command = [sys.executable, "-m", "spikecheck", "verify", "--claim", "condensation", "--store", str(tmp_path)]

    def first() -> int:
        """The largest process's peak in KiB, of this command and what it started alone."""
        with (tmp_path / "out").open("wb") as out:
            running = subprocess.Popen(command, cwd=CLAIMS.parent, stdout=out, stderr=out)
            _, status, used = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
        assert running.returncode in (0, 1, 3)
        return used.ru_maxrss

    benchmark.extra_info["peak_MiB"] = round(benchmark.pedantic(first, rounds=1) / 1024)


@pytest.mark.benchmark(group="digits, 7,500 parameters, 64 members, sharpness at every step")
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_digits_followed(benchmark: BenchmarkFixture, dtype: str) -> None:
    """Two workers. The difference of two lengths: what a step takes once the search for the first pair is done."""
    spent = {}
    executor = Processes()

    def followed() -> None:
        for steps in (50, 250):
            setting = Setting(problem="digits", width=100, lr=0.2, steps=steps, dtype=dtype)
            lab = Laboratory(executor=executor)
            trunks = [Recipe(setting=setting, seed=seed) for seed in range(64)]
            lab.runs(trunks)
            started = time.perf_counter()
            lab.runs([trunk.model_copy(update={"probe": SharpnessTrace(every_step=True)}) for trunk in trunks])
            spent[steps] = time.perf_counter() - started

    benchmark.pedantic(followed, rounds=1)
    executor.close()
    step = (spent[250] - spent[50]) / 200
    benchmark.extra_info["milliseconds_a_step_of_64"] = round(1_000 * step, 1)
    benchmark.extra_info["minutes_for_5000_steps"] = round(5_000 * step / 60, 2)
