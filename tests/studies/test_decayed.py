"""The regressions whose second moment falls, or does not, and the page that counts their answers."""

from pathlib import Path

import pytest
import torch

from spikecheck.core.why import Answer, ArmResult, Cause, Effect, Outcome, Spike
from spikecheck.watch.training import Training
from spikecheck.why.arms import ARMS, HALF_RATE, LARGER_EPS, SECOND_HELD
from studies import causes_kept
from studies.causes_cells import Asked, Cell
from studies.decayed_moment import controls, kept
from studies.decayed_worlds import overlong, quiet


def root(training: Training) -> float:
    """Of the second moment: its median."""
    (state,) = training.optimizer.state.values()
    return float(state["exp_avg_sq"].median().sqrt())


def test_where_gradients_vanish_the_second_moment_falls_as_fast_as_it_can_and_noise_keeps_it_up() -> None:
    still, noisy = quiet(None, 1001, "cpu"), overlong(None, 1001, "cpu")
    for training in (still, noisy):
        training.run(380)
    before = [root(training) for training in (still, noisy)]
    for training in (still, noisy):
        training.run(32)
    assert root(still) / before[0] == pytest.approx(0.98**16, rel=0.01)
    assert 0.5 < root(noisy) / before[1] < 2.0


def test_three_updates_are_a_hundred_times_as_long() -> None:
    """The step before the fault and the first of it differ in the length that is left of the optimizer's own update."""
    training = overlong(None, 1000, "cpu")
    onset, (weight,) = int(training.about["onset"]), training.model.parameters()
    sizes = []
    for _ in range(onset + 4):
        before = weight.detach().clone()
        training.run(1)
        sizes.append(float((weight.detach() - before).norm()))
    assert all(size > 20.0 * max(sizes[onset - 32 : onset]) for size in sizes[onset : onset + 3])
    assert sizes[onset + 3] < 0.1 * sizes[onset]


def test_a_fork_meets_the_fault_again() -> None:
    training = overlong(None, 3, "cpu")
    training.run(int(training.about["onset"]) - 2)
    state = training.snapshot()
    first = training.run(8)
    training.restore(state)
    assert training.run(8) == first
    assert max(first) > 100.0 * first[0]


def arm(name: str, effect: Effect) -> ArmResult:
    return ArmResult(name=name, question="?", cause="?", effect=effect, claimed=effect is Effect.REMOVES)


def answer(cause: str | None, *arms: ArmResult) -> Answer:
    spike = Spike(onset=400, peak=401, over=None, height=9.0, level=0.0, spread=1.0, loss=9.0, benign=False)
    outcome = Outcome.CAUSE if cause else Outcome.NO_CAUSE
    return Answer(outcome=outcome, sentence="", cause=cause, arms=arms, spike=spike if arms else None)


EPS = arm(LARGER_EPS.name, Effect.REMOVES)


def test_the_controls_are_counted_where_they_spike() -> None:
    held = arm(SECOND_HELD.name, Effect.REMOVES).model_copy(update={"hits": 5})
    left = arm(SECOND_HELD.name, Effect.LEAVES)
    answers = {
        ("quiet", 0): answer(Cause.DECAYED, EPS, held),
        ("quiet", 1): answer(Cause.CURVATURE, EPS),
        ("quiet", 2): answer(None),
        ("overlong", 0): answer(None, EPS, left),
    }
    text = "\n".join(controls(answers))
    assert "| quiet | 3 | 2 | 1 | 1 of 2: 50 % (1 to 99) |" in text
    assert "| overlong | 1 | 1 | 1 | 0 of 1: 0 % (0 to 98) |" in text
    assert "| quiet | 1 | 400 | step too large for the curvature | eps = 1e-3 |  |" in text


def test_kept_answers_are_counted_by_how_near_they_come_to_the_new_question(tmp_path: Path) -> None:
    def whole(*removing: str) -> tuple[ArmResult, ...]:
        effects = {one.name: Effect.REMOVES if one.name in removing else Effect.LEAVES for one in ARMS}
        return tuple(arm(one.name, effects[one.name]).model_copy(update={"cause": one.cause}) for one in ARMS)

    tables = [
        whole(),
        whole(LARGER_EPS.name, HALF_RATE.name),
        whole(LARGER_EPS.name, "beta2 = 0.9"),
        whole(LARGER_EPS.name),
    ]
    cells = [
        Cell(asked=Asked(workload="mlp", cause="none", seed=seed), onset=400, spikes=True, answer=answer(None, *arms))
        for seed, arms in enumerate([*tables, ()])
    ]
    causes_kept.write("rules", cells, tmp_path / "some.json.gz")
    assert list(kept(tmp_path))[-1] == "| some.json.gz | 4 | 3 | 2 | 1 |"


def test_the_regression_has_no_bias_and_is_in_double_precision() -> None:
    (weight,) = quiet(None, 0, "cpu").model.parameters()
    assert (weight.dtype, tuple(weight.shape)) == (torch.float64, (1, 20))
