"""Parity: an optimizer in the laboratory beside the same in the ordinary loop, step by step."""

import pytest

from spikecheck.core.errors import SettingError
from spikecheck.gate.parity import parity
from spikecheck.optimizers.instances import PerMember
from tests.optimizers.ordinary_net import HABITS, STEPS, setting


@pytest.mark.parametrize("name", HABITS)
def test_parity_agrees_over_the_whole_training(name: str) -> None:
    found = parity(setting(name))
    assert (found.steps, found.wanted, found.differs) == (STEPS, STEPS, "")


SINGLE = {"dtype": "float32"}


@pytest.mark.parametrize(
    "changes",
    [{"batch": 5}, {"schedule": "cosine"}, {"batch": 5, "clip": 0.1}, SINGLE, {**SINGLE, "schedule": "cosine"}],
)
@pytest.mark.parametrize("path", ["ordinary_optimizers:SharpnessAware", "torch.optim:LBFGS", "torch.optim:AdamW"])
def test_parity_agrees_under_conditions(path: str, changes: dict[str, object]) -> None:
    """LBFGS evaluates up to 20 times a step: eight steps are more than the 100 pairs of its history, whose oldest then go.

    A rate of 0.01 is no number of float32: torch computes with Python's.
    """
    steps = 8 if "LBFGS" in path else STEPS
    found = parity(setting("SharpnessAware").but(optimizer=path, lr=0.01, steps=steps, **changes), limit=300.0)
    assert found.differs == ""
    assert found.steps == found.wanted == steps


def test_parity_names_the_step_and_the_parameter_where_two_ways_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver is broken on purpose: from the eleventh step on it feeds gradients a hair too long."""
    honest = PerMember.step

    def wrong(self: PerMember, params, grads, lr, done, moving):  # type: ignore[no-untyped-def]
        return honest(self, params, grads * (1.0 + 1e-12 * (done[0] >= 10)), lr, done, moving)

    monkeypatch.setattr(PerMember, "step", wrong)
    found = parity(setting("SharpnessAware").but(optimizer="ordinary_optimizers:LateCoupling"))
    assert found.steps == 11
    assert found.differs.startswith("after step 11 layers.0.weight differs (")


def test_a_step_without_room_for_a_closure_is_refused_with_its_own_reason() -> None:
    """Regression: Muon's were refused for taking no closure, and not for asking for matrices."""
    with pytest.raises(
        SettingError, match=r"AssertionError after 0 steps: assert p.grad.ndim >= 2 \(ordinary_optimizers"
    ):
        parity(setting("MatricesOnly"))
