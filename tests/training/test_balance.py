"""What balances the oscillation across the valley: against closed forms, dense derivatives, and the theory it is from."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from spikecheck.core.setting import Setting
from spikecheck.curvature.hessian import Sloping
from spikecheck.objective.objective import Objective, build_objective
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.training.balance import BalanceObserver, Stabilisation
from spikecheck.training.gradients import Gradients, full_batch

LR, FIRST, ALPHA, BETA = 0.1, 20.0, 0.05, 10.0


class Valley:
    """(FIRST + sqrt(BETA) y) x^2 / 2 - ALPHA/sqrt(BETA) y: a valley along y that gets sharper the further down one is."""

    def losses(self, params: Tensor) -> Tensor:
        x, y = params.unbind(1)
        return (FIRST + BETA**0.5 * y) * x.square() / 2 - ALPHA / BETA**0.5 * y

    def gradient(self, params: Tensor) -> tuple[Tensor, Tensor]:
        x, y = params.unbind(1)
        slopes = (FIRST + BETA**0.5 * y) * x, BETA**0.5 * x.square() / 2 - ALPHA / BETA**0.5
        return self.losses(params), torch.stack(slopes, 1)


def ensemble(params: Tensor) -> Ensemble:
    members = len(params)
    return Ensemble(
        params,
        {},
        torch.zeros(members, dtype=torch.int64),
        torch.full((members,), LR, dtype=params.dtype),
        torch.ones(members, dtype=torch.bool),
    )


def seen(goal: Sloping, params: Tensor) -> Stabilisation:
    watch = BalanceObserver(goal, 1)
    watch.over(lambda there: goal.gradient(there.params))(ensemble(params))
    return watch.seen()


def descend(gradients: Gradients, start: Ensemble, steps: int) -> Ensemble:
    for _ in range(steps):
        _, slopes = gradients(start)
        start = replace(start, params=start.params - LR * slopes, done=start.done + 1)
    return start


def test_at_the_bottom_of_a_known_valley() -> None:
    found = seen(Valley(), torch.tensor([[0.0, 0.0], [0.0, 0.7]], dtype=torch.float64))
    torch.testing.assert_close(found.sharpness[0], torch.tensor([FIRST, FIRST + 0.7 * BETA**0.5], dtype=torch.float64))
    assert found.displacement[0].tolist() == [0.0, 0.0]
    torch.testing.assert_close(found.sharpening[0], torch.full((2,), ALPHA, dtype=torch.float64), rtol=1e-6, atol=0)
    torch.testing.assert_close(found.steepness[0], torch.full((2,), BETA, dtype=torch.float64), rtol=1e-6, atol=0)


@given(x=st.floats(-0.1, 0.1), y=st.floats(-1.0, 1.0))
def test_beside_it_the_formulas_hold_at_the_bottom(x: float, y: float) -> None:
    """With the eigenpair of a 2 x 2 Hessian written down; the third derivatives of the valley are the same everywhere."""
    root = BETA**0.5
    sharp = FIRST + root * y
    value = (sharp + np.hypot(sharp, 2 * root * x)) / 2
    v = np.array([value, root * x]) / np.hypot(value, root * x)
    slope = np.array([sharp * x, root * x**2 / 2 - ALPHA / root])
    displacement = slope @ v / value
    x_there, y_there = np.array([x, y]) - displacement * v
    slope_there = np.array([(FIRST + root * y_there) * x_there, root * x_there**2 / 2 - ALPHA / root])
    rise = np.array([2 * root * v[0] * v[1], root * v[0] ** 2])
    sideways = rise - (rise @ v) * v
    found = seen(Valley(), torch.tensor([[x, y]], dtype=torch.float64))
    assert float(found.sharpness) == pytest.approx(value)
    assert float(found.displacement) * np.sign(v[0]) == pytest.approx(displacement, abs=1e-12)
    assert float(found.sharpening) == pytest.approx(-slope_there @ sideways, rel=1e-6, abs=1e-8)
    assert float(found.steepness) == pytest.approx(sideways @ sideways, rel=1e-6)


def test_at_the_edge_the_mean_square_of_the_displacement_is_what_balances_the_sharpening() -> None:
    """2 alpha/beta, over many cycles: Damian et al., arXiv 2209.15594; by the gradient of the state itself, twice that."""
    watch = BalanceObserver(Valley(), 5)
    start = ensemble(torch.tensor([[0.07, 0.0], [0.13, -0.03]], dtype=torch.float64))
    descend(watch.over(lambda there: Valley().gradient(there.params)), start, 3_000)
    found = watch.seen()
    late = slice(len(found.steps) // 4, None)
    mean = found.displacement[late].square().mean(0)
    balanced = 2 * found.sharpening[late].mean(0) / found.steepness[late].mean(0)
    torch.testing.assert_close(balanced, torch.full_like(balanced, 2 * ALPHA / BETA), rtol=0.05, atol=0)
    torch.testing.assert_close(mean, balanced, rtol=0.05, atol=0)
    torch.testing.assert_close(LR / 2 * found.sharpness[late].mean(0), torch.ones_like(mean), rtol=1e-2, atol=0)


def dense(goal: Objective, member: int, params: Tensor) -> tuple[float, float, float, float]:
    """Sharpness, displacement, sharpening and steepness by autograd, the first's eigenvector by LAPACK."""

    def loss(at: Tensor) -> Tensor:
        return goal.select([member]).losses(at[None])[0]

    values, vectors = torch.linalg.eigh(torch.autograd.functional.hessian(loss, params))
    v, value = vectors[:, -1], values[-1]
    v = v * v[v.abs().argmax()].sign()
    displacement = torch.autograd.functional.jacobian(loss, params) @ v / value
    bottom = (params - displacement * v).requires_grad_()
    (slope,) = torch.autograd.grad(loss(bottom), bottom, create_graph=True)
    (image,) = torch.autograd.grad(slope @ v, bottom, create_graph=True)
    (rise,) = torch.autograd.grad(image @ v, bottom)
    across, sideways = slope @ v, rise - (rise @ v) * v
    sharpening = -(slope - across * v) @ sideways
    return value.item(), displacement.item(), sharpening.item(), (sideways @ sideways).item()


