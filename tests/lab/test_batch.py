"""A tile's members at states that were stored, and how far apart states are stored."""

import numpy as np
import pytest
import torch

from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.core.spike import SpikeDefinition
from spikecheck.lab.batch import Batch, required
from spikecheck.lab.run_codec import Checkpoints
from spikecheck.lab.run_records import checkpoints_of, run_of
from spikecheck.lab.trained import Trained
from spikecheck.objective.objective import build_objective
from spikecheck.optimizers.rules import rule_of
from spikecheck.training.gradients import full_batch
from spikecheck.training.loop import begin, train

SETTING = Setting(width=5, points=8, steps=120, optimizer="adam", lr=0.02)


def test_what_cannot_be_resumed_is_an_error_of_ours() -> None:
    assert required(0) == 0
    with pytest.raises(ValueError, match="cannot be resumed"):
        required(None)


@pytest.fixture(scope="module")
def batch() -> Batch:
    recipes = [Recipe(setting=SETTING, seed=seed) for seed in range(3)]
    goal = build_objective([SETTING] * 3)
    rates = torch.tensor([0.02, 0.02, 0.02], dtype=torch.float64)
    return Batch(recipes, goal, rule_of(SETTING), rates, full_batch(goal), "cpu", 3)


@pytest.fixture(scope="module")
def trained(batch: Batch) -> list[Trained]:
    start = begin(batch.objective, batch.rule, batch.objective.initial(batch.seeds), batch.lr)
    whole = train(batch.objective, batch.rule, start, torch.tensor([120] * 3), lambda made: None, batch.stride)
    checkpoints = checkpoints_of(whole, 3)
    return [
        Trained(run_of(recipe, batch.objective, whole, member, 0, SpikeDefinition()), checkpoints[member])
        for member, recipe in enumerate(batch.recipes)
    ]


def test_members_are_resumed_each_at_its_own_step_with_the_bits_of_a_training_that_ends_there(
    batch: Batch, trained: list[Trained]
) -> None:
    steps = [0, 50, 77]
    there = batch.resumed(trained, steps, lambda made: None)
    start = begin(batch.objective, batch.rule, batch.objective.initial(batch.seeds), batch.lr)
    whole = train(batch.objective, batch.rule, start, torch.tensor(steps), lambda made: None).end
    assert there.done.tolist() == steps
    assert torch.equal(there.params, whole.params)
    for name, numbers in whole.slots.items():
        assert torch.equal(there.slots[name], numbers)


def test_the_ends_of_trainings_are_their_last_weights(batch: Batch, trained: list[Trained]) -> None:
    ends = batch.ends(trained)
    for row, one in zip(ends, trained, strict=True):
        np.testing.assert_array_equal(row.numpy(), one.run.snapshots["end"].params)


def test_a_state_is_put_together_from_every_members_own_checkpoint(batch: Batch, trained: list[Trained]) -> None:
    kept = [one.checkpoints for one in trained]
    there = batch.state([one for one in kept if isinstance(one, Checkpoints)], [2, 0, 1])
    assert there.done.tolist() == [100, 0, 50]
    assert there.alive.all()
