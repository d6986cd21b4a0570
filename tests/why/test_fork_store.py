"""Forks that were made before are read, and an arm whose text or scene is another is forked again."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from spikecheck.lab.store import Store
from spikecheck.watch.training import Training
from spikecheck.why.arms import HALF_RATE, PLACEBO, Arm
from spikecheck.why.executors import Job, Result
from spikecheck.why.fork_store import ForkStore
from spikecheck.why.scene import Context, Scene

SCENE = Scene(start=10, onset=20, over=24, end=40, level=1.0, spread=0.1)
JOBS = [Job(PLACEBO, 0), Job(PLACEBO, 1), Job(HALF_RATE, 0)]


class Counting:
    """Forks whose losses say which they are; counts them."""

    def __init__(self, reason: str | None = None) -> None:
        self.made: list[Job] = []
        self.reason = reason

    def run(self, jobs: Sequence[Job], scene: Scene) -> Iterator[tuple[Job, Result]]:
        for job in jobs:
            self.made.append(job)
            yield job, self.reason or [float(job.number), 1 / 3, scene.level]

    def close(self) -> None:
        pass


def asked(
    forks: ForkStore, jobs: Sequence[Job] = JOBS, reason: str | None = None
) -> tuple[dict[Job, Result], list[Job]]:
    executor = Counting(reason)
    return dict(forks.ask(executor, jobs)), executor.made


def test_what_was_made_is_not_made_again_and_has_the_same_bits(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first, made = asked(ForkStore(store, "digest", SCENE), JOBS[:2])
    assert made == JOBS[:2]
    again, made = asked(ForkStore(store, "digest", SCENE))
    assert made == JOBS[2:]
    assert {job: again[job] for job in first} == first


def test_what_is_known_comes_first(tmp_path: Path) -> None:
    forks = ForkStore(Store(tmp_path), "digest", SCENE)
    asked(forks, JOBS[2:])
    assert [job for job, _ in forks.ask(Counting(), JOBS)] == [JOBS[2], *JOBS[:2]]


@pytest.mark.parametrize("changed", ["digest", "scene", "number", "arm"])
def test_another_training_scene_or_arm_is_another_fork(changed: str, tmp_path: Path) -> None:
    store = Store(tmp_path)
    asked(ForkStore(store, "digest", SCENE), JOBS[:1])
    digest = "other" if changed == "digest" else "digest"
    scene = replace(SCENE, end=41) if changed == "scene" else SCENE
    job = {"number": Job(PLACEBO, 7), "arm": Job(replace(PLACEBO, nudged=False), 0)}.get(changed, JOBS[0])
    assert asked(ForkStore(store, digest, scene), [job])[1] == [job]


def one(training: Training, context: Context) -> AbstractContextManager[object]:
    return nullcontext("one")


def other(training: Training, context: Context) -> AbstractContextManager[object]:
    return nullcontext("other")


def test_an_arm_whose_function_has_another_text_is_forked_again(tmp_path: Path) -> None:
    forks = ForkStore(Store(tmp_path), "digest", SCENE)
    arms = [Arm("mine", "?", None, function) for function in (one, other)]
    assert [asked(forks, [Job(arm, 0)])[1] != [] for arm in (*arms, *arms)] == [True, True, False, False]


def test_why_an_arm_does_not_apply_is_not_kept(tmp_path: Path) -> None:
    forks = ForkStore(Store(tmp_path), "digest", SCENE)
    assert asked(forks, JOBS[:1], reason="no momentum") == ({JOBS[0]: "no momentum"}, JOBS[:1])
    assert asked(forks, JOBS[:1])[1] == JOBS[:1]


def test_a_damaged_file_costs_the_fork_another_time(tmp_path: Path) -> None:
    forks = ForkStore(Store(tmp_path), "digest", SCENE)
    first, _ = asked(forks, JOBS[:1])
    for file in tmp_path.rglob("*"):
        if file.is_file() and file.stat().st_size > 100:
            file.write_bytes(file.read_bytes()[:50])
    assert asked(forks, JOBS[:1]) == (first, JOBS[:1])


def test_without_a_store_every_fork_is_made() -> None:
    forks = ForkStore(None, "digest", SCENE)
    assert asked(forks)[1] == asked(forks)[1] == JOBS
