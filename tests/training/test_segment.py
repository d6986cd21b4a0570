"""Many updates in one call of machine code against the loop in Python: the same bits, whatever the rule."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spikecheck.core.setting import Setting
from spikecheck.objective.objective import Objective, build_objective
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.tensors.compiler import compiler
from spikecheck.training import loop as training
from spikecheck.training import segment
from spikecheck.training.gradients import FullBatch, Noisy
from spikecheck.training.loop import Trajectory, begin, train
from spikecheck.training.rule_for import rule_for
from spikecheck.training.segment import segments

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="torch finds no C++ compiler here")

GD = Setting(width=7, points=9, steps=1_000)
RULES = (
    GD,
    GD.but(weight_decay=0.01),
    GD.but(optimizer="heavy-ball", momentum=0.9, lr=0.02),
    GD.but(optimizer="nesterov", momentum=0.8, lr=0.02, weight_decay=0.02),
    GD.but(dtype="float32"),
    GD.but(output_bias=True, activation="gelu"),
    GD.but(activation="relu", optimizer="heavy-ball", momentum=0.5, dtype="float32"),
)


@pytest.fixture(autouse=True, scope="module")
def compiled_and_on_one_thread() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPIKECHECK_COMPILE", "1")
        compiler.cache_clear()
        torch.set_num_threads(1)
        yield
    compiler.cache_clear()


def started(setting: Setting, rates: list[float]) -> tuple[Objective, Ensemble]:
    goal = build_objective([setting] * len(rates))
    start = goal.initial(list(range(len(rates))))
    return goal, begin(goal, rule_for(goal), start, torch.tensor(rates, dtype=torch.float64))


def both(
    goal: Objective, ensemble: Ensemble, until: torch.Tensor, stride: int
) -> tuple[Trajectory, Trajectory, list[int], list[int]]:
    """The training in calls of many updates, and step by step, with what each told of its progress."""
    swift, slow = list[int](), list[int]()
    fast = train(goal, rule_for(goal), ensemble, until, swift.append, stride)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "segments", lambda *asked: None)
        return fast, train(goal, rule_for(goal), ensemble, until, slow.append, stride), swift, slow


def same(one: Ensemble, other: Ensemble) -> bool:
    parts = [(getattr(one, name), getattr(other, name)) for name in ("params", "done", "lr", "alive")]
    parts += [(one.slots[name], other.slots[name]) for name in other.slots]
    return one.slots.keys() == other.slots.keys() and all(torch.equal(a, b) for a, b in parts)


@settings(max_examples=30, deadline=None)
@given(
    setting=st.sampled_from(RULES),
    rates=st.lists(st.sampled_from([0.3, 1.0, 2.0]), min_size=1, max_size=9),
    steps=st.integers(1, 230),
    shorter=st.integers(0, 40),
    stride=st.sampled_from([0, 7, 50, 100]),
)
def test_the_same_bits_as_step_by_step(
    setting: Setting, rates: list[float], steps: int, shorter: int, stride: int
) -> None:
    goal, ensemble = started(setting, [setting.lr * rate for rate in rates])
    until = torch.full_like(ensemble.done, steps)
    until[0] = max(steps - shorter, 0)  # one member is done before the others
    fast, slow, swift, told = both(goal, ensemble, until, stride)
    assert torch.equal(fast.loss, slow.loss)
    assert same(fast.end, slow.end)
    assert len(fast.checkpoints) == len(slow.checkpoints)
    assert all(map(same, fast.checkpoints, slow.checkpoints))
    assert sum(told) <= sum(swift) <= len(rates) * steps


def test_where_one_member_is_lost_or_done_the_others_still_need_no_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of the time of `verify --profile full` went into the rest of such trainings, step by step."""
    goal, ensemble = started(GD.but(activation="relu"), [0.01, 1e200, 0.01])
    monkeypatch.setattr(training, "update", lambda *asked: pytest.fail("a step in Python"))
    monkeypatch.setattr(training, "update_all", lambda *asked: pytest.fail("a step in Python"))
    end = train(goal, rule_for(goal), ensemble, torch.tensor([40, 90, 70]), lambda made: None, 50).end
    assert end.done.tolist()[::2] == [40, 70]
    again = train(goal, rule_for(goal), end, torch.tensor([90, 90, 90]), lambda made: None, 50).end
    assert again.done.tolist()[::2] == [90, 90]
    assert again.alive.tolist() == [True, False, True]


def test_a_member_that_diverges_stands_still_and_the_others_go_on() -> None:
    goal, ensemble = started(GD.but(activation="relu"), [0.01, 1e200, 0.01])
    fast, slow, *_ = both(goal, ensemble, torch.full_like(ensemble.done, 120), 50)
    assert fast.end.alive.tolist() == [True, False, True]
    assert same(fast.end, slow.end)
    assert fast.end.done[0] == 120 > fast.end.done[1]
    assert torch.equal(fast.loss[:, [0, 2]], slow.loss[:, [0, 2]])
    assert torch.equal(fast.loss[:, 1].isfinite(), slow.loss[:, 1].isfinite())


def test_a_training_goes_on_from_where_another_call_left_it() -> None:
    goal, ensemble = started(GD.but(optimizer="heavy-ball", momentum=0.9), [0.02, 0.03])
    whole = train(goal, rule_for(goal), ensemble, torch.full_like(ensemble.done, 170), lambda made: None)
    half = train(goal, rule_for(goal), ensemble, torch.full_like(ensemble.done, 60), lambda made: None)
    rest = train(goal, rule_for(goal), half.end, torch.full_like(ensemble.done, 170), lambda made: None)
    assert same(rest.end, whole.end)


def test_only_what_it_can_do_is_taken_from_the_loop() -> None:
    goal, ensemble = started(GD, [0.1])
    until = torch.full_like(ensemble.done, 60)
    assert segments(goal, rule_for(goal), ensemble, until, None) is not None
    assert segments(goal, rule_for(goal), ensemble, until, FullBatch(goal)) is not None
    assert segments(goal, rule_for(goal), ensemble, until, Noisy(FullBatch(goal), [0], 0.1)) is None
    for other in (GD.but(optimizer="adam"), GD.but(schedule="cosine"), GD.but(depth=2), GD.but(steps=10)):
        goal, ensemble = started(other, [0.1])
        assert segments(goal, rule_for(goal), ensemble, until, None) is None


def test_where_the_compiler_fails_it_is_trained_step_by_step(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    goal, ensemble = started(GD, [0.1, 0.2])
    until = torch.full_like(ensemble.done, 60)
    expected = train(goal, rule_for(goal), ensemble, until, lambda made: None)

    def full(*asked: object, **more: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))  # where no library is recorded yet
    monkeypatch.setattr("spikecheck.tensors.cpp_library.subprocess.run", full)
    segment._function.cache_clear()
    assert segments(goal, rule_for(goal), ensemble, until, None) is None
    assert same(train(goal, rule_for(goal), ensemble, until, lambda made: None).end, expected.end)
    segment._function.cache_clear()


def test_a_stop_is_heard_within_a_hundred_updates() -> None:
    goal, ensemble = started(GD, [0.1])

    def stop(made: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(goal, rule_for(goal), ensemble, torch.full_like(ensemble.done, 1_000), stop)
