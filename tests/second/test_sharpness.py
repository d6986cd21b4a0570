"""The sharpness that probes record against the dense Hessian of the second implementation."""

import numpy as np
import pytest

from spikecheck import Anatomy, Continue, Directions, SharpnessTrace, Trail
from spikecheck.core.run import Run
from tests.second.asked import SEEDS, SPIKING, A, B, Case, runs
from tests.second.motion import descent, eigenpairs, sharpest
from tests.second.network import Numbers

CLOSE = 1e-6
"""Relative, of lambda_max: a tracked pair's residual is at most 1e-3 and its value off by about the residual's square."""
FOLLOWED = 1e-3
"""Relative; what `SharpnessTrace(every_step=True)` promises."""
# Errors are far from the minimum and large, so that second derivatives of the net, which have both signs, count.
SADDLED = Case(
    A.setting.but(target="9 sin x", width=6, points=12, init_scale=0.3, lr=0.002, steps=40), terms=((9.0, 1.0),)
)


def retrained(case: Case, run: Run, longest: int) -> list[Numbers]:
    """States from the start on, up to where rounding may begin to grow: 60 steps before the first spike."""
    last = min(longest, run.spikes[0].onset - 60) if run.spikes else longest
    return descent(case.net, run.snapshots["start"].params, case.setting.lr, max(last, 0))


def spectra(case: Case, states: list[Numbers]) -> Numbers:
    """All eigenvalues of every state, largest first."""
    return np.array([eigenpairs(case.net, theta)[0] for theta in states])


@pytest.mark.parametrize("case", SPIKING.values(), ids=SPIKING)
def test_an_anatomy_has_the_sharpness_of_its_landmarks(case: Case) -> None:
    """In the middle of a spike, at the very parameters that the record was made at."""
    seen = 0
    for run in runs(case, SEEDS, Anatomy(pairs=2, before=20, after=20)).values():
        record = run.records["anatomy"]
        for snapshot in run.snapshots.values():
            index = np.flatnonzero(record["steps"] == snapshot.step)
            if len(index):
                values, _ = eigenpairs(case.net, snapshot.params)
                first, second = record["sharpness"][index[0]]
                assert first == pytest.approx(values[0], rel=CLOSE)
                # Its residual counts in parts of the first value, which can be many times its own.
                assert second == pytest.approx(values[1], abs=CLOSE * values[0] * 10)
                seen += 1
    assert seen >= 12


@pytest.mark.parametrize("probe", [Trail(), SharpnessTrace()], ids=["trail", "trace"])
@pytest.mark.parametrize("case", SPIKING.values(), ids=SPIKING)
def test_checkpoints_have_the_sharpness_of_their_step(case: Case, probe: Trail | SharpnessTrace) -> None:
    compared = 0
    for run in runs(case, range(4), probe).values():
        record, states = run.records[probe.kind], retrained(case, run, longest=300)
        steps = record["steps"].astype(int)
        steps = steps[steps < len(states)]
        expected = [sharpest(case.net, states[step])[0] for step in steps]
        np.testing.assert_allclose(record["sharpness"][: len(steps), 0], expected, rtol=CLOSE)
        compared += len(steps)
    assert compared >= 18


@pytest.mark.parametrize("case", [A.but(steps=100), B.but(steps=40)], ids="AB")
def test_a_followed_sharpness_is_as_close_as_it_promises(case: Case) -> None:
    for run in runs(case, range(4), SharpnessTrace(every_step=True)).values():
        expected = spectra(case, retrained(case, run, longest=case.setting.steps))[:, 0]
        ratio = run.records["sharpness"]["sharpness"][: len(expected), 0] / expected
        assert 1 - FOLLOWED < ratio.min() <= ratio.max() < 1 + 1e-9


@pytest.mark.xfail(
    raises=AssertionError, reason="where the first two eigenvalues cross it goes on along the one that was the largest"
)
def test_a_followed_sharpness_sees_the_first_two_eigenvalues_cross() -> None:
    """In weights that move fast: up to 20 % too small for some steps; a second direction is looked at every seventh.

    The residual, 5e-3, does not tell.
    """
    for run in runs(SADDLED, range(32), SharpnessTrace(every_step=True)).values():
        expected = spectra(SADDLED, retrained(SADDLED, run, longest=40))[:, 0]
        np.testing.assert_allclose(run.records["sharpness"]["sharpness"][:, 0], expected, rtol=FOLLOWED)


@pytest.mark.parametrize("probe", [Trail(), SharpnessTrace(), Anatomy(pairs=2)], ids=["trail", "trace", "anatomy"])
def test_what_is_recorded_is_the_largest_eigenvalue_and_not_that_of_largest_size(
    probe: Trail | SharpnessTrace | Anatomy,
) -> None:
    case = SADDLED
    if isinstance(probe, Anatomy):  # of a run it needs a spike, of a fork it doesn't
        case = SADDLED.but(steps=1, intervention=Continue(at="end", horizon=40))
    steps_below = 0
    for run in runs(case, range(32), probe).values():
        states = descent(case.net, run.snapshots["start"].params, case.setting.lr, 40)
        record = run.records[probe.kind]
        at = spectra(case, [states[step] for step in record["steps"].astype(int) - run.start])
        np.testing.assert_allclose(record["sharpness"][:, 0], at[:, 0], rtol=10 * CLOSE)
        steps_below += int((-at[:, -1] > 1.05 * at[:, 0]).sum())
    assert steps_below >= 5


@pytest.mark.parametrize("case", [A.but(steps=100), SADDLED], ids=["A", "saddled"])
def test_directions_are_the_eigenvectors_and_what_they_do(case: Case) -> None:
    for run in runs(case, range(6), Directions(at="end", pairs=4)).values():
        record, end, net = run.records["directions"], run.snapshots["end"].params, case.net
        values, vectors = eigenpairs(net, end)
        np.testing.assert_allclose(record["values"], values[:4], rtol=1e-8)
        jacobian = net.jacobian(end, case.held_out)
        for rank in range(4):
            found, expected = record["deviation"][rank, :, 0], jacobian @ vectors[rank]
            np.testing.assert_allclose(found * np.sign(found @ expected), expected, rtol=0, atol=1e-6)
        np.testing.assert_allclose(record["train_outputs"][:, 0], net.outputs(end), rtol=0, atol=1e-12)
        residual = net.outputs(end, case.held_out) - case.target(case.held_out)
        np.testing.assert_allclose(record["own"][:, 0], jacobian @ (jacobian.T @ residual), rtol=1e-8, atol=1e-8)
