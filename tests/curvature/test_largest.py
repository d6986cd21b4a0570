"""The largest eigenvalue against known spectra, dense Hessians and scipy's eigsh on the same products."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse.linalg import LinearOperator, eigsh
from torch import Tensor

from spikecheck.core.errors import SettingError
from spikecheck.curvature.directional import ModelCurvature, model_curvature
from spikecheck.curvature.hessian import curvature
from spikecheck.curvature.largest import largest
from tests.curvature.test_directional import bowl
from workloads.gpt import gpt


def spectrum(values: Tensor, seed: int) -> ModelCurvature:
    """A Hessian of these eigenvalues in random directions."""
    generator = torch.Generator().manual_seed(seed)
    turn = torch.linalg.qr(torch.randn(len(values), len(values), generator=generator, dtype=torch.float64)).Q
    point, loss = bowl(turn @ torch.diag(values) @ turn.T, torch.ones(len(values), dtype=torch.float64))
    return model_curvature(point, loss, [1.0])


@given(seed=st.integers(0, 100), size=st.sampled_from([1, 5, 40, 41, 120]), sign=st.sampled_from([1.0, -1.0]))
def test_the_algebraically_largest_of_known_spectra(seed: int, size: int, sign: float) -> None:
    """Also where the largest in magnitude is negative, and where all are."""
    values = sign * torch.linspace(-1.0, 3.0, size, dtype=torch.float64)
    found = largest(spectrum(values, seed))
    assert found.converged
    assert found.value == pytest.approx(float(values.max()), abs=1e-3 * float(values.abs().max()))


def test_a_warm_start_needs_fewer_products_and_sees_what_rises_elsewhere() -> None:
    values = torch.linspace(0.0, 1.0, 300, dtype=torch.float64)
    values[0] = 2.0
    local = spectrum(values, 0)
    cold = largest(local)
    warm = largest(spectrum(values, 0), cold)
    assert warm.value == pytest.approx(2.0, rel=1e-5)
    assert warm.products < cold.products
    values[150] = 5.0  # another direction overtakes
    assert largest(spectrum(values, 0), warm).value == pytest.approx(5.0, rel=1e-4)


def test_a_model_of_1e5_parameters_against_scipy() -> None:
    training = gpt(None, 0, "cpu", size="small", batch=4)
    batches: list[tuple[Tensor, Tensor]] = []
    training.run(20, lambda step: batches.append(step.batch))
    local = model_curvature(training.model, training.loss, batches[-1:])
    size = local.gradients.shape[1]
    assert size > 1e5

    def product(vector: np.ndarray) -> np.ndarray:
        row = torch.from_numpy(vector.reshape(-1)).to(local.gradients)
        return local.product(row[None, None])[0, 0].double().numpy()

    operator = LinearOperator((size, size), matvec=product, dtype=np.float64)
    wanted = eigsh(operator, k=1, which="LA", tol=1e-4, v0=local.gradients[0].double().numpy())[0][0]
    found = largest(local)
    assert found.converged
    assert found.value == pytest.approx(wanted, rel=1e-3)
    training.run(1)
    nearby = largest(model_curvature(training.model, training.loss, batches[-1:]), found)
    assert nearby.converged
    assert nearby.products < found.products


def test_numbers_that_overflow_are_no_value() -> None:
    point, loss = bowl(torch.eye(50, dtype=torch.float64), torch.full((50,), torch.inf, dtype=torch.float64))
    local = model_curvature(point, lambda x: loss(x) * point.theta.exp().sum(), [1.0])
    found = largest(local)
    assert not found.converged
    assert np.isnan(found.value)


def test_several_models_at_once_are_refused() -> None:
    class Bowls:
        def losses(self, params: Tensor) -> Tensor:
            return params.square().sum(1)

    with pytest.raises(SettingError, match="local: is of 2 models"):
        largest(curvature(Bowls(), torch.ones(2, 3)))
