"""Claims asked about another optimizer: which can be, and that they are asked with its own threshold."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from spikecheck.core.setting import Setting
from spikecheck.harness.claim import Claim
from spikecheck.harness.discover import discover
from spikecheck.harness.with_optimizer import all_under, under
from spikecheck.objective.objective import Objective, build_objective

CLAIMS = discover([Path(__file__).parents[2] / "claims"]).claims


def asked(optimizer: str, **numbers: object) -> tuple[set[str], dict[str, str]]:
    claims, left_out = all_under(CLAIMS.values(), optimizer, {"lr": 0.05, **numbers})
    return {claim.id for claim in claims}, left_out


def test_every_claim_is_asked_or_says_why_not() -> None:
    for optimizer in ("torch.optim:SGD", "heavy-ball"):
        able, left_out = asked(optimizer)
        assert able | left_out.keys() == CLAIMS.keys()
        assert not able & left_out.keys()
        assert all(reason for reason in left_out.values())
        assert {"stability-law", "condensation", "spikes-come"} <= able


def test_claims_about_a_threshold_need_one() -> None:
    about_thresholds = {"slas", "stabilisation", "threshold-two-sided"}
    assert about_thresholds <= asked("nesterov")[0]
    able, left_out = asked("torch.optim:Adam")
    assert not about_thresholds & able
    assert "stability-law" in left_out["slas"]


def test_claims_about_another_rule_or_a_formula_of_gradient_descents_are_left_out() -> None:
    _, left_out = asked("adam")
    assert "a specific update rule" in left_out["adam-threshold"]
    assert "gradient descent" in left_out["ascent-rate"]
    assert "gradient descent" in left_out["condensation-beyond-edge"]


def test_the_ladder_of_rates_is_stretched_and_what_varied_the_rule_is_dropped() -> None:
    found = under(CLAIMS["stability-law"], "torch.optim:SGD", {"lr": 0.2, "momentum": 0.9})
    assert isinstance(found, Claim)
    assert found.domain.axes["lr"].rungs == (0.2, 0.1, 0.04)
    assert "optimizer" not in found.domain.axes
    assert dict(found.domain.reference.options) == {"momentum": 0.9}
    assert all(setting.optimizer == "torch.optim:SGD" for setting in found.beside.values())


def test_what_cannot_be_made_says_so_in_each_claims_place() -> None:
    _, left_out = asked("torch.optim:SGD", moment=0.9)
    assert "moment" in left_out["condensation"]


def test_an_optimizer_that_cannot_be_resumed_is_asked_what_needs_no_resuming(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "gate"))
    able, left_out = asked("planted_optimizers:Forgetful")
    assert "spikes-come" in able
    assert "state_dict" in left_out["condensation"]


def test_an_optimizer_is_looked_at_for_a_moment_before_it_is_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    """Regression: over whole trainings of all claims it took a minute and a half before anything was seen."""
    steps: list[int] = []

    def heard(settings: Sequence[Setting]) -> Objective:
        steps.extend(setting.steps for setting in settings)
        return build_objective(settings)

    monkeypatch.setattr("spikecheck.harness.with_optimizer.build_objective", heard)
    assert asked("torch.optim:SGD")[0]
    assert 0 < max(steps) <= 400
