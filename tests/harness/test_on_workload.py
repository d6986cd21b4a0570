"""Which claims apply to a workload, and the reason for each that does not."""

from dataclasses import replace
from typing import Any

import pytest

from spikecheck import Anatomy, Average, Continue, Prediction, Setting, SharpnessTrace, Trial, workload_setting
from spikecheck.core.spike import NoisySpikeDefinition
from spikecheck.harness.claim import Claim, Control
from spikecheck.harness.domain import Domain, Ladder
from spikecheck.harness.on_workload import Place, all_on_workload, on_workload

GD = workload_setting("mlp", {"batch": 16}, optimizer="gd", lr=0.1, steps=500)
ADAM = workload_setting("mlp", {"batch": 16}, optimizer="adam", lr=0.01, steps=500)
PLACE = Place(GD, seeds=16, asked_with=("--workload", "mlp"))


def sharp(trial: Trial) -> float:
    """The last sharpness."""
    return float(trial["run"].records["sharpness"]["sharpness"][-1, 0])


def last(trial: Trial) -> float:
    return float(trial["run"].loss[-1])


def aligned(trial: Trial) -> float:
    return float(trial["run"].snapshots["end"].input_weights.mean())


def wide(setting: Setting) -> Setting:
    return setting.but(width=99)


def forked(setting: Setting) -> Setting:
    return setting.but(intervention=Continue(horizon=5))


def claim(**changes: Any) -> Claim:
    given: dict[str, Any] = {
        "says": "sharpness stays below the threshold",
        "where": "folklore",
        "kind": "tendency",
        "domain": Domain(Setting(lr=0.1, steps=10), lr=Ladder(0.1, 0.2)),
        "probe": SharpnessTrace(),
        "measure": sharp,
        "unit": "sharpness",
        "predicts": Prediction(below=20.0),
        "applies": lambda trial: True,
        "control": Control(says="none", measure=sharp),
        "beside": {"wide": Setting(width=50)},
        "costly": True,
        "id": "mine",
    }
    return Claim(**given | changes)


def test_a_claim_that_applies_has_the_workload_as_its_only_setting() -> None:
    found = on_workload(claim(), PLACE)
    assert isinstance(found, Claim)
    assert (found.domain.reference, dict(found.domain.axes), found.beside, found.costly) == (GD, {}, {}, False)
    assert isinstance(found.definition, NoisySpikeDefinition)
    assert found.asked_with == PLACE.asked_with
    smooth = on_workload(claim(), replace(PLACE, noisy=False))
    assert isinstance(smooth, Claim) and smooth.definition == claim().definition


def test_a_claim_about_the_very_workload_needs_no_options() -> None:
    found = on_workload(claim(domain=Domain(GD)), PLACE)
    assert isinstance(found, Claim) and found.asked_with == ()


@pytest.mark.parametrize(
    ("changes", "place", "reason"),
    [
        ({"probe": Anatomy()}, PLACE, "needs eigenpairs at every step of a spike"),
        ({"measure": aligned}, PLACE, "needs the input weights of a two-layer network"),
        ({"companions": {"x": aligned}}, PLACE, "needs the input weights of a two-layer network"),
        ({"control": Control(says="x", measure=aligned)}, PLACE, "needs the input weights of a two-layer network"),
        ({"arms": {"run": wide}}, PLACE, "compares with trainings of another width"),
        ({"control": Control(says="x", arms={"run": wide})}, PLACE, "compares with trainings of another width"),
        ({"arms": {"run": forked}}, PLACE, "forks trainings in the middle"),
        ({"domain": Domain(Setting(optimizer="adam", lr=0.1, steps=1))}, PLACE, "is about adam; add --optimizer adam"),
        ({"rules": "gd"}, replace(PLACE, setting=ADAM), "is about plain gradient descent, and adam trains"),
        ({}, replace(PLACE, gives_loss=False), "needs curvature; give the Training loss=FUNCTION of a batch"),
        ({}, replace(PLACE, rate_varies="a scheduler changes it"), "needs one constant learning rate, and a scheduler"),
        ({"measure": last, "probe": None}, PLACE, "compares single losses, which differ from batch to batch here"),
        ({}, replace(PLACE, seeds=13), "needs 14 seeds to hold; add --seeds 14"),
        ({"predicts": Average(below=20.0)}, replace(PLACE, seeds=11), "needs 12 seeds to hold; add --seeds 12"),
    ],
)
def test_each_reason_is_said(changes: dict[str, Any], place: Place, reason: str) -> None:
    found = on_workload(claim(**changes), place)
    assert isinstance(found, str) and found.startswith(reason)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"probe": None}, replace(PLACE, gives_loss=False)),
        ({"probe": None, "measure": last}, replace(PLACE, noisy=False)),
        ({"rules": "gd"}, PLACE),
        ({"arms": {"run": lambda setting: setting.but(lr=setting.lr / 2)}}, PLACE),
        ({}, replace(PLACE, seeds=None)),
        ({"predicts": Average(below=20.0)}, replace(PLACE, seeds=12)),
    ],
)
def test_what_none_of_them_touches_applies(changes: dict[str, Any], place: Place) -> None:
    assert isinstance(on_workload(claim(**changes), place), Claim)


def test_claims_are_divided_by_whether_they_apply() -> None:
    adapted, left_out = all_on_workload([claim(id="a"), claim(id="b", probe=Anatomy()), claim(id="c")], PLACE)
    assert [one.id for one in adapted] == ["a", "c"]
    assert left_out == {"b": "needs eigenpairs at every step of a spike"}
