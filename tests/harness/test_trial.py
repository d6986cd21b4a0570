"""A trial: its arms by name, and when its numbers failed."""

from dataclasses import replace

import numpy as np
import pytest

from spikecheck.core.errors import SettingError, UnknownName
from spikecheck.core.run import Ended, Run
from spikecheck.core.setting import Setting
from spikecheck.harness.trial import RESIDUAL_LIMIT, Trial

BELOW, ABOVE = RESIDUAL_LIMIT * 0.999, RESIDUAL_LIMIT * 1.001
FINE = Run(Setting(steps=1), 0, 0, np.array([1.0, 0.5]), Ended("completed", 1))
WRONG = replace(FINE, loss=np.ones(1), ended=Ended("diverged", 1))


def trial(*, trunk: Run = FINE, lost: bool = False, **arms: Run) -> Trial:
    return Trial(Setting(steps=2), 0, trunk, arms, lost=lost)


def measured(*residuals: object) -> Run:
    """A run with one record for each array of residuals."""
    records = {str(number): {"residual": np.asarray(residual)} for number, residual in enumerate(residuals)}
    return replace(FINE, records=records)


def test_an_arm_is_found_by_its_name_and_another_name_is_refused_with_those_there_are() -> None:
    one = trial(calm=FINE, held=WRONG)
    assert one["held"] is WRONG
    with pytest.raises(UnknownName, match="'clam'.*calm"):
        one["clam"]


def test_a_trial_diverges_with_any_of_its_trainings_or_where_an_arm_is_lost_to_divergence() -> None:
    assert not trial(calm=FINE, held=FINE).diverged
    assert trial(trunk=WRONG, calm=FINE).diverged
    assert trial(calm=FINE, held=WRONG).diverged
    assert trial(calm=FINE, lost=True).diverged


@pytest.mark.parametrize(
    ("residuals", "unresolved"),
    [
        pytest.param([], False, id="no eigenpair was measured"),
        pytest.param([[[BELOW, ABOVE], [BELOW, 1.0]]], False, id="only the first pair counts, steps x pairs"),
        pytest.param([[[BELOW, 0.0], [ABOVE, 0.0]]], True, id="at every step"),
        pytest.param([[BELOW, 1.0]], False, id="only the first pair counts, pairs"),
        pytest.param([[ABOVE, 0.0]], True, id="of one place"),
        pytest.param([[[BELOW]], [[ABOVE]]], True, id="in every record"),
        pytest.param([[]], True, id="missing"),
        pytest.param([np.zeros((0, 2))], True, id="missing at every step"),
    ],
)
def test_an_eigenpair_is_resolved_up_to_the_limit(residuals: list[object], unresolved: bool) -> None:
    assert trial(run=measured(*residuals)).unresolved is unresolved
    assert trial(fine=measured([0.0]), run=measured(*residuals)).unresolved is unresolved


def test_a_trial_knows_its_own_threshold() -> None:
    setting = Setting(optimizer="heavy-ball", momentum=0.5, lr=0.1)
    assert Trial(setting, 0, FINE, {}).threshold == pytest.approx(2 * (1 + 0.5) / 0.1)
    with pytest.raises(SettingError, match="no formula"):
        _ = Trial(Setting(optimizer="torch.optim:SGD"), 0, FINE, {}).threshold


def test_the_problem_is_the_trunks_or_an_arms() -> None:
    few, many = (replace(FINE, setting=Setting(points=points, steps=1)) for points in (5, 9))
    one = trial(trunk=few, run=many)
    assert (len(one.problem().x), len(one.problem("run").x)) == (5, 9)
