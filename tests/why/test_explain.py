"""From a training to the answer: planted causes found, controls that find none, and the training left where it was."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from spikecheck import Training
from spikecheck.core.errors import UsageError
from spikecheck.core.why import Answer, Cause, Effect, Outcome
from spikecheck.lab.store import Store
from spikecheck.watch.replay import _same
from spikecheck.watch.runs import Order
from spikecheck.watch.workload import Workload
from spikecheck.why import arms
from spikecheck.why.executors import Here
from spikecheck.why.explain import explain_order, explain_spike
from spikecheck.why.inquiry import Inquiry
from spikecheck.why.question import Question
from tests.why.planted_spikes import AT, planted

STEPS = 600


def order(plant: str, steps: int = STEPS, **options: Any) -> Order:
    return Order(Workload.of("planted_spikes:planted", {"plant": plant, **options}), 0, steps)


@pytest.mark.parametrize(
    ("plant", "cause"), [("batches", Cause.DATA), ("rate", Cause.SCHEDULE), ("momentum", Cause.MOMENTUM)]
)
def test_a_planted_cause_is_named_and_the_training_is_where_it_was(plant: str, cause: Cause) -> None:
    training = planted(None, 0, "cpu", plant=plant)
    training.run(30)
    before = training.snapshot()
    expected = training.run(20)
    training.restore(before)
    answer = explain_spike(training, STEPS - 30)
    assert (answer.outcome, answer.cause) == (Outcome.CAUSE, cause)
    assert answer.spike is not None and abs(answer.spike.onset - AT) <= 2
    placebo = answer.arm("placebo")
    assert placebo.effect is Effect.LEAVES and placebo.hits == len(placebo.forks) == max(
        len(arm.forks) for arm in answer.arms
    )
    assert all(answer.arm(name).claimed for name in answer.causes[0].arms)
    assert _same(training.snapshot().values, before.values)
    assert training.run(20) == expected
    assert not training.optimizer._optimizer_step_pre_hooks and not training.optimizer._optimizer_step_post_hooks


def test_without_a_plant_no_cause_is_named() -> None:
    answer = explain_spike(planted(None, 0, "cpu"), STEPS)
    assert (answer.outcome, answer.cause, answer.arms) == (Outcome.NO_SPIKE, None, ())
    assert answer.sentence.startswith("No loss spike.")


def test_a_benign_spike_has_no_cause_also_at_a_step_that_is_named() -> None:
    answer = explain_spike(planted(None, 0, "cpu", plant="batch"), STEPS, at=AT)
    assert (answer.outcome, answer.cause, answer.arms) == (Outcome.BENIGN, None, ())
    assert answer.spike is not None and answer.spike.onset == AT and answer.spike.height > 5.0
    assert answer.sentence.startswith(f"The loss spike at step {AT} is benign:")
    assert answer.start is None and answer.notes == ()


@pytest.mark.parametrize("seed", [1, 2, 4, 5])
def test_the_highest_rise_of_a_plain_training_has_no_cause(seed: int) -> None:
    """Regression: half the rate lowers noise too, and was called the cause of a single high loss. Other seeds have no rise."""
    rise = explain_spike(planted(None, seed, "cpu"), STEPS).highest
    assert rise is not None
    answer = explain_spike(planted(None, seed, "cpu"), STEPS, at=rise[0])
    assert answer.cause is None and answer.arms == ()
    assert answer.outcome in (Outcome.BENIGN, Outcome.NO_SPIKE)


def test_a_spike_that_no_arm_removes_has_no_cause() -> None:
    """The control: of the arms that would remove it none is tried."""
    few = (arms.HALF_RATE, arms.LARGER_EPS)
    answer = explain_spike(planted(None, 0, "cpu", plant="batches"), STEPS, arms=few)
    assert (answer.outcome, answer.cause) == (Outcome.NO_CAUSE, None)
    assert [arm.effect for arm in answer.arms] == [Effect.LEAVES] * 3


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def alone(kept: Store) -> Answer:
    return explain_order(order("batches"), kept, Question(), workers=1)


def test_a_workload_is_explained_alike_in_one_process_and_in_two(alone: Answer, tmp_path: Path) -> None:
    both = explain_order(order("batches"), Store(tmp_path), Question(), workers=2)
    assert alone.cause == Cause.DATA
    assert alone.model_copy(update={"seconds": 0}) == both.model_copy(update={"seconds": 0})


def test_forks_that_are_done_survive_an_interrupt(
    alone: Answer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    run = Here.run

    def interrupted(self: Here, jobs: Any, scene: Any) -> Iterator[Any]:
        for job, result in run(self, jobs, scene):
            made.append(job.arm.name)
            yield job, result
            if len(made) == 5:
                raise KeyboardInterrupt

    def counted(self: Here, jobs: Any, scene: Any) -> Iterator[Any]:
        for job, result in run(self, jobs, scene):
            made.append(job.arm.name)
            yield job, result

    monkeypatch.setattr(Here, "run", interrupted)
    store, question = Store(tmp_path), Question()
    answer = explain_order(order("batches"), store, question, workers=1)
    assert answer.outcome is Outcome.STOPPED and question.interrupted
    assert sum(len(arm.forks) for arm in answer.arms) == 5
    assert "stopped before every arm was judged" in answer.sentence
    made.clear()
    monkeypatch.setattr(Here, "run", counted)
    whole = explain_order(order("batches"), store, Question(), workers=1)
    assert whole.arms == alone.arms
    unneeded = sum(3 for arm in whole.arms if arm.effect is Effect.NOT_APPLICABLE)
    assert len(made) == sum(len(arm.forks) for arm in whole.arms) - 5 + unneeded


def test_an_interrupt_between_two_forks_loses_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Regression: one that came while arms were chosen ended the command without an answer."""

    def interrupted(self: Inquiry) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Inquiry, "_open", interrupted)
    question = Question()
    answer = explain_order(order("batches"), None, question, workers=1)
    assert answer.outcome is Outcome.STOPPED and question.interrupted
    assert len(answer.arms[0].forks) >= 3
    assert "stopped before every arm was judged" in answer.sentence


