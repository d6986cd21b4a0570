"""Worker processes train the same bits as this process, and end when they are told to."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from spikecheck.core.errors import BudgetSpent, UsageError
from spikecheck.core.events import Busy, Event, TileAdvanced, TileStored, WorkPlanned
from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.lab.execution import processes
from spikecheck.lab.execution.local import Local, one_thread
from spikecheck.lab.execution.order import Job, Tile, TrainingRequest
from spikecheck.lab.execution.processes import Processes
from spikecheck.lab.laboratory import Laboratory
from spikecheck.lab.store import Store

RECIPES = [Recipe(setting=Setting(width=w, points=9, steps=150), seed=seed) for w in (6, 11) for seed in range(3)]


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Processes]:
    """Two workers that are used for any work, however small."""
    monkeypatch.setattr(processes, "WORTH_WORKERS", 0.0)
    pool = Processes(workers=2)
    yield pool
    pool.close()


def test_workers_train_the_same_bits_and_tell_all_their_steps(workers: Processes) -> None:
    told: list[Event] = []
    there = Laboratory(executor=workers, observe=told.append).runs(RECIPES)
    here = Laboratory(executor=Local()).runs(RECIPES)
    for recipe in RECIPES:
        assert np.array_equal(there[recipe].loss, here[recipe].loss)
    planned = sum(event.member_steps for event in told if isinstance(event, WorkPlanned))
    assert sum(event.member_steps for event in told if isinstance(event, TileAdvanced)) == planned


def test_workers_tell_their_steps_while_they_train(workers: Processes) -> None:
    """Regression: a tile's steps were told when it was done, minutes of nothing for a long one."""
    told: list[Event] = []
    Laboratory(executor=workers, observe=told.append).runs([Recipe(setting=Setting(width=7, steps=120_000), seed=0)])
    stored = next(place for place, event in enumerate(told) if isinstance(event, TileStored))
    before = [event for event in told[:stored] if isinstance(event, TileAdvanced)]
    assert len(before) > 2
    assert sum(event.seconds for event in before) == pytest.approx(
        sum(event.seconds for event in told if isinstance(event, WorkPlanned))
    )
    assert next(event.doing for event in told if isinstance(event, Busy)) == "starting 2 workers"


def test_a_deadline_ends_the_workers_in_the_middle_of_their_tiles(workers: Processes) -> None:
    long = [Recipe(setting=Setting(steps=10_000_000), seed=0)]
    lab = Laboratory(executor=workers, deadline=time.monotonic() + 4.0)
    began = time.monotonic()
    with pytest.raises(BudgetSpent):
        lab.runs(long)
    assert time.monotonic() - began < 60.0


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


def test_little_work_stays_in_this_process() -> None:
    pool = Processes(workers=2)
    Laboratory(executor=pool).runs(RECIPES[:1])
    assert pool._pool is None


def test_the_threads_are_as_they_were_afterwards() -> None:
    torch.set_num_threads(2)
    with one_thread("cpu"):
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2
    torch.set_num_threads(1)


def test_an_idle_worker_trains_ahead_what_is_asked_for_next(workers: Processes, tmp_path: Path) -> None:
    """One tile is asked for, two cores are there: the next one is stored by the time it is asked for, and counted once."""
    lab = Laboratory(Store(tmp_path), executor=workers)
    asked = [Recipe(setting=Setting(width=6, steps=40_000), seed=0)]
    lab.anticipate([asked, RECIPES])
    lab.runs(asked)
    trained = [recipe for recipe in RECIPES if lab._cache.digest(recipe) in Store(tmp_path)]
    assert trained
    assert lab.runs_trained == 1
    ahead = lab.runs(RECIPES)
    assert (lab.runs_trained, lab.runs_reused) == (1 + len(RECIPES), 0)
    here = Laboratory(executor=Local()).runs(RECIPES)
    for recipe in RECIPES:
        assert np.array_equal(ahead[recipe].loss, here[recipe].loss)


def test_what_tiles_start_from_is_loaded_when_their_turn_has_come(workers: Processes) -> None:
    """All at once took gigabytes: two tiles a worker, whatever there is to do."""
    tiles = [(Recipe(setting=Setting(width=4, points=6, steps=50), seed=seed),) for seed in range(12)]
    loaded: list[int] = []
    answered = 0

    def load(tile: Tile) -> Job:
        loaded.append(len(loaded) + 1 - answered)
        return Job(tile, (), size=8)

    for _ in workers.results(TrainingRequest(tiles, load, "cpu", lambda tile, made: None)):
        answered += 1
    assert answered == len(loaded) == 12
    assert max(loaded) <= 4


def test_workers_are_given_more_before_what_was_ordered_is_measured(workers: Processes) -> None:
    tiles = [(Recipe(setting=Setting(width=4, points=6, steps=50), seed=seed),) for seed in range(2)]
    rooms: list[int] = []

    def ahead(room: int) -> list[Tile]:
        rooms.append(room)
        return []

    order = TrainingRequest(tiles, lambda tile: Job(tile, (), size=8), "cpu", lambda tile, made: None, ahead)
    assert len(list(workers.results(order))) == 2
    assert rooms[0] == 0 and rooms[-1] == 2


def test_what_fails_ahead_fails_when_it_is_asked_for(workers: Processes) -> None:
    broken = [Recipe(setting=Setting(problem="no.such:module"), seed=0)]
    lab = Laboratory(executor=workers)
    lab.anticipate([broken])
    lab.runs(RECIPES)
    with pytest.raises(UsageError, match="no.such"):
        lab.runs(broken)


def test_nothing_is_trained_twice(workers: Processes, tmp_path: Path) -> None:
    """What is under way, asked for or ahead, is not begun again by a later round that has it too."""
    told: list[Event] = []
    lab = Laboratory(Store(tmp_path), executor=workers, observe=told.append)
    lab.anticipate([RECIPES, RECIPES[:3], RECIPES])
    lab.runs(RECIPES[:3])
    lab.runs(RECIPES)
    assert sum(event.runs for event in told if isinstance(event, TileStored)) == len(RECIPES)


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
