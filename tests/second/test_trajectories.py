"""Where trainings begin, and every loss on their way, against the second implementation."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from spikecheck import Trail
from spikecheck.core.run import Run
from tests.second.asked import A, B, Case, runs
from tests.second.counting import onset
from tests.second.motion import Path, adam, descent, heavy_ball
from tests.second.network import Numbers, split

STEPS = 250
COMPARED = 200
"""Steps; a member that spikes before `STEPS` is left out."""
ROUNDING = 1e-9
"""Relative. Roundings of 1e-16 that grow by a tenth a step over the last hundred of the steps come to 1e-12."""

# Below every rule's and activation's first divergence; x tanh x is the sharpest from the start.
PACES = {"tanh": 1.0, "relu": 0.5, "gelu": 0.5, "xtanh": 0.2}
RATES = {"gd": 0.1, "heavy-ball": 0.01, "adam": 0.01}


def same_way(case: Case, theta: Numbers, steps: int) -> Path:
    """The setting's own training from these weights."""
    setting = case.setting
    if setting.optimizer == "heavy-ball":
        assert setting.momentum is not None
        return heavy_ball(case.net, theta, setting.lr, steps, setting.momentum)
    if setting.optimizer == "adam":
        assert setting.beta1 is not None and setting.beta2 is not None and setting.eps is not None
        return adam(case.net, theta, setting.lr, steps, (setting.beta1, setting.beta2), setting.eps)
    return descent(case.net, theta, setting.lr, steps)


def calm(found: dict[int, Run]) -> list[Run]:
    """Those that don't spike as early as anything is compared."""
    return [run for run in found.values() if onset(run.loss[: STEPS + 1], factor=3.0) is None]


def test_parameters_stand_in_the_order_that_is_assumed() -> None:
    """Incoming weights, biases, outgoing weights: told by the snapshot's own named parts, and by the loss of its net."""
    for case in (A.but(steps=3), B.but(steps=3)):
        for run in runs(case, range(3)).values():
            snapshot = run.snapshots["end"]
            weights, biases, amplitudes = split(snapshot.params)
            np.testing.assert_array_equal(snapshot.input_weights, np.stack([weights, biases], axis=1))
            np.testing.assert_array_equal(snapshot.output_weights[:, 0], amplitudes)
            assert case.net.loss(snapshot.params) == pytest.approx(run.loss[-1], rel=1e-12)


# At 1,000 steps and more the package's trainings are compiled, where there is a compiler: another gradient than below.
@pytest.mark.parametrize("steps", [STEPS, 1_000])
@pytest.mark.parametrize("case", [A, B], ids="AB")
def test_gradient_descent_takes_the_same_steps(case: Case, steps: int) -> None:
    asked = case.but(steps=steps)
    compared = calm(runs(asked, range(8)))
    assert len(compared) >= 4
    for run in compared:
        path = descent(asked.net, run.snapshots["start"].params, asked.setting.lr, COMPARED)
        np.testing.assert_allclose(run.loss[: COMPARED + 1], asked.net.losses(path), rtol=ROUNDING)


@pytest.mark.parametrize("optimizer", sorted(RATES))
@pytest.mark.parametrize("activation", sorted(PACES))
def test_every_activation_and_rule_takes_the_same_steps(activation: str, optimizer: str) -> None:
    lr = RATES[optimizer] * PACES[activation]
    case = A.but(activation=activation, optimizer=optimizer, lr=lr, steps=STEPS)
    compared = calm(runs(case, range(4)))
    assert len(compared) >= 2
    for run in compared:
        path = same_way(case, run.snapshots["start"].params, STEPS)
        np.testing.assert_allclose(run.loss[: COMPARED + 1], case.net.losses(path[: COMPARED + 1]), rtol=ROUNDING)
        np.testing.assert_allclose(run.snapshots["end"].params, path[-1], rtol=0, atol=1e-7)


def test_a_trail_is_at_the_weights_and_outputs_of_its_steps() -> None:
    case = A.but(steps=STEPS)
    for run in calm(runs(case, range(4), Trail())):
        trail, net = run.records["trail"], case.net
        path = descent(net, run.snapshots["start"].params, case.setting.lr, COMPARED)
        for index, step in enumerate(trail["steps"].astype(int)):
            weights, biases, _ = split(path[step])
            np.testing.assert_allclose(trail["input_weights"][index], np.stack([weights, biases], axis=1), atol=1e-9)
            outputs = net.outputs(path[step], case.held_out)
            np.testing.assert_allclose(trail["outputs"][index, :, 0], outputs, rtol=0, atol=1e-9)
            gradient = net.gradient(path[step])
            expected = gradient @ net.hessian(path[step]) @ gradient / (gradient @ gradient)
            assert trail["gradient_curvature"][index] == pytest.approx(expected, rel=1e-6)


def begun(changes: dict[str, Any]) -> Numbers:
    """First parameters of 200 seeds, a row each."""
    found = runs(A.but(steps=1, **changes), range(200))
    return np.stack([run.snapshots["start"].params for run in found.values()])


@pytest.mark.parametrize(
    ("changes", "stds"),
    [
        ({"gamma": 0.5}, (20**-0.5, 20**-0.5)),
        ({"gamma": 1.0, "width": 30, "init_scale": 1.5}, (1.5 / 30, 1.5 / 30)),
        ({"input_std": 0.3, "output_std": 0.1, "width": 50}, (0.3, 0.1)),
    ],
)
def test_first_weights_are_normal_with_the_settings_deviations(
    changes: dict[str, Any], stds: tuple[float, float]
) -> None:
    """Mean by a z test, variance by a chi-square test, shape by Kolmogorov and Smirnov's; seeds are fixed: none flickers."""
    weights, biases, amplitudes = np.split(begun(changes), 3, axis=1)
    for part, std in ((weights, stds[0]), (biases, stds[0]), (amplitudes, stds[1])):
        scaled = part.ravel() / std
        assert abs(scaled.mean()) * len(scaled) ** 0.5 < 3.5
        assert 1e-3 < stats.chi2.cdf(np.square(scaled).sum(), len(scaled)) < 1 - 1e-3
        assert stats.kstest(scaled, "norm").pvalue > 1e-3


def test_first_weights_are_independent() -> None:
    """Of one another, and of those of the next seed: 60 columns are correlated as little as 200 rows let them."""
    drawn = begun({})
    between = np.abs(np.corrcoef(drawn, rowvar=False) - np.eye(drawn.shape[1]))
    # The largest of 1,770 normal numbers exceeds 5 once in 1,000 tries.
    assert between.max() * len(drawn) ** 0.5 < 5.0
    following = np.corrcoef(drawn[:-1].ravel(), drawn[1:].ravel())[0, 1]
    assert abs(following) * drawn[1:].size ** 0.5 < 3.5
