"""What an optimizer can do is found out by trying it."""

import pytest
import torch

from spikecheck.core.errors import SettingError
from spikecheck.models.parameter_layout import Span
from spikecheck.optimizers.capabilities import abilities
from spikecheck.optimizers.driven import OptimizerFactory


def test_an_optimizer_that_moves_small_parameters_alone_is_no_idle_one() -> None:
    """Regression: pytorch_optimizer's SaRA was refused, since the made-up parameters that it was tried on were all large."""
    order = OptimizerFactory("planted_optimizers:SmallOnly", (), (Span("all", 0, (64,)),), torch.float64)
    assert abilities(order, 0.1, 50).together


@pytest.mark.parametrize("name", ["NoiseBeforeClosure", "CountBeforeClosure"])
def test_an_optimizer_is_not_given_a_closure_that_would_undo_what_its_step_does(name: str) -> None:
    """Regression: refused without a closure, it was tried with one, which makes the gradient anew, and accepted."""
    order = OptimizerFactory(f"planted_optimizers:{name}", (), (Span("all", 0, (64,)),), torch.float64)
    with pytest.raises(SettingError, match="other numbers for the same gradients"):
        abilities(order, 0.1, 50)
