"""What holds for every test: one thread, and a choice of examples that is the same everywhere."""

import gc
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import current_thread, main_thread
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis.database import DirectoryBasedExampleDatabase, ExampleDatabase
from jaxtyping import install_import_hook
from platformdirs import user_cache_path

# Two processes with two torch threads each on two cores run up to 50 times slower, and these models gain nothing from a
# second thread. Read when torch and numpy are first imported, and inherited by processes that tests start.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
# One folder of compiled kernels for all tests: the first test that compiles may have a cache of its own, and its process
# would keep that one.
os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(user_cache_path("spikecheck-kernels")))
# Without a GPU Triton's kernels are interpreted. Triton decides that once and for all when it is first imported.
os.environ.setdefault("TRITON_INTERPRET", "0" if shutil.which("nvidia-smi") else "1")
if "torch" in sys.modules:
    sys.modules["torch"].set_num_threads(1)

# A shell starts background jobs with SIGINT ignored, and so would be every process that a test interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN and current_thread() is main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Shapes are checked here and nowhere else: in use they would cost every step. No option of pytest's, which would hold for
# `pytest claims` too, where somebody has the package without what its tests need.
# Not watch: beartype draws an item of every list from Python's global generator, which a Watch promises to leave alone.
ROOMS = ("training", "curvature", "optimizers", "objective", "models", "data", "tensors")
install_import_hook([f"spikecheck.{room}" for room in ROOMS], "beartype.beartype")


def register(name: str, *, examples: int, derandomize: bool, database: ExampleDatabase | None) -> None:
    """Register a profile with every field set: what is left out follows Hypothesis's CI detection and differs there.

    Names are our own for the same reason: Hypothesis fills in "ci" itself.
    """
    settings.register_profile(
        name,
        max_examples=examples,
        derandomize=derandomize,
        database=database,
        verbosity=Verbosity.normal,
        phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.target, Phase.shrink),
        stateful_step_count=30,
        report_multiple_bugs=True,
        suppress_health_check=(HealthCheck.too_slow,),  # a first example pays for torch's start
        deadline=None,
        print_blob=True,
        backend="hypothesis",
    )


FOUND = DirectoryBasedExampleDatabase(Path(__file__).parents[1] / ".hypothesis" / "examples")
register("spikecheck-dev", examples=30, derandomize=False, database=FOUND)
register("spikecheck-ci", examples=30, derandomize=True, database=None)
register("spikecheck-full", examples=1_000, derandomize=False, database=FOUND)
register("spikecheck-fast", examples=10, derandomize=False, database=FOUND)


@pytest.fixture(scope="session")
def small_claim() -> Callable[..., str]:
    """The text of a claim file that takes a moment to verify: steps, below, control, kind and rung may be given."""
    from studies.small_claim import small_claim as text  # the repository's folder is on the path by now

    return text


@pytest.fixture
def one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings follow one another in this process. Workers take seconds to begin; tests/watch/test_processes.py has them."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})


@pytest.fixture(scope="session")
def all_imported(tmp_path_factory: pytest.TempPathFactory, small_claim: Callable[..., str]) -> None:
    """What claims and gates import, which a run of pytest within this one would forget: NumPy is loaded once in a process."""
    from tests.command_line import called, told

    folder = tmp_path_factory.mktemp("imported")
    (folder / "lowers.py").write_text(small_claim())
    assert called(folder, "verify", "--claims-path", ".", "--claim", "lowers", "--no-store").returncode == 0
    gate = ("--optimizer", "torch.optim:SGD", "--set", "lr=0.1", "--against", "gd", "--rows", "final loss")
    assert told(folder, *gate, "--dataset", "sines", "--at", "steps=20").returncode in {0, 3}


# Planted optimizers lie beside these tests and are found by name, in this process and in workers.
sys.path += [str(Path(__file__).parent / room) for room in ("optimizers", "gate", "why")]

Write = Callable[[str], str]
SLOW = tuple(
    line
    for line in (Path(__file__).parent / "slow.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
)
"""How the names of slow tests begin."""


def _fast(config: pytest.Config) -> bool:
    return bool(config.option.markexpr == "not slow")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `-m "not slow"`, do not even import the files in which every test is slow: that takes many seconds."""
    if not _fast(config):
        return None
    path = collection_path.relative_to(config.rootpath).as_posix()
    return True if f"{path}/" in SLOW or path in SLOW else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the slow tests, so that `-m "not slow"` leaves them out."""
    for item in items:
        if item.nodeid.startswith(SLOW):
            item.add_marker(pytest.mark.slow)


def usual_profile(*, fast: bool, ci: bool) -> str:
    """Hypothesis's profile: the same examples always under CI, and fewer where a minute has to do."""
    return "spikecheck-ci" if ci else "spikecheck-fast" if fast else "spikecheck-dev"


def pytest_configure(config: pytest.Config) -> None:
    """Load the profile that the environment names, or the usual one."""
    usual = usual_profile(fast=_fast(config), ci=bool(os.environ.get("CI")))
    settings.load_profile(os.environ.get("SPIKECHECK_TEST_PROFILE", usual))


def pytest_collection() -> None:
    """Look for no garbage while modules are imported: nearly all of what they make stays."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Leave modules and collected tests out of every later collection of garbage: a gate counts tensors after one."""
    gc.freeze()
    gc.enable()


def pytest_sessionfinish() -> None:
    """Free as ever at the end; bindings complain of what is left."""
    gc.unfreeze()


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes a module into the working directory and says its name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    names: list[str] = []

    def write(text: str) -> str:
        names.append(f"users_own_{len(names)}_{tmp_path.name}")
        (tmp_path / f"{names[-1]}.py").write_text(text)
        return names[-1]

    yield write
    for name in names:
        sys.modules.pop(name, None)


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An empty torchvision.datasets for a test to fill, since none is installed here; data are looked for in tmp_path."""
    module = ModuleType("torchvision.datasets")
    monkeypatch.setitem(sys.modules, "torchvision", ModuleType("torchvision"))
    monkeypatch.setitem(sys.modules, "torchvision.datasets", module)
    monkeypatch.setenv("SPIKECHECK_DATA", str(tmp_path))
    return module
