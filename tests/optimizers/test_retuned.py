"""Rules whose hyperparameters change in the middle, and the state that they continue from."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.setting import Setting
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.optimizers.retuned import carried_over, retuned, without_momentum
from spikecheck.optimizers.rules import Adam, HeavyBall, RMSprop
from spikecheck.optimizers.schedules import Scheduled

SLOTS = {
    "mean": torch.tensor([[0.3, -0.2]], dtype=torch.float64),
    "squares": torch.tensor([[0.4, 0.1]], dtype=torch.float64),
}


def state(done: int) -> Ensemble:
    params, alive = torch.zeros(1, 2, dtype=torch.float64), torch.ones(1, dtype=torch.bool)
    return Ensemble(params, SLOTS, torch.tensor([done]), torch.tensor([0.1], dtype=torch.float64), alive)


@given(st.integers(1, 5_000), st.floats(0.0, 0.9999), st.floats(0.0, 0.99))
def test_the_corrected_moments_stay(done: int, beta2: float, beta1: float) -> None:
    before = Adam(beta1=0.9, beta2=0.999)
    after = retuned(before, {"beta1": beta1, "beta2": beta2})
    assert isinstance(after, Adam)
    carried = carried_over(state(done), before, after)
    for slot, old, new in (("mean", 0.9, beta1), ("squares", 0.999, beta2)):
        torch.testing.assert_close(
            carried.slots[slot] / (1 - new**done), SLOTS[slot] / (1 - old**done), rtol=1e-9, atol=0
        )


def test_rules_without_a_correction_keep_their_state() -> None:
    before = RMSprop(beta2=0.99)
    assert carried_over(state(7), before, retuned(before, {"beta2": 0.9})).slots is state(7).slots


def test_a_schedule_keeps_its_rates() -> None:
    setting = Setting(optimizer="heavy-ball", schedule="cosine", steps=100)
    scheduled = Scheduled(HeavyBall(momentum=0.9), setting)
    assert retuned(scheduled, {"momentum": 0.5}) == Scheduled(HeavyBall(momentum=0.5), setting)


def test_only_the_mean_of_gradients_is_emptied() -> None:
    emptied = without_momentum(state(7))
    assert not emptied.slots["mean"].any()
    assert torch.equal(emptied.slots["squares"], SLOTS["squares"])
    assert SLOTS["mean"].any()
