"""Triton's kernels, rule by rule, against the trainer that dispatches every update: on a GPU where there is one, else by
Triton's interpreter, which runs them in NumPy on tensors of the CPU."""

import os
from dataclasses import replace

import pytest
import torch

from spikecheck.core.setting import Setting
from spikecheck.objective.gpu_shallow import ShallowGpu
from spikecheck.objective.objective import Objective, build_objective
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.training.loop import begin
from spikecheck.training.one_update import update
from spikecheck.training.rule_for import rule_for
from spikecheck.training.segment_gpu import InGraph, InKernel, trial

pytest.importorskip("triton", reason="Triton has no build for this platform")

DEVICE = "cpu" if os.environ["TRITON_INTERPRET"] == "1" else "cuda"
MEMBERS, STEPS = 5, 7
RULES = ("gd", "heavy-ball", "nesterov", "rmsprop", "adam", "adamw")
SHAPES = [
    {},
    {"activation": "relu", "weight_decay": 0.05},
    {"activation": "gelu", "output_bias": True, "weight_decay": 0.02},
    {"activation": "xtanh", "schedule": "cosine"},
    {"width": 11, "points": 7, "schedule": "warmup-cosine"},
    {"width": 1, "dtype": "float32"},
]


def several(setting: Setting, members: int = MEMBERS) -> Objective:
    """Members with targets, intervals and rates of their own."""
    targets = ("sin x", "sin x + sin 4x", "sin 2x")
    return build_objective(
        [
            setting.but(target=targets[member % 3], interval=1.0 + member % 2, lr=setting.lr * (1 + member / 10))
            for member in range(members)
        ],
        DEVICE,
    )


def started(goal: Objective) -> Ensemble:
    lr = torch.tensor([setting.lr for setting in goal.settings], dtype=torch.float64)
    return begin(goal, rule_for(goal), goal.initial(range(goal.members)), lr)


def passes(goal: Objective) -> ShallowGpu:
    return ShallowGpu(goal.model, goal.train.x, goal.train.y, goal.members)  # type: ignore[arg-type]


def dispatched(goal: Objective, ensemble: Ensemble, until: torch.Tensor, steps: int) -> tuple[torch.Tensor, Ensemble]:
    """The oracle: torch's autograd and the rule, one update at a time."""
    rows = []
    for _ in range(steps):
        here = ensemble.params.detach().requires_grad_()
        losses = goal.losses(here)
        (slopes,) = torch.autograd.grad(losses.sum(), here)
        rows.append(losses.detach())
        ensemble = update(rule_for(goal), ensemble, losses.detach(), slopes, until)
    return torch.stack(rows), ensemble


def close(one: torch.Tensor, other: torch.Tensor) -> None:
    tolerance = 1e-9 if one.dtype == torch.float64 else 2e-4
    torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance, equal_nan=True)


@pytest.mark.parametrize("optimizer", RULES)
@pytest.mark.parametrize("changes", SHAPES)
def test_a_kernels_updates_are_the_dispatched_ones(optimizer: str, changes: dict[str, object]) -> None:
    setting = Setting(width=6, points=5, steps=20, optimizer=optimizer, lr=0.02).but(**changes)
    goal = several(setting)
    start = started(goal)
    start = replace(start, done=torch.tensor([0, 3, 0, 1, 2], device=DEVICE))  # clocks of their own
    until = torch.tensor([20, 20, 5, 20, 6], device=DEVICE)
    record = torch.full((STEPS, MEMBERS), 7.0, dtype=start.params.dtype, device=DEVICE)
    end = InKernel(passes(goal), rule_for(goal))(start, until, record)
    losses, expected = dispatched(goal, start, until, STEPS)
    close(record, losses)
    close(end.params, expected.params)
    assert end.done.tolist() == expected.done.tolist()
    assert end.alive.tolist() == expected.alive.tolist()
    assert set(end.slots) == set(expected.slots)
    for name, slot in end.slots.items():
        close(slot, expected.slots[name])


def test_a_lost_member_keeps_the_state_in_which_it_was_lost() -> None:
    """And its companions the bits they have without it."""
    goal = several(Setting(width=4, points=6, steps=20, lr=0.05, activation="relu"), 3)
    start = started(goal)
    params = start.params.clone()
    params[1, 0] = torch.nan
    start = replace(start, params=params, lr=start.lr.clone())
    until = torch.full((3,), 20, device=DEVICE)
    record = torch.empty(STEPS, 3, dtype=params.dtype, device=DEVICE)
    end = InKernel(passes(goal), rule_for(goal))(start, until, record)
    assert end.alive.tolist() == [True, False, True]
    assert end.done.tolist() == [STEPS, 0, STEPS]
    assert torch.equal(end.params[1], params[1]) or bool(end.params[1].isnan().any())
    others = [0, 2]
    alone = goal.select(others)
    there = torch.empty(STEPS, 2, dtype=params.dtype, device=DEVICE)
    without = InKernel(passes(alone), rule_for(alone))(start.select(others), until[:2], there)
    assert torch.equal(without.params, end.params[others])
    assert torch.equal(there, record[:, others])


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")  # NumPy's, which interprets
def test_a_training_that_overflows_stops_when_it_does() -> None:
    goal = several(Setting(width=4, points=6, steps=400, lr=30.0), 2)
    start, until = started(goal), torch.full((2,), 400, device=DEVICE)
    start = replace(start, lr=torch.tensor([1e200, 1e-3], dtype=torch.float64, device=DEVICE))
    record = torch.empty(8, 2, dtype=torch.float64, device=DEVICE)
    end = InKernel(passes(goal), rule_for(goal))(start, until, record)
    losses, expected = dispatched(goal, start, until, 8)
    assert end.done.tolist() == expected.done.tolist()
    assert end.done.tolist()[0] < 8
    assert record.isfinite().tolist() == losses.isfinite().tolist()


def test_one_launch_is_as_good_as_two() -> None:
    goal = several(Setting(width=6, points=9, steps=20, optimizer="adam", lr=0.02))
    start, until = started(goal), torch.full((MEMBERS,), 20, device=DEVICE)
    kernel = InKernel(passes(goal), rule_for(goal))
    record = torch.empty(STEPS, MEMBERS, dtype=torch.float64, device=DEVICE)
    whole = kernel(start, until, record)
    parts = torch.empty_like(record)
    halves = kernel(kernel(start, until, parts[:5]), until, parts[5:])
    assert torch.equal(parts, record)
    assert torch.equal(halves.params, whole.params)


def test_a_members_bits_depend_neither_on_its_companions_nor_on_its_place() -> None:
    goal = several(Setting(width=11, points=9, steps=20, lr=0.02), 6)
    start, until = started(goal), torch.full((6,), 20, device=DEVICE)
    record = torch.empty(STEPS, 6, dtype=torch.float64, device=DEVICE)
    together = InKernel(passes(goal), rule_for(goal))(start, until, record)
    for member in range(6):
        alone = goal.select([member])
        own = torch.empty(STEPS, 1, dtype=torch.float64, device=DEVICE)
        end = InKernel(passes(alone), rule_for(alone))(start.select([member]), until[:1], own)
        assert torch.equal(end.params[0], together.params[member])
        assert torch.equal(own[:, 0], record[:, member])


def test_a_kernel_is_not_trusted_before_it_was_seen_to_be_right() -> None:
    goal = several(Setting(width=6, points=9, steps=100, lr=0.02), 2)
    start, until = started(goal), torch.full((2,), 100, device=DEVICE)
    rule = rule_for(goal)

    def faulty(ensemble: Ensemble, last: torch.Tensor, record: torch.Tensor) -> Ensemble:
        losses, found = dispatched(goal, ensemble, last, len(record))
        record.copy_(losses)
        record[2] += 1e-6
        return found

    def losing(ensemble: Ensemble, last: torch.Tensor, record: torch.Tensor) -> Ensemble:
        found = faulty(ensemble, last, record)
        record[2] = torch.nan
        return found

    def failing(ensemble: Ensemble, last: torch.Tensor, record: torch.Tensor) -> Ensemble:
        raise RuntimeError("no image for this card")

    assert trial(InKernel(passes(goal), rule), goal, rule, start, until) == ""
    assert "other numbers" in trial(faulty, goal, rule, start, until)
    assert "other numbers" in trial(losing, goal, rule, start, until)
    assert "no image for this card" in trial(failing, goal, rule, start, until)


def test_updates_of_a_graph_are_copied_in_and_out() -> None:
    """What a graph is made of, step by step on any device: the rest it owes to CUDA (tests/gpu)."""
    goal = several(Setting(width=6, points=9, steps=100, lr=0.02), 2)
    start, until = started(goal), torch.full((2,), 100, device=DEVICE)
    rule = rule_for(goal)

    def move(ensemble: Ensemble, last: torch.Tensor) -> tuple[torch.Tensor, Ensemble]:
        losses, slopes = goal.gradient(ensemble.params)
        return losses, update(rule, ensemble, losses, slopes, last)

    record = torch.empty(STEPS, 2, dtype=torch.float64, device=DEVICE)
    end = InGraph(move)(start, until, record)
    losses, expected = dispatched(goal, start, until, STEPS)
    close(record, losses)
    close(end.params, expected.params)
