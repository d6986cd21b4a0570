"""One interrupted run of each kind; `python studies/reliability.py --part crashes` makes hundreds."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import spikecheck
from studies import crashes
from studies.crash_tasks import Task, claims_in
from studies.forked_commands import Command, Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server({"TMPDIR": str(tmp_path_factory.mktemp("server")), "OMP_NUM_THREADS": "1"}) as started:
        yield started


@pytest.fixture
def start(server: Server, tmp_path: Path) -> crashes.Start:
    return crashes.starting(server, tmp_path)


@pytest.mark.parametrize("end", crashes.ENDS)
def test_an_ended_run_goes_on_to_the_same_scores(start: crashes.Start, tmp_path: Path, end: signal.Signals) -> None:
    words = ("verify", "small", "--claims-path", str(claims_in(tmp_path)), "--executor", "local")
    task = Task("verify", words)
    expected, seconds = crashes.uninterrupted(tmp_path, task, start)
    one = crashes.round_of(tmp_path / "round", task, end, 0.5 * seconds, expected, start)
    assert one.faults == []
    assert one.ended_by in {signal.SIGKILL: (-9,), signal.SIGTERM: (-15, 143), signal.SIGINT: (130,)}[end]


def test_other_scores_and_what_is_left_are_noticed(start: crashes.Start, tmp_path: Path) -> None:
    words = ("verify", "small", "--claims-path", str(claims_in(tmp_path)), "--executor", "local")
    task = Task("verify", words)
    expected, seconds = crashes.uninterrupted(tmp_path, task, start)
    one = crashes.round_of(tmp_path / "round", task, signal.SIGKILL, 0.5 * seconds, [*expected, "more"], start)
    assert one.faults == ["the next run has other scores"]


def test_a_process_that_is_left_is_noticed_and_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crashes, "SETTLES", 0.2)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True) as left:
        assert crashes.orphans(-1, tmp_path) == ["a process is left: 1"]
    assert left.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("words", "code", "said"), [(("--version",), 0, "version"), (("verify", "--such"), 2, "No such option")]
)
def test_a_forked_command_ends_as_the_command_does(
    server: Server, tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    assert server.start(Command(words, str(tmp_path), {}, str(tmp_path / "modules"))).wait(60) == code
    assert said in (tmp_path / "said").read_text()


def test_torchs_empty_cache_is_no_leftover_and_a_file_in_it_is_one(tmp_path: Path) -> None:
    program = "import torch; torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1).zero_grad()"
    environ = {name: value for name, value in os.environ.items() if name != "TORCHINDUCTOR_CACHE_DIR"}
    subprocess.run([sys.executable, "-c", program], env=environ | {"TMPDIR": str(tmp_path)}, check=True)
    (made,) = tmp_path.iterdir()
    assert made.name.startswith("torchinductor_")
    assert crashes.temporary(tmp_path) == []
    (made / "kernel.so").touch()
    assert crashes.temporary(tmp_path) == [made]


_OWN = f'  File "{crashes.__file__}", line 1\n  File "{Path(spikecheck.__file__).parent}/cli/main.py", line 1\n'


@pytest.mark.parametrize(
    ("said", "fresh", "pythons", "faults"),
    [
        ('Traceback (most recent call last):\n  File "<frozen site>", line 1\nKeyboardInterrupt\n', True, True, []),
        (f"Traceback (most recent call last):\n{_OWN}KeyboardInterrupt\n", True, False, ["traceback"]),
        (
            'Traceback (most recent call last):\n  File "<frozen site>", line 1\nKeyboardInterrupt\n',
            False,
            False,
            ["traceback"],
        ),
        ("interrupted; nothing was begun\n", True, False, []),
    ],
)
def test_a_traceback_of_pythons_own_start_is_told_from_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, fresh: bool, pythons: bool, faults: list[str]
) -> None:
    def ended(
        place: Path, task: Task, end: signal.Signals, *_: object
    ) -> tuple[crashes.Round, subprocess.Popen[bytes]]:
        (place / "tmp").mkdir(parents=True)
        (place / "said").write_text(said)
        process = subprocess.Popen(["true"], start_new_session=True)
        process.wait()
        return crashes.Round(task.name, end.name, 0.01, -2), process

    def start(task: Task, place: Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen(["true"])

    monkeypatch.setattr(crashes, "_ended", ended)
    monkeypatch.setattr(crashes, "scores", lambda report: [])
    one = crashes.round_of(tmp_path / "round", Task("verify", (), fresh=fresh), signal.SIGINT, 0.01, [], start)
    assert (one.pythons, one.faults) == (pythons, faults)
