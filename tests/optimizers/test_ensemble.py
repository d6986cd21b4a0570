"""The state of many trainings: members are taken out with all that belongs to them."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.optimizers.ensemble import Ensemble


def ensemble(members: int) -> Ensemble:
    rows = torch.arange(3.0 * members, dtype=torch.float64).view(members, 3)
    return Ensemble(
        params=rows,
        slots={"mean": rows + 100, "square": rows + 200},
        done=torch.arange(members),
        lr=torch.arange(members, dtype=torch.float64) / 10,
        alive=torch.arange(members) % 2 == 0,
    )


@given(st.integers(1, 6), st.data())
def test_selected_members_keep_their_numbers_in_the_order_asked_for(members: int, data: st.DataObject) -> None:
    whole = ensemble(members)
    chosen = data.draw(st.lists(st.integers(0, members - 1), max_size=8))
    some = whole.select(chosen)
    assert some.members == len(chosen)
    for place, member in enumerate(chosen):
        assert torch.equal(some.params[place], whole.params[member])
        assert {name: row[place].tolist() for name, row in some.slots.items()} == {
            name: row[member].tolist() for name, row in whole.slots.items()
        }
        assert (some.done[place], some.lr[place], some.alive[place]) == (
            whole.done[member], whole.lr[member], whole.alive[member]
        )  # fmt: skip


def test_another_rate_changes_nothing_else_and_not_the_state_that_it_was_made_from() -> None:
    whole = ensemble(4)
    slow = whole.at_rate(0.25)
    assert torch.equal(slow.lr, torch.tensor([0.0, 0.1, 0.2, 0.3], dtype=torch.float64) * 0.25)
    assert slow.params is whole.params and slow.done is whole.done and slow.alive is whole.alive
    assert float(whole.lr[3]) == 0.3
