"""One update of an ensemble: who moves, along what, and who stays as they were."""

import pytest
import torch
from torch import Tensor

from spikecheck.core.setting import Setting
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.optimizers.rules import UpdateRule, rule_of
from spikecheck.training.one_update import update, update_all

LR = 0.1


def started(optimizer: str, members: int = 4, size: int = 3) -> tuple[UpdateRule, Ensemble, Tensor]:
    """A rule, the state of members before their third update, and gradients."""
    generator = torch.Generator().manual_seed(0)
    params, gradients = torch.randn(2, members, size, generator=generator, dtype=torch.float64)
    rule = rule_of(Setting(optimizer=optimizer, lr=LR))
    done, alive = torch.full((members,), 2), torch.ones(members, dtype=torch.bool)
    state = Ensemble(params, rule.begin(params), done, torch.full((members,), LR, dtype=torch.float64), alive)
    return rule, state, gradients


LOSSES = torch.tensor([1.0, float("nan"), 1.0, 1.0], dtype=torch.float64)
UNTIL = torch.tensor([9, 9, 2, 9])


@pytest.mark.parametrize("optimizer", ["gd", "heavy-ball", "adam"])
def test_members_that_are_lost_or_done_keep_every_number(optimizer: str) -> None:
    rule, state, gradients = started(optimizer)
    after = update(rule, state, LOSSES, gradients, UNTIL)
    assert after.done.tolist() == [3, 2, 2, 3]
    assert after.alive.tolist() == [True, False, True, True]
    for member in (1, 2):
        assert torch.equal(after.params[member], state.params[member])
        assert all(torch.equal(after.slots[name][member], slot[member]) for name, slot in state.slots.items())
    everyone = update_all(rule, state, gradients)
    for member in (0, 3):
        assert torch.equal(after.params[member], everyone.params[member])
        assert not torch.equal(after.params[member], state.params[member])


def test_who_was_lost_does_not_come_back() -> None:
    rule, state, gradients = started("gd")
    after = update(
        rule, update(rule, state, LOSSES, gradients, UNTIL), torch.ones(4, dtype=torch.float64), gradients, UNTIL
    )
    assert after.alive.tolist() == [True, False, True, True]
    assert after.done.tolist() == [4, 2, 2, 4]


def test_plain_gradient_descent_moves_by_rate_times_gradient() -> None:
    rule, state, gradients = started("gd")
    torch.testing.assert_close(update_all(rule, state, gradients).params, state.params - LR * gradients)


def test_along_a_direction_only_that_coordinate_changes() -> None:
    rule, state, gradients = started("gd")
    along = torch.nn.functional.normalize(torch.tensor([[1.0, 2.0, -2.0]], dtype=torch.float64).expand(4, 3))
    after = update_all(rule, state, gradients, along)
    motion = after.params - state.params
    free = -LR * gradients
    torch.testing.assert_close((motion * along).sum(1), (free * along).sum(1))
    torch.testing.assert_close(
        motion - (motion * along).sum(1, keepdim=True) * along, torch.zeros_like(motion), rtol=0, atol=1e-15
    )
    torch.testing.assert_close(
        update(rule, state, torch.ones(4, dtype=torch.float64), gradients, UNTIL + 9, along).params, after.params
    )
