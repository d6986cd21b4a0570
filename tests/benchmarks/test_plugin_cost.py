"""What the pytest plugin costs a project that has no claims: seconds of CPU of a whole run, with it and without it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

TESTS = "".join(f"def test_{number}():\n    assert {number} >= 0\n\n" for number in range(50))
MODULE = '"""Ordinary code."""\n\n' + "".join(
    f"def f_{number}(x):\n    return x + {number}\n\n" for number in range(100)
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 files of 50 tests, among 500 modules that pytest sees when it collects the folder."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "pytest.ini").write_text("[pytest]\n")
    for number in range(20):
        (folder / f"test_{number}.py").write_text(TESTS)
    for number in range(500):
        (folder / f"module_{number}.py").write_text(MODULE)
    return folder


@pytest.mark.benchmark(group="a project without claims")
@pytest.mark.parametrize("plugin", ["with the plugin", "without it"])
def test_an_unrelated_suite(benchmark: BenchmarkFixture, plugin: str, project: Path) -> None:
    options = [] if plugin == "with the plugin" else ["-p", "no:spikecheck"]
    others = [word for name in ("hypothesispytest", "jaxtyping", "randomly", "xdist") for word in ("-p", f"no:{name}")]
    seconds: list[float] = []

    def run() -> None:
        command = [sys.executable, "-m", "pytest", "-q", *others, *options]
        running = subprocess.Popen(command, cwd=project, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
        assert running.returncode == 0
        seconds.append(used.ru_utime + used.ru_stime)

    run()
    seconds.clear()
    benchmark.pedantic(run, rounds=5)
    benchmark.extra_info["seconds_of_cpu"] = round(min(seconds), 3)
