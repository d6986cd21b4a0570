"""Both packages are built from the sources, and the wheel works in an empty folder, where no checkout is near."""

import os
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
LARGEST = 2_000_000
"""Bytes of either package: a report or a store that slips in is larger."""


def run(*words: str | Path, cwd: Path, **environment: str) -> str:
    own = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [str(word) for word in words], cwd=cwd, env={**own, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("packages")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    return folder


@pytest.fixture(scope="module")
def installed(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that has the wheel, and what it depends on from this one."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    (wheel,) = packages.glob("*.whl")
    run(python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=folder)
    purelib = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip())
    # Searched last, so that spikecheck is the wheel's: a .pth beside this environment's own packages would be read, too.
    (purelib / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return python


def test_both_are_small_and_have_the_version(packages: Path) -> None:
    names = {file.name for file in packages.iterdir()}
    assert names == {f"spikecheck-{VERSION}.tar.gz", f"spikecheck-{VERSION}-py3-none-any.whl"}
    assert all(file.stat().st_size < LARGEST for file in packages.iterdir())


def test_the_wheel_holds_the_package_with_claims_and_data_and_nothing_else(packages: Path) -> None:
    (wheel,) = packages.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names} == {
        "spikecheck",
        "_spikecheck_pytest.py",
        f"spikecheck-{VERSION}.dist-info",
    }
    kept = ("claims/register.toml", "claims/condensation.py")
    shipped = [f"spikecheck/_{name}" for name in kept]
    shipped += [
        "spikecheck/_workloads/gpt.py",
        "spikecheck/report/schema.json",
        "spikecheck/report/why.schema.json",
        "spikecheck/report/web/report.html.j2",
        "spikecheck/training/segment.cpp",
    ]
    assert set(shipped) <= set(names)


def test_the_sdist_can_be_tested(packages: Path) -> None:
    (sdist,) = packages.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"tests/conftest.py", "tests/slow.txt", "claims/condensation.py", "constraints.txt", "LICENSE"} <= names
    assert not any(name.startswith(("reports/", ".ci/")) for name in names)


def test_the_wheel_works_in_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    where = run(installed, "-c", "import spikecheck; print(spikecheck.__file__, spikecheck.__version__)", cwd=tmp_path)
    assert not where.startswith(str(ROOT))
    assert where.split()[-1] == VERSION
    command = installed.with_name("spikecheck")
    environment = {"SPIKECHECK_STORE": str(tmp_path / "store"), "COLUMNS": "100"}
    assert "spikes-come" in run(command, "list", cwd=tmp_path, **environment)
    planned = run(command, "verify", "--claim", "spikes-come", "--plan", cwd=tmp_path, **environment)
    assert "spikes-come" in planned
    two = ("--optimizer", "adam", "--set", "lr=0.003", "--against", "adamw")
    gated = run(command, "gate", "--workload", "gpt", *two, "--plan", cwd=tmp_path, **environment)
    assert "gpt" in gated
    assert list(tmp_path.iterdir()) == [], "nothing is written where nothing was asked for"
