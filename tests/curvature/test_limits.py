"""The sizes at which curvature is computed in another way, and at which a search ends."""

import pytest
import torch

from spikecheck.core.setting import Setting
from spikecheck.curvature.hessian import curvature
from spikecheck.curvature.limits import DEPTH, WRITTEN_OUT_UP_TO
from spikecheck.curvature.linearised_update import multipliers
from spikecheck.objective.compiles import SHALLOW_FROM
from spikecheck.objective.objective import build_objective
from spikecheck.optimizers.rules import rule_of
from spikecheck.training.loop import begin


@pytest.mark.parametrize(("width", "written"), [(WRITTEN_OUT_UP_TO // 3, True), (WRITTEN_OUT_UP_TO // 3 + 1, False)])
def test_large_hessians_are_not_written_out(width: int, written: bool) -> None:
    goal = build_objective([Setting(width=width, points=4, steps=SHALLOW_FROM - 1)])
    assert (curvature(goal, goal.initial([0])).hessians_of([0]) is not None) == written


@pytest.mark.parametrize(("width", "products"), [(5, 15), (40, DEPTH)])
def test_a_krylov_space_has_no_more_products_than_that_or_than_dimensions(width: int, products: int) -> None:
    setting = Setting(width=width, points=4, steps=20)
    goal, told = build_objective([setting]), list[None]()
    there = begin(goal, rule_of(setting), goal.initial([0]), torch.full((1,), setting.lr, dtype=torch.float64))
    multipliers(goal, rule_of(setting), there, tick=lambda: told.append(None))
    assert len(told) == products
