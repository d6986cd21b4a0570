"""From a log and the states that a watched training left to the answer, which is that of the training itself."""

from pathlib import Path
from typing import Any

import pytest

from spikecheck import Training, Watch, explain_log, explain_spike
from spikecheck.core.errors import UsageError
from spikecheck.core.why import Answer, Cause, Outcome
from spikecheck.lab.store import Store
from spikecheck.watch.replay import _same
from spikecheck.watch.runs import Order
from spikecheck.watch.workload import Workload
from spikecheck.why import keeping as keeping_module
from spikecheck.why.afterwards import explain_order_log
from spikecheck.why.arms import LEFT_OUT, OTHER_BATCHES, RATE_HELD
from spikecheck.why.question import Question
from tests.why.planted_spikes import AT, planted

STEPS = 600
ARMS = (LEFT_OUT, OTHER_BATCHES, RATE_HELD)


def left_by(plant: str, folder: Path) -> Training:
    """A training whose states were kept, at its end."""
    training = planted(None, 0, "cpu", plant=plant)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keeping_module, "_SHARE", 0)
        with Watch.of(training, log=folder / "watch.jsonl", states=folder / "states", show=False) as watch:
            training.run(STEPS, observe=watch.made)
    return training


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("left")
    left_by("batches", folder)
    return folder


@pytest.fixture(scope="module")
def alone() -> Answer:
    return explain_spike(planted(None, 0, "cpu", plant="batches"), STEPS, arms=ARMS)


def compared(answer: Answer) -> dict[str, Any]:
    """All but the losses, which reach farther in a longer log, and the time."""
    return answer.model_dump(exclude={"losses", "seconds", "workload", "seed", "environment"})


def test_the_answer_is_that_of_the_training_made_from_the_start(left: Path, alone: Answer) -> None:
    training = planted(None, 0, "cpu", plant="batches")
    answer = explain_log(training, left / "watch.jsonl", left / "states", arms=ARMS)
    assert answer.cause == Cause.DATA and answer.differs_at is None
    assert compared(answer) == compared(alone)


def test_a_workload_is_explained_alike_and_is_not_trained_from_the_start(
    left: Path, alone: Answer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lowest: list[int] = []
    run = Training.run

    def noted(self: Training, steps: int, *observe: Any, **more: Any) -> list[float]:
        lowest.append(self.steps)
        return run(self, steps, *observe, **more)

    monkeypatch.setattr(Training, "run", noted)
    order = Order(Workload.of("planted_spikes:planted", {"plant": "batches"}), 0, 1)
    store = Store(tmp_path)
    answer = explain_order_log(order, left / "watch.jsonl", left / "states", store, Question(arms=ARMS), workers=1)
    assert compared(answer) == compared(alone)
    assert min(lowest) == 256
    lowest.clear()
    again = explain_order_log(order, left / "watch.jsonl", left / "states", store, Question(arms=ARMS), workers=1)
    assert again.arms == answer.arms
    assert min(lowest) == AT - 64  # the state that forks begin from was kept


def test_the_training_that_was_watched_is_where_it_was(tmp_path: Path) -> None:
    training = left_by("rate", tmp_path)
    before = training.snapshot()
    expected = training.run(5)
    training.restore(before)
    answer = explain_log(training, tmp_path / "watch.jsonl", tmp_path / "states", arms=ARMS)
    assert answer.cause == Cause.SCHEDULE
    assert _same(training.snapshot().values, before.values)
    assert training.run(5) == expected


def test_without_a_spike_no_cause_is_named(tmp_path: Path) -> None:
    answer = explain_log(left_by("nothing", tmp_path), tmp_path / "watch.jsonl", tmp_path / "states")
    assert (answer.outcome, answer.cause) == (Outcome.NO_SPIKE, None)


def test_a_spike_before_the_first_state_is_one_line(left: Path, tmp_path: Path) -> None:
    for file in (left / "states").iterdir():
        if file.name == "state-512.pt":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    with pytest.raises(UsageError, match="the first state is before step 512, and the forks begin at step 33\\d"):
        explain_log(planted(None, 0, "cpu", plant="batches"), left / "watch.jsonl", tmp_path)


def test_a_wrong_seed_is_one_line_and_leaves_the_training(left: Path) -> None:
    training = planted(None, 1, "cpu", plant="batches")
    before = training.snapshot()
    with pytest.raises(UsageError, match="give the --workload, --seed, --at, --steps and --optimizer of the training"):
        explain_log(training, left / "watch.jsonl", left / "states")
    assert _same(training.snapshot().values, before.values)
