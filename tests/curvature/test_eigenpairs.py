"""Eigenpairs against known spectra, dense factorisations and scipy's Lanczos; tracked ones along whole paths."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.linalg import eigsh
from torch import Tensor

from spikecheck.core.errors import SettingError
from spikecheck.core.setting import Setting
from spikecheck.curvature import eigenpairs
from spikecheck.curvature.eigenpairs import EigenPairs, exact, top, track
from spikecheck.curvature.hessian import ByMatrix, LocalCurvature, curvature
from spikecheck.curvature.hessian import Losses as AnyLosses
from spikecheck.objective.compiles import SHALLOW_FROM as LONG
from spikecheck.objective.objective import Objective, build_objective


@dataclass(frozen=True)
class Losses:
    losses: Callable[[Tensor], Tensor]


def normal(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def bowls(matrices: Tensor) -> LocalCurvature:
    """The curvature of theta.A theta/2 for symmetric A [B, P, P]: the Hessians are A."""
    objective = Losses(lambda params: (params[:, :, None] * matrices * params[:, None, :]).sum((1, 2)) / 2)
    return curvature(objective, matrices.new_ones(matrices.shape[:2]))


def rotated(spectra: Tensor, seed: int = 0) -> Tensor:
    """Symmetric matrices [B, P, P] that have these eigenvalues [B, P] in random directions."""
    members, size = spectra.shape
    frames = torch.linalg.qr(normal(seed, members, size, size)).Q
    matrices = frames * spectra[:, None, :] @ frames.mT
    return (matrices + matrices.mT) / 2


def tanh_net(width: int) -> Losses:
    """Two layers with hidden biases on two sines at 20 points; 3 * width parameters."""
    x = torch.linspace(-2 * math.pi, 2 * math.pi, 20, dtype=torch.float64)
    y = x.sin() + (4 * x).sin()

    def losses(params: Tensor) -> Tensor:
        w, b, a = params.split(width, 1)
        hidden = torch.tanh(x[None, :, None] * w[:, None, :] + b[:, None, :])
        return ((hidden * a[:, None, :]).sum(2) - y).square().mean(1)

    return Losses(losses)


def descent(objective: AnyLosses, params: Tensor, lr: float, steps: int) -> Iterator[LocalCurvature]:
    for _ in range(steps):
        local = curvature(objective, params)
        yield local
        params = params - lr * local.gradients


def is_what_it_says(found: EigenPairs, matrices: Tensor) -> None:
    """Values are Rayleigh quotients of the returned unit vectors, and residuals are theirs."""
    images = found.vectors @ matrices
    pairs = found.values.shape[1]
    scale = matrices.abs().amax((1, 2))[:, None]
    gram = found.vectors @ found.vectors.mT
    torch.testing.assert_close(gram, torch.eye(pairs, dtype=gram.dtype).expand_as(gram), rtol=0, atol=1e-10)
    assert ((images * found.vectors).sum(2) - found.values).abs().le(1e-12 * scale).all()
    residuals = (images - found.values[:, :, None] * found.vectors).norm(dim=2) / found.values[:, :1].abs()
    torch.testing.assert_close(found.residuals, residuals, rtol=1e-6, atol=1e-12)


@pytest.fixture
def cold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets `top` iterate at any size."""
    monkeypatch.setattr(eigenpairs, "EXACT_UP_TO", 0)
    monkeypatch.setattr(eigenpairs, "EXACT_BY_PRODUCTS_UP_TO", 0)


