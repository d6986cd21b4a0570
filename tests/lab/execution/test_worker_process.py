"""A worker process ends with its parent, and takes no file of the user's for one of Python's own."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path


def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    """Regression: killed, it left its workers waiting for ever."""
    script = tmp_path / "parent.py"
    script.write_text(
        "from spikecheck import Laboratory, Recipe, Setting\n"
        "from spikecheck.lab.execution.processes import Processes\n"
        "if __name__ == '__main__':\n"
        "    long = [Recipe(setting=Setting(steps=10_000_000, width=w), seed=0) for w in (5, 6)]\n"
        "    Laboratory(executor=Processes(workers=2)).runs(long)\n",
        encoding="utf-8",
    )
    parent = subprocess.Popen([sys.executable, script])
    try:
        workers = _eventually(lambda: _training(parent.pid), lambda found: len(found) == 2)
        assert len(workers) == 2
        parent.kill()
        parent.wait()
        assert _eventually(lambda: [pid for pid in workers if _alive(pid)], lambda left: not left) == []
    finally:
        parent.kill()


def _eventually(look: Callable[[], list[int]], wanted: Callable[[list[int]], bool], seconds: float = 60.0) -> list[int]:
    """What is seen once it is as wanted, or at the end."""
    until = time.monotonic() + seconds
    while not wanted(found := look()) and time.monotonic() < until:
        time.sleep(0.1)
    return found


def _training(parent: int) -> list[int]:
    """The parent's workers that have begun: they ignore SIGINT by then."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii").split()
    begun = []
    for child in children:
        status = Path(f"/proc/{child}/status").read_text(encoding="ascii")
        ignored = int(re.search(r"SigIgn:\s*(\w+)", status)[1], 16)  # type: ignore[index]
        command = Path(f"/proc/{child}/cmdline").read_bytes()
        if ignored & 1 << signal.SIGINT - 1 and b"spawn_main" in command:
            begun.append(int(child))
    return begun


def _alive(pid: int) -> bool:
    """Whether the process still runs; one that only waits to be reaped does not."""
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text(encoding="ascii")


def test_a_file_beside_the_user_that_is_called_like_pythons_own_harms_no_worker(tmp_path: Path) -> None:
    """Regression: workers searched the working directory first, and took a user's types.py for Python's."""
    script = tmp_path / "elsewhere" / "parent.py"
    script.parent.mkdir()
    script.write_text(
        "from spikecheck import Laboratory, Recipe, Setting\n"
        "from spikecheck.lab.execution import processes\n"
        "processes.WORTH_WORKERS = 0.0\n"
        "if __name__ == '__main__':\n"
        "    lab = Laboratory(executor=processes.Processes(workers=2))\n"
        "    print(len(lab.runs([Recipe(setting=Setting(width=4, points=9, steps=20), seed=0)])))\n"
        "    lab.close()\n",
        encoding="utf-8",
    )
    for name in ("types.py", "queue.py", "random.py"):
        (tmp_path / name).write_text("raise RuntimeError('not the one that is meant')\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr
