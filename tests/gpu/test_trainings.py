"""Trainings on a GPU: against torch's own loop, and against themselves."""

import warnings
from pathlib import Path

import pytest
import torch

from spikecheck import SETTING_A, Laboratory, Recipe, Setting, SharpnessTrace, Store, Trail
from spikecheck.objective.objective import Objective, build_objective
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.training.loop import begin, train
from spikecheck.training.one_update import update
from spikecheck.training.rule_for import rule_for
from spikecheck.training.segment_gpu import CAPTURED, InGraph, InKernel, launches

MEMBERS = 5
RULES = ("gd", "heavy-ball", "nesterov", "rmsprop", "adam", "adamw")
NETS: list[dict[str, object]] = [
    {"problem": "mnist1d", "points": 20, "depth": 2},
    {"problem": "mnist1d", "points": 20, "loss": "cross-entropy", "schedule": "cosine"},
    {"problem": "mnist1d", "points": 20, "model": "conv", "width": 4, "activation": "relu"},
]


def started(goal: Objective) -> Ensemble:
    lr = torch.tensor([setting.lr for setting in goal.settings], dtype=torch.float64)
    return begin(goal, rule_for(goal), goal.initial(range(goal.members)), lr)


def dispatched(goal: Objective, ensemble: Ensemble, until: torch.Tensor, steps: int) -> tuple[torch.Tensor, Ensemble]:
    rows = []
    for _ in range(steps):
        here = ensemble.params.detach().requires_grad_()
        losses = goal.losses(here)
        (slopes,) = torch.autograd.grad(losses.sum(), here)
        rows.append(losses.detach())
        ensemble = update(rule_for(goal), ensemble, losses.detach(), slopes, until)
    return torch.stack(rows), ensemble


@pytest.mark.parametrize("optimizer", RULES)
@pytest.mark.parametrize("changes", NETS)
def test_a_graphs_updates_are_the_dispatched_ones(optimizer: str, changes: dict[str, object]) -> None:
    setting = Setting(width=6, steps=200, optimizer=optimizer, lr=0.01).but(**changes)
    goal = build_objective([setting.but(lr=0.01 + member / 1_000) for member in range(MEMBERS)], "cuda")
    start = started(goal)
    until = torch.tensor([200, 200, 60, 200, 70], device="cuda")
    steps = 2 * CAPTURED + 7
    advance = launches(goal, rule_for(goal), start, until, None)
    assert isinstance(advance, InGraph)
    record = torch.empty(steps, MEMBERS, dtype=start.params.dtype, device="cuda")
    end = advance(start, until, record)
    losses, expected = dispatched(goal, start, until, steps)
    torch.testing.assert_close(record, losses, rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(end.params, expected.params, rtol=1e-6, atol=1e-9)
    assert end.done.tolist() == expected.done.tolist()


def test_shallow_networks_are_trained_in_one_kernel() -> None:
    goal = build_objective([SETTING_A] * 3, "cuda")
    start = started(goal)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = launches(goal, rule_for(goal), start, torch.full_like(start.done, 100), None)
    assert isinstance(found, InKernel)


def test_a_kernel_keeps_to_the_ordinary_loop_on_the_cpu() -> None:
    """The first hundred steps, before chaos shows."""
    setting = SETTING_A.but(steps=100)
    ends = []
    for device in ("cuda", "cpu"):
        goal = build_objective([setting] * 4, device)
        start = started(goal)
        found = train(goal, rule_for(goal), start, torch.full_like(start.done, 100), lambda made: None, 50)
        ends.append((found.loss.cpu(), found.end.params.cpu()))
        assert len(found.checkpoints) == 2
    torch.testing.assert_close(ends[0], ends[1], rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("setting", [SETTING_A.but(steps=300), Setting(width=6, steps=300, lr=0.01).but(**NETS[0])])
def test_a_run_is_the_same_alone_and_again(setting: Setting, tmp_path: Path) -> None:
    recipes = [Recipe(setting=setting, seed=seed) for seed in range(3)]
    together = Laboratory(device="cuda").runs(recipes)
    again = Laboratory(Store(tmp_path), device="cuda").runs(recipes[1:2])
    assert (again[recipes[1]].loss == together[recipes[1]].loss).all()


def test_sharpness_is_the_cpus() -> None:
    for probe in (SharpnessTrace(every_step=True), SharpnessTrace(), Trail()):
        recipe = Recipe(setting=SETTING_A.but(steps=200), seed=3, probe=probe)
        here, there = (Laboratory(device=device).runs([recipe])[recipe].records for device in ("cuda", "cpu"))
        kind = "trail" if isinstance(probe, Trail) else "sharpness"
        mine, theirs = (torch.from_numpy(records[kind]["sharpness"]) for records in (here, there))
        torch.testing.assert_close(mine, theirs, rtol=2e-3, atol=1e-6)
