"""Planted causes: the plant is where it is said to be, replays bit for bit, and without one nothing is changed."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from spikecheck.core.errors import SettingError, UnknownName
from spikecheck.tensors.random_state import seed_everything
from spikecheck.watch.checkpoint import load_checkpoint, save_checkpoint
from spikecheck.watch.replay import first_difference, first_unreplayed
from spikecheck.watch.training import Training
from studies.planted_causes import CAUSES, ONSETS, SHIPPED, gpt, mlp, onset_of, resnet
from workloads.gpt import gpt as shipped_gpt
from workloads.mlp import mlp as shipped_mlp
from workloads.resnet import resnet as shipped_resnet

PLANTED: dict[str, Callable[..., Training]] = {"gpt": gpt, "resnet": resnet, "mlp": mlp}
BARE: dict[str, Callable[..., Training]] = {
    "gpt": partial(shipped_gpt, None, steps=3_000, batch=8),
    "resnet": partial(shipped_resnet, None, steps=3_000, batch=8),
    "mlp": partial(shipped_mlp, partial(torch.optim.Adam, lr=3e-3)),
}
EVERY = [
    (name, cause)
    for cause in CAUSES
    for name in CAUSES[cause].workloads
    if name != "resnet" or cause in ("none", "bad-batch", "rate", "momentum")  # the others are the same code as in mlp
]
ONSET, SEED = 3, 7
# The step whose loss is the first to differ from the training without a plant. A batch's own loss shows that it is changed;
# what changes the update shows in the next loss, and a batch that comes a second time at the second step of the window.
FIRST = {
    "benign": ONSET,
    "bad-batch": ONSET,
    "label-noise": ONSET,
    "rare-input": ONSET,
    "repeated-batch": ONSET + 1,
    "rate": ONSET + 1,
    "no-warm-up": ONSET + 1,
    "momentum": ONSET + 1,
}


def made(name: str, cause: str = "none", seed: int = SEED) -> Training:
    seed_everything(seed)
    return PLANTED[name](None, seed, "cpu", cause=cause, onset=ONSET)


@pytest.mark.parametrize("name", PLANTED)
def test_without_a_cause_no_bit_differs_from_the_shipped_workload(name: str) -> None:
    planted = made(name)
    losses = planted.run(3)
    seed_everything(SEED)
    bare = BARE[name](seed=SEED, device="cpu")
    assert bare.run(3) == losses
    pairs = zip(planted.model.state_dict().values(), bare.model.state_dict().values(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


@pytest.mark.parametrize(("name", "cause"), EVERY)
def test_a_plant_replays_bit_for_bit(name: str, cause: str) -> None:
    """Over the onset, from a state before it, and from one within the window."""
    assert first_difference(partial(made, name, cause), ONSET + 1) is None
    training = made(name, cause)
    training.run(ONSET - 1)
    assert first_unreplayed(training, 2) is None
    assert first_unreplayed(training, 1) is None


@pytest.mark.parametrize(("name", "cause"), [(name, cause) for name, cause in EVERY if cause in FIRST])
def test_a_plant_begins_at_its_onset(name: str, cause: str) -> None:
    planted, without = made(name, cause).run(5), made(name).run(5)
    differing = [step for step in range(5) if planted[step] != without[step]]
    assert differing[0] == FIRST[cause]


@pytest.mark.parametrize("name", ["gpt", "mlp"])
def test_no_gradient_is_taken_of_a_batch_without_consequence(name: str) -> None:
    norms = _norms(made(name, "benign"), ONSET + 2)
    assert [step for step, norm in enumerate(norms) if norm == 0.0] == [ONSET]


@pytest.mark.parametrize("cause", ["bad-batch", "label-noise", "rare-input"])
def test_a_plant_of_the_data_is_in_the_batches_of_its_window(cause: str) -> None:
    planted, without = (_batches(made("mlp", name), ONSET + CAUSES[cause].length + 2) for name in (cause, "none"))
    changed = [step for step, pair in enumerate(zip(planted, without, strict=True)) if not _equal(*pair)]
    assert changed == list(range(ONSET, ONSET + CAUSES[cause].length))


def test_a_repeated_batch_comes_at_every_step_of_its_window_and_not_after_it() -> None:
    last = ONSET + CAUSES["repeated-batch"].length
    batches = _batches(made("mlp", "repeated-batch"), last + 1)
    assert all(_equal(batch, batches[ONSET]) for batch in batches[ONSET:last])
    assert not _equal(batches[last], batches[ONSET])
    assert not _equal(batches[ONSET - 1], batches[ONSET])


@pytest.mark.parametrize("name", PLANTED)
def test_the_rate_jumps_for_ten_steps_as_the_optimizer_sees_it(name: str) -> None:
    rates, usual = _rates(made(name, "rate"), 14), _rates(made(name), 14)
    times = [seen / bare for seen, bare in zip(rates, usual, strict=True)]
    assert times == pytest.approx([1.0] * ONSET + [30.0] * 10 + [1.0])


def test_a_second_phase_without_warm_up_keeps_its_rate() -> None:
    rates = _rates(made("mlp", "no-warm-up"), 14)
    assert rates == pytest.approx([0.003] * ONSET + [0.09] * (14 - ONSET))


def test_only_attention_s_rate_jumps() -> None:
    training = made("gpt", "attention")
    seen: list[float] = []
    training.optimizer.register_step_pre_hook(
        lambda optimizer, *rest: seen.append(optimizer.param_groups[1]["lr"] / optimizer.param_groups[0]["lr"])
    )
    training.run(5)
    assert seen == pytest.approx([1.0, 1.0, 1.0, 100.0, 100.0])


def test_gradients_are_small_until_the_onset() -> None:
    norms = {cause: _norms(made("mlp", cause), ONSET + 1) for cause in ("lag", "none")}
    share = norms["lag"][0] / norms["none"][0]
    assert share == pytest.approx(2.0**-7, rel=1e-5)
    assert norms["lag"][ONSET] > 20 * norms["lag"][ONSET - 1]


def test_momentum_is_thirty_times_itself_at_the_onset() -> None:
    buffers: dict[str, torch.Tensor] = {}
    for cause in ("momentum", "none"):
        training = made("mlp", cause)
        training.run(ONSET)
        before = next(iter(training.optimizer.state.values()))["exp_avg"].clone()
        training.run(1)
        after = next(iter(training.optimizer.state.values()))["exp_avg"]
        buffers[cause] = after - 0.9 * (30.0 if cause == "momentum" else 1.0) * before
    assert torch.allclose(buffers["momentum"], buffers["none"], atol=1e-6)  # a tenth of the same gradient in both


def test_rounding_is_gone_in_full_precision() -> None:
    rounded = made("mlp", "rounding")
    (batch,) = _batches(rounded, 1)
    rounded.model.eval()
    rounded.state["clock"].made = ONSET
    whole = float(rounded.loss(batch).detach())
    with torch.autocast("cpu", torch.bfloat16):
        lower = float(rounded.loss(batch).detach())
    rounded.state["clock"].made = 0
    assert whole == pytest.approx(float(rounded.loss(batch).detach()), abs=1e-3)
    assert abs(lower - whole) > 0.01


def test_an_overflow_gives_no_number_while_it_lasts() -> None:
    overflowing = made("gpt", "overflow")
    losses = overflowing.run(ONSET)
    with torch.no_grad():
        overflowing.model.get_parameter("head.weight").mul_(100.0)  # as large as logits are after some training
    losses += overflowing.run(7)
    assert [step for step, loss in enumerate(losses) if loss != loss] == list(range(ONSET, ONSET + 5))  # noqa: PLR0124 - NaN


def test_a_state_within_a_repetition_is_kept_in_a_file(tmp_path: Path) -> None:
    training = made("mlp", "repeated-batch")
    training.run(ONSET + 2)
    save_checkpoint(tmp_path / "state", training.snapshot())
    losses = training.run(3)
    kept = load_checkpoint(tmp_path / "state")
    assert kept is not None
    other = made("mlp", "repeated-batch")
    other.restore(kept.snapshot)
    assert other.run(3) == losses


def test_the_seed_draws_the_onset() -> None:
    onsets = {onset_of(seed) for seed in range(40)}
    assert onsets <= set(ONSETS)
    assert len(onsets) > 15
    assert SHIPPED.keys() == PLANTED.keys()


def test_a_cause_that_is_not_there_is_refused_in_one_line() -> None:
    with pytest.raises(UnknownName, match="no cause is called 'cosmic-ray'"):
        mlp(None, 0, "cpu", cause="cosmic-ray")
    with pytest.raises(SettingError, match="cause='attention': is not planted in mlp; choose gpt"):
        mlp(None, 0, "cpu", cause="attention")


def _batches(training: Training, steps: int) -> list[Any]:
    seen: list[Any] = []
    training.run(steps, lambda step: seen.append(step.batch))
    return seen


def _rates(training: Training, steps: int) -> list[float]:
    seen: list[float] = []
    training.optimizer.register_step_pre_hook(lambda optimizer, *rest: seen.append(optimizer.param_groups[0]["lr"]))
    training.run(steps)
    return seen


def _norms(training: Training, steps: int) -> list[float]:
    seen: list[float] = []
    training.optimizer.register_step_pre_hook(
        lambda optimizer, *rest: seen.append(
            float(sum(p.grad.square().sum() for group in optimizer.param_groups for p in group["params"])) ** 0.5
        )
    )
    training.run(steps)
    return seen


def _equal(one: Any, other: Any) -> bool:
    return all(torch.equal(mine, its) for mine, its in zip(one, other, strict=True))