@pytest.mark.parametrize("changes", [{}, {"depth": 2}, {"problem": "mnist1d"}])
def test_on_a_small_net_it_is_what_dense_derivatives_say(changes: dict[str, object]) -> None:
    goal = build_objective([Setting(width=3, points=7).but(**changes)] * 2)
    params = goal.initial([1, 2])
    found = seen(goal, params)
    for member in range(2):
        value, displacement, sharpening, steepness = dense(goal, member, params[member])
        assert float(found.sharpness[0, member]) == pytest.approx(value, rel=1e-9)
        assert float(found.displacement[0, member]) == pytest.approx(displacement, rel=1e-5, abs=1e-9)
        assert float(found.sharpening[0, member]) == pytest.approx(sharpening, rel=1e-4)
        assert float(found.steepness[0, member]) == pytest.approx(steepness, rel=1e-4)


def test_the_eigenvectors_sign_turns_the_displacement_and_nothing_else() -> None:
    goal = build_objective([Setting(width=4, points=9)] * 3)
    there = ensemble(goal.initial(range(3)))
    found = []
    for sign in (1.0, -1.0):
        watch = BalanceObserver(goal, 1)
        watched = watch.over(full_batch(goal))
        watched(there)
        assert watch._pairs is not None
        watch._pairs = replace(watch._pairs, vectors=sign * watch._pairs.vectors)
        watched(there)
        found.append(watch.seen())
    one, other = found
    torch.testing.assert_close(one.displacement[1], -other.displacement[1], rtol=1e-9, atol=1e-15)
    for name in ("sharpness", "sharpening", "steepness"):
        torch.testing.assert_close(getattr(one, name)[1], getattr(other, name)[1], rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize(("every", "since", "steps"), [(1, 0, [0, 1, 2, 3, 4, 5, 6]), (3, 2, [2, 5]), (5, 0, [0, 5])])
def test_it_looks_as_often_as_asked_and_changes_no_gradient(every: int, since: int, steps: list[int]) -> None:
    goal = build_objective([Setting(width=4, points=9)] * 2)
    start = ensemble(goal.initial(range(2)))
    watch = BalanceObserver(goal, every, since)
    watched = descend(watch.over(full_batch(goal)), start, 7)
    assert torch.equal(watched.params, descend(full_batch(goal), start, 7).params)
    assert watch.seen().steps[:, 0].tolist() == steps


@given(order=st.permutations(range(5)), width=st.sampled_from([3, 7, 20]), changes=st.sampled_from([{}, {"depth": 2}]))
@settings(max_examples=15)
def test_no_member_depends_on_its_companions_or_its_place(
    order: list[int], width: int, changes: dict[str, int]
) -> None:
    goal = build_objective([Setting(width=width, points=11).but(**changes)] * 5)
    params = goal.initial(range(5))
    here, there = followed(goal, params), followed(goal, params[torch.tensor(order)])
    for name in Stabilisation.__dataclass_fields__:
        assert torch.equal(getattr(here, name)[:, order], getattr(there, name))


def followed(goal: Objective, params: Tensor) -> Stabilisation:
    watch = BalanceObserver(goal, 2)
    descend(watch.over(full_batch(goal)), ensemble(params), 7)
    return watch.seen()
