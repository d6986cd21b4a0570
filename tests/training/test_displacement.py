"""Displacements along a direction: to a given loss, and to where another run stands."""

import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from jaxtyping import Float
from torch import Tensor

from spikecheck.core.errors import SettingError
from spikecheck.training.displacement import exchanged, risen


class Bowls:
    """Losses 1 + curvature |theta|^2 / 2: the way to a rise r is sqrt(2 (r - 1) / curvature)."""

    def __init__(self, curvatures: list[float]) -> None:
        self.curvatures = torch.tensor(curvatures, dtype=torch.float64)

    def losses(self, params: Float[Tensor, "B P"]) -> Float[Tensor, " B"]:
        """A parabola a member."""
        return 1 + self.curvatures * params.square().sum(1) / 2


@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=5), st.floats(1.01, 100.0))
@hypothesis_settings(deadline=None)
def test_on_a_parabola_the_way_is_the_closed_form(curvatures: list[float], rise: float) -> None:
    start = torch.zeros(len(curvatures), 2, dtype=torch.float64)
    along = torch.tensor([[0.6, 0.8]], dtype=torch.float64).expand(len(curvatures), -1)
    moved = risen(Bowls(curvatures), start, along, rise)
    way = (2 * (rise - 1) / torch.tensor(curvatures, dtype=torch.float64)).sqrt()
    torch.testing.assert_close(moved, way[:, None] * along, rtol=1e-6, atol=0)


def test_where_the_loss_never_rises_so_far_there_is_no_place() -> None:
    moved = risen(Bowls([0.0, 1.0]), torch.zeros(2, 1, dtype=torch.float64), torch.ones(2, 1, dtype=torch.float64), 2.0)
    assert moved[0].isnan().all()
    assert float(moved[1]) == pytest.approx(2**0.5)


@given(seed=st.integers(0, 1_000))
def test_an_exchange_moves_along_the_direction_and_nowhere_else(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    params, other, direction = torch.randn(3, 4, 6, generator=generator, dtype=torch.float64)
    direction = torch.nn.functional.normalize(direction, dim=1)
    found = exchanged(params, other, direction)
    torch.testing.assert_close((found * direction).sum(1), (other * direction).sum(1))
    aside = (found - params) - ((found - params) * direction).sum(1, keepdim=True) * direction
    torch.testing.assert_close(aside, torch.zeros_like(aside), rtol=0, atol=1e-12)


def test_runs_of_different_shapes_exchange_nothing() -> None:
    with pytest.raises(SettingError, match="the two runs have 6 and 9 parameters"):
        exchanged(torch.zeros(2, 6), torch.zeros(2, 9), torch.zeros(2, 6))