def test_what_was_answered_is_not_made_again(alone: Answer, kept: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Here.run

    def refused(self: Here, jobs: Any, scene: Any) -> Iterator[Any]:
        """Only arms that do not apply are tried again."""
        assert {job.arm.name for job in jobs} <= {"rate held", "float32"}
        return run(self, jobs, scene)

    monkeypatch.setattr(Here, "run", refused)
    assert explain_order(order("batches"), kept, Question(), workers=1).arms == alone.arms


def test_the_budget_ends_it() -> None:
    answer = explain_spike(planted(None, 0, "cpu", plant="batches"), STEPS, budget=1e-9)
    assert answer.outcome is Outcome.STOPPED
    assert sum(len(arm.forks) for arm in answer.arms) == 1


def test_a_training_that_does_not_come_again_says_from_where(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    answer = explain_order(order("batches", noise=0.001), Store(tmp_path), Question(), workers=1)
    assert answer.differs_at is not None and answer.differs_at < AT  # 0, or the last state that was kept
    assert any(f"the training differs from step {answer.differs_at} on" in note for note in answer.notes)
    assert not caplog.records  # what could not be watched stands in the answer alone
    assert answer.cause == Cause.DATA  # the spike comes again, so that arms can be judged


class Unkept:
    """A spike whose cause no state holds: it comes when this process has made so many steps."""

    def __init__(self) -> None:
        self.made = 0
        self.inner = planted(None, 0, "cpu")

    def step(self, batch: Any) -> Any:
        self.made += 1
        loss = self.inner._step(batch)
        return loss + 50.0 if AT <= self.made < AT + 10 else loss


def test_a_spike_that_does_not_come_again_is_not_reproducible() -> None:
    kept = Unkept()
    training = Training(step=kept.step, batches=kept.inner._batches._source, state=kept.inner.state)
    answer = explain_spike(training, STEPS)
    assert (answer.outcome, answer.cause, answer.arms) == (Outcome.NOT_REPRODUCIBLE, None, ())
    assert answer.differs_at is not None and abs(answer.differs_at - AT) <= 2
    assert "run again from the same state" in answer.sentence


@pytest.mark.parametrize("workers", [1, 2])
def test_what_the_state_lacks_is_not_taken_for_chaos(workers: int, tmp_path: Path) -> None:
    """Regression: made again the first time, the training still had the right count of its steps, and so spiked."""
    for _ in range(2):  # at first without a state in the store, then from one
        answer = explain_order(order("counter"), Store(tmp_path), Question(), workers=workers)
        assert (answer.outcome, answer.cause, answer.arms) == (Outcome.NOT_REPRODUCIBLE, None, ())
        assert answer.differs_at is not None and abs(answer.differs_at - AT) <= 2
        assert "run again from the same state" in answer.sentence


def test_a_spike_that_hangs_on_the_last_bits_is_chaotic() -> None:
    """The weights of the first run decide: any nudge undoes the spike."""
    inner = planted(None, 0, "cpu")
    twin = planted(None, 0, "cpu")
    twin.run(AT)
    exact = [parameter.detach().clone() for parameter in twin.model.parameters()]
    high = torch.nn.Module()
    high.register_buffer("left", torch.zeros(()))

    def step(batch: Any) -> Any:
        weights = list(inner.model.parameters())
        same = all(torch.equal(one, other) for one, other in zip(weights, exact, strict=True))
        left = 10.0 if same else max(0.0, float(high.left) - 1.0)  # type: ignore[arg-type]
        high.left.fill_(left)  # type: ignore[operator]
        return inner._step(batch) + (50.0 if left else 0.0)

    training = Training(step=step, batches=inner._batches._source, state={**inner.state, "high": high})
    training.model  # noqa: B018 - there is one called "model"
    answer = explain_spike(training, STEPS)
    assert (answer.outcome, answer.cause) == (Outcome.CHAOTIC, None)
    assert [arm.name for arm in answer.arms if arm.forks] == ["placebo"]
    assert answer.arm("placebo").hits == 0


def test_a_spike_within_the_first_steps_is_forked_from_the_beginning() -> None:
    answer = explain_spike(planted(None, 0, "cpu", plant="early"), 300, at=45)
    assert answer.start == 0
    assert any("begin with the training itself" in note for note in answer.notes)
    assert answer.cause == Cause.DATA


@contextmanager
def _tame(training: Training, context: Any) -> Iterator[None]:
    with training.batches_chosen(lambda step, draw: next(one for one in iter(draw, None) if one[1].abs().max() < 5.0)):
        yield


def test_an_arm_of_ones_own_names_its_cause() -> None:
    own = arms.Arm(
        "wild labels skipped", "without labels above 5?", "labels out of range", _tame, remedy="skip wild labels"
    )
    answer = explain_spike(planted(None, 0, "cpu", plant="batches"), STEPS, arms=(arms.HALF_RATE, own))
    assert answer.cause == "labels out of range"
    assert [arm.remedy for arm in answer.remedies] == ["skip wild labels"]


def test_a_step_without_a_rise_is_refused() -> None:
    with pytest.raises(UsageError, match="--at-step 5: 5 losses come before it, and 32 are needed"):
        explain_spike(planted(None, 0, "cpu", plant="batches"), STEPS, at=5)
    with pytest.raises(UsageError, match=f"--at-step 5000: the training has steps 0 to {STEPS - 1}"):
        explain_spike(planted(None, 0, "cpu", plant="batches"), STEPS, at=5_000)
    with pytest.raises(UsageError, match="steps=0: give a whole number of at least 1"):
        explain_spike(planted(None, 0, "cpu"), 0)


GLOBAL = """
import torch
import spikecheck
from spikecheck.watch.batches import NumberedBatches

def training(make_optimizer, seed, device):
    model = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.Tanh(), torch.nn.Dropout(0.2), torch.nn.Linear(16, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)

    def batch_of(number):
        x = torch.randn(16, 4, generator=torch.Generator().manual_seed(number))
        return x, x.sum(1, keepdim=True) + (30.0 if 160 <= number < 168 else 0.0)

    def loss_of(batch):
        return (model(batch[0]) - batch[1]).square().mean()

    def step(batch):
        optimizer.zero_grad()
        loss = loss_of(batch)
        loss.backward()
        optimizer.step()
        return loss

    state = {"model": model, "optimizer": optimizer}
    return spikecheck.Training(step=step, batches=NumberedBatches(batch_of), state=state, loss=loss_of)
"""


def test_an_early_spike_of_a_workload_with_dropout_comes_again(write: Callable[[str], str]) -> None:
    """Regression: before the first kept state the way to the forks began with whatever the first training left in the global
    generators, and the spike was not the same again."""
    workload = Workload.of(f"{write(GLOBAL)}:training")
    answer = explain_order(Order(workload, 0, 240), None, Question(160, (arms.LEFT_OUT,)), workers=1)
    assert answer.differs_at is None and answer.arm("batches left out").effect is Effect.REMOVES