@pytest.fixture
def unaided(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets `track` do without the dense Hessian."""
    monkeypatch.setattr(eigenpairs, "EXACT_WHEN_LOST", 0)


def test_exact_finds_a_known_spectrum() -> None:
    spectra = torch.tensor([[-9.0, -1.0, 0.0, 2.0, 3.0], [1.0, 1.0, 1.0, 4.0, 4.0]], dtype=torch.float64)
    matrices = rotated(spectra)
    found = exact(bowls(matrices), 3)
    torch.testing.assert_close(found.values, spectra.flip(1)[:, :3], rtol=0, atol=1e-13)
    is_what_it_says(found, matrices)
    assert found.converged.all()


def test_of_a_diagonal_hessian_the_vectors_are_axes_and_point_up() -> None:
    found = exact(bowls(torch.diag_embed(torch.tensor([[1.0, 3.0, 2.0]], dtype=torch.float64))), 2)
    torch.testing.assert_close(found.vectors[0], torch.eye(3, dtype=torch.float64)[[1, 2]])


def test_preconditioned_against_dense() -> None:
    matrices, diagonal = rotated(normal(1, 3, 8)), normal(2, 3, 8).exp()
    root = diagonal.rsqrt()
    dense = torch.linalg.eigvalsh(root[:, :, None] * matrices * root[:, None, :]).flip(1)
    torch.testing.assert_close(exact(bowls(matrices).preconditioned(diagonal), 4).values, dense[:, :4])


@pytest.mark.parametrize("find", [exact, top])
def test_more_pairs_than_parameters_are_refused(find: Callable[[LocalCurvature, int], EigenPairs]) -> None:
    with pytest.raises(SettingError, match="pairs=4: a model of 3 parameters"):
        find(bowls(rotated(normal(0, 2, 3))), 4)


@pytest.mark.usefixtures("cold")
@pytest.mark.parametrize(
    "tail",
    [
        pytest.param([5.0, 4.0, 1.0], id="apart"),
        pytest.param([5.0, 5.0, 5.0], id="equal"),
        pytest.param([5.0, 5.0 - 1e-7, 5.0 - 2e-7], id="clustered"),
        pytest.param([2e-3, 1e-3, 1e-3], id="below-a-large-negative"),
    ],
)
def test_iterated_from_nothing_finds_the_algebraically_largest(tail: list[float]) -> None:
    spectra = torch.cat([torch.linspace(-20, 0, 117).expand(3, -1), torch.tensor(tail).flip(0).expand(3, -1)], 1)
    matrices = rotated(spectra.double())
    found = top(bowls(matrices), 2)
    torch.testing.assert_close(found.values, spectra.double().flip(1)[:, :2], rtol=1e-6, atol=0)
    is_what_it_says(found, matrices)
    assert found.converged.all()


@pytest.mark.usefixtures("cold")
def test_iterated_from_nothing_against_scipy() -> None:
    matrices = rotated(normal(3, 4, 200), seed=4)
    found = top(bowls(matrices), 3)
    for member, values in zip(matrices, found.values, strict=True):
        expected = eigsh(member.numpy(), 3, which="LA", return_eigenvectors=False, tol=1e-10)
        np.testing.assert_allclose(values.numpy(), np.sort(expected)[::-1], rtol=1e-9)


@pytest.mark.usefixtures("unaided")
def test_tracked_through_a_crossing() -> None:
    """Two directions of a fixed frame change places at the top; nothing couples them."""
    frames = torch.linalg.qr(normal(0, 2, 60, 60)).Q
    rest = torch.linspace(-3, 0.5, 58, dtype=torch.float64)
    found: EigenPairs | None = None
    for t in torch.linspace(0, 1, 60, dtype=torch.float64):
        spectrum = torch.cat([rest, torch.stack([2 - t, 1 + t])])
        matrices = frames * spectrum @ frames.mT
        local = bowls((matrices + matrices.mT) / 2)
        found = exact(local, 1) if found is None else track(local, found)
        dense = torch.linalg.eigvalsh(matrices)[:, -1:]
        torch.testing.assert_close(found.values, dense, rtol=1e-5, atol=0)
        is_what_it_says(found, (matrices + matrices.mT) / 2)


@pytest.mark.usefixtures("unaided")
@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize("pairs", [1, 2])
@pytest.mark.parametrize("riser", [0, 30, 50])
def test_a_direction_that_rises_from_the_bulk_is_found_soon(riser: int, pairs: int, aligned: bool) -> None:
    """The worst case: eigenvectors stand still, so no residual points to the newcomer. A patrol comes every ten steps."""
    frames = torch.eye(60, dtype=torch.float64).expand(4, -1, -1)
    frames = frames if aligned else torch.linalg.qr(normal(0, 4, 60, 60)).Q
    start = torch.cat([torch.linspace(-1.5, 0.5, 58, dtype=torch.float64), torch.tensor([0.8, 1.0]).double()])
    found: EigenPairs | None = None
    late = 0
    for t in torch.linspace(0, 1, 100, dtype=torch.float64):
        spectrum = start.clone()
        spectrum[riser] += (1.3 - spectrum[riser]) * t
        matrices = frames * spectrum @ frames.mT
        local = bowls((matrices + matrices.mT) / 2)
        found = exact(local, pairs) if found is None else track(local, found)
        late += int((found.values - spectrum.sort().values.flip(0)[:pairs]).abs().gt(1e-3).any())
    assert late <= 10


def test_tracked_through_training_beyond_the_edge_of_stability() -> None:
    net, lr = tanh_net(20), 0.1
    found: EigenPairs | None = None
    beyond = 0
    for local in descent(net, normal(5, 6, 60) * 20**-0.5, lr, 300):
        found = top(local, 2) if found is None else track(local, found)
        dense = exact(local, 2)
        assert ((found.values - dense.values) / dense.values).abs().max() <= 1e-3
        assert found.converged.all()
        beyond += int((lr * dense.values[:, 0] > 2).any())
    assert beyond > 30


@pytest.mark.parametrize(("width", "steps"), [(20, 120), (50, 120), (20, LONG), (50, LONG), (100, LONG)])
def test_where_products_are_cheap_pairs_are_tracked_through_training_too(width: int, steps: int) -> None:
    """Against LAPACK on the Hessians of another implementation, autograd's."""
    goal = build_objective([Setting(width=width, points=20, steps=steps)] * 4)
    found: EigenPairs | None = None
    for step, local in enumerate(descent(goal, goal.initial(range(4)), 2 / width, 120)):
        assert local.cheap
        found = top(local, 2) if found is None else track(local, found)
        assert found.converged.all()
        if step % 10 == 0:
            dense = exact(curvature(Losses(goal.losses), local_params(goal, 2 / width, step)), 2)
            assert ((found.values - dense.values) / dense.values[:, :1]).abs().max() <= 1e-3


def local_params(goal: Objective, lr: float, steps: int) -> Tensor:
    """Where plain gradient descent has come after so many steps."""
    params = goal.initial(range(goal.members))
    for _ in range(steps):
        params = params - lr * goal.gradient(params)[1]
    return params


@given(width=st.sampled_from([5, 20, 21]), pairs=st.integers(1, 3), order=st.permutations(range(5)))
@settings(max_examples=10, deadline=None)
def test_with_hessians_at_hand_companions_and_place_change_no_bit(width: int, pairs: int, order: list[int]) -> None:
    mine, others = ([Setting(width=width, target=target)] * 5 for target in ("sin x", "sin 3x"))
    stay = [True, True, False, False, True]
    mixed = [one if keep else other for one, other, keep in zip(mine, others, stay, strict=True)]
    kept = torch.tensor(stay)[order]
    alone, among = build_objective(mine), build_objective([mixed[place] for place in order])
    start = alone.initial(range(5))
    one, other = followed(alone, start, pairs), followed(among, start[order], pairs)
    for first, second in zip(one, other, strict=True):
        for name in ("values", "vectors", "residuals", "converged", "basis"):
            assert torch.equal(getattr(first, name)[order][kept], getattr(second, name)[kept]), name


def test_tracking_costs_few_products() -> None:
    found: EigenPairs | None = None
    spent = []
    for local in descent(tanh_net(20), normal(5, 6, 60) * 20**-0.5, 0.05, 150):
        found = top(local, 1) if found is None else track(local, found)
        spent.append(local.products)
    assert np.median(spent[1:]) <= 10


@pytest.mark.usefixtures("unaided")
def test_pairs_that_were_not_found_are_not_said_to_be() -> None:
    before, now = rotated(normal(1, 3, 150)), rotated(normal(2, 3, 150), seed=9)
    found = track(bowls(now), exact(bowls(before), 2), most=1)
    assert not found.converged.any()
    is_what_it_says(found, now)


def test_a_lost_pair_is_found_again_from_the_dense_hessian() -> None:
    before, now = rotated(normal(1, 3, 60)), rotated(normal(2, 3, 60), seed=9)
    found = track(bowls(now), exact(bowls(before), 2), most=1)
    torch.testing.assert_close(found.values, torch.linalg.eigvalsh(now).flip(1)[:, :2])
    assert found.converged.all()


def test_tracked_vectors_keep_their_signs() -> None:
    matrices = rotated(normal(1, 3, 60))
    before = exact(bowls(matrices), 2)
    flipped = EigenPairs(before.values, -before.vectors, before.residuals, before.converged, before.basis)
    nearby = bowls(matrices + 0.01 * rotated(normal(2, 3, 60)))
    assert ((track(nearby, flipped).vectors * flipped.vectors).sum(2) > 0.9).all()


@pytest.mark.parametrize("size", [1, 2, 3, 6, 9])
def test_the_smallest_models_are_tracked_exactly(size: int) -> None:
    before, now = rotated(normal(1, 3, size)), rotated(normal(2, 3, size))
    found = track(bowls(now), exact(bowls(before), 1))
    torch.testing.assert_close(found.values, torch.linalg.eigvalsh(now)[:, -1:])


@pytest.mark.usefixtures("cold")
def test_a_flat_landscape_has_sharpness_zero() -> None:
    flat = bowls(torch.zeros(2, 60, 60, dtype=torch.float64))
    for found in (exact(flat, 2), top(flat, 2), track(flat, exact(flat, 2))):
        assert found.converged.all()
        assert found.values.eq(0).all()


@pytest.mark.usefixtures("cold")
@pytest.mark.parametrize("poison", [math.nan, math.inf, 1e300])
def test_a_member_that_is_not_finite_disturbs_nobody(poison: float) -> None:
    objective, params = tanh_net(20), normal(0, 4, 60)
    broken = params.clone()
    broken[1] = poison
    sound, hurt = curvature(objective, params), curvature(objective, broken)
    before = exact(sound, 2)
    for find in (lambda local: exact(local, 2), lambda local: top(local, 2), lambda local: track(local, before)):
        expected, found = find(sound), find(hurt)
        assert torch.equal(expected.values[[0, 2, 3]], found.values[[0, 2, 3]])
        assert torch.equal(expected.vectors[[0, 2, 3]], found.vectors[[0, 2, 3]])
        assert not found.converged[1].any()
        assert found.values[1].isnan().all()
        assert found.residuals[1].isinf().all()
        assert found.vectors.isfinite().all()
        assert found.basis.isfinite().all()
        assert not track(hurt, found).converged[1].any()


@pytest.mark.usefixtures("cold")
@pytest.mark.parametrize("factor", [1e140, 1e160, 1e300, 1e307])
def test_a_member_about_to_overflow_disturbs_nobody(factor: float) -> None:
    """Regression: a diverging member's Hessian of 1e307, finite still, overflowed in a sum and LAPACK refused them all."""
    matrices = rotated(torch.linspace(-1, 5, 60, dtype=torch.float64).expand(3, -1))
    before = exact(bowls(matrices), 2)
    scale = torch.tensor([1.0, factor, 1.0], dtype=torch.float64)[:, None, None]
    leaving = bowls(matrices * scale)
    for find in (lambda local: exact(local, 2), lambda local: top(local, 2), lambda local: track(local, before)):
        found = find(leaving)
        assert found.converged[[0, 2]].all()
        torch.testing.assert_close(found.values[[0, 2]], before.values[[0, 2]], rtol=1e-6, atol=0)
        assert found.converged[1].all() or found.values[1].isnan().all()


@given(
    seed=st.integers(0, 1000),
    width=st.sampled_from([5, 7, 20, 21]),
    pairs=st.integers(1, 3),
    order=st.permutations(range(5)),
    single=st.booleans(),
)
@settings(max_examples=15, deadline=None)
def test_no_member_depends_on_its_companions_or_its_place(
    seed: int, width: int, pairs: int, order: list[int], single: bool
) -> None:
    """Among other companions members need other numbers of iterations; every bit stays."""
    precision = torch.float32 if single else torch.float64
    objective = tanh_net(width)
    mine = (normal(seed, 5, 3 * width) * width**-0.5).to(precision)
    others = (normal(seed + 1, 5, 3 * width) * torch.tensor([0.1, 1, 2, 3, 4])[:, None]).to(precision)
    stay = torch.tensor([True, True, False, False, True])
    mixed = torch.where(stay[:, None], mine, others)[order]
    one, other = (followed(objective, params, pairs) for params in (mine, mixed))
    for first, second in zip(one, other, strict=True):
        kept = stay[order]
        for name in ("values", "vectors", "residuals", "converged", "basis"):
            assert torch.equal(getattr(first, name)[order][kept], getattr(second, name)[kept]), name


def followed(objective: AnyLosses, params: Tensor, pairs: int) -> list[EigenPairs]:
    found = [exact(curvature(objective, params), pairs)]
    for local in descent(objective, params, 0.1, 12):
        found.append(track(local, found[-1]))
    return found


@pytest.mark.usefixtures("cold")
def test_from_nothing_no_member_depends_on_its_companions() -> None:
    matrices = rotated(normal(3, 6, 77), seed=4)
    order = [4, 1, 5, 0]
    one, other = top(bowls(matrices[[0, 1, 2, 3, 4, 5]]), 2), top(bowls(matrices[[4, 1, 5, 0, 1, 1]]), 2)
    assert torch.equal(one.vectors[order], other.vectors[:4])


def test_in_single_precision() -> None:
    objective, params = tanh_net(20), (normal(0, 4, 60) * 20**-0.5)
    double, single = exact(curvature(objective, params), 2), exact(curvature(objective, params.float()), 2)
    assert single.values.dtype == torch.float32
    assert single.converged.all()
    torch.testing.assert_close(single.values.double(), double.values, rtol=1e-4, atol=0)


@pytest.mark.parametrize("way", ["matrix", "backward"])
def test_all_hessians_at_once_give_what_one_after_the_other_gives(way: str) -> None:
    """As an accelerator takes them apart; a member whose numbers fail spoils no other's."""
    goal = build_objective([Setting(width=4, points=6, steps=10)] * 3)
    params = goal.initial(range(3))
    params[1, 0] = torch.nan
    hessians = goal.hessians(params)
    assert hessians is not None
    local = ByMatrix(*goal.gradient(params), hessians) if way == "matrix" else curvature(Losses(goal.losses), params)
    everyone = torch.ones(3, dtype=torch.bool)
    one_by_one, at_once = eigenpairs._dense(local, 3, everyone), eigenpairs._dense_at_once(local, 3, everyone)
    assert at_once.sound.tolist() == one_by_one.sound.tolist() == [True, False, True]
    for member in (0, 2):
        torch.testing.assert_close(at_once.values[member], one_by_one.values[member])
        same = (at_once.vectors[member] * one_by_one.vectors[member]).sum(1).abs()
        torch.testing.assert_close(same, torch.ones(3, dtype=torch.float64))
