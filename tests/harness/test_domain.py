"""Ladders, distances and what Hypothesis draws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.errors import SettingError, UnknownName
from spikecheck.core.setting import Setting
from spikecheck.harness.domain import Domain, Ladder
from spikecheck.harness.paper_settings import MNIST1D, MNIST1D_ADAM, SETTING_A, SETTING_B, paper_domain

DOMAIN = paper_domain()
OPTIMIZERS = Domain(
    Setting(optimizer="adam", beta1=0.95),
    optimizer=Ladder("adam", "adamw", "gd", "heavy-ball"),
    weight_decay=Ladder(0.0, 0.1),
    width=Ladder(20, 50),
)


def test_the_first_rung_is_the_references() -> None:
    with pytest.raises(SettingError, match="first rung"):
        Domain(Setting(), width=Ladder(50, 20))


def test_an_axis_is_a_condition() -> None:
    with pytest.raises(UnknownName, match="breadth"):
        Domain(Setting(), breadth=Ladder(1))


@pytest.mark.parametrize("rungs", [(), (1, 1)])
def test_a_ladder_has_different_rungs(rungs: tuple[int, ...]) -> None:
    with pytest.raises(SettingError):
        Ladder(*rungs)


@pytest.mark.parametrize("domain", [DOMAIN, OPTIMIZERS])
@given(data=st.data())
def test_every_step_nearer_is_one_rung(domain: Domain, data: st.DataObject) -> None:
    """Regression: under another optimizer its defaults counted as steps, and a setting was among those nearer than itself."""
    setting = data.draw(domain.strategy())
    for near in domain.nearer(setting):
        assert domain.distance(near) == domain.distance(setting) - 1
    assert (domain.distance(setting) == 0) == (setting == domain.reference)


def test_what_stands_beside_the_domain_leads_back_to_it() -> None:
    assert any(DOMAIN.distance(near) < DOMAIN.distance(SETTING_B) for near in DOMAIN.nearer(SETTING_B))


def test_another_data_set_is_as_far_off_as_the_conditions_that_differ() -> None:
    """Regression: it counted as one step, and was called the smallest counterexample."""
    assert DOMAIN.distance(MNIST1D) == len({"problem", "points", "lr"})
    assert DOMAIN.distance(MNIST1D_ADAM) == len({"problem", "points", "lr", "optimizer"})


def test_what_is_on_no_ladder_is_reset_in_one_step() -> None:
    for setting in (Setting(optimizer="adamw", beta1=0.5, width=50), Setting(optimizer="heavy-ball", momentum=0.95)):
        (reset,) = [
            near
            for near in OPTIMIZERS.nearer(setting)
            if near.optimizer == setting.optimizer and near.width == setting.width
        ]
        assert OPTIMIZERS.distance(reset) == OPTIMIZERS.distance(setting) - 1


@pytest.mark.parametrize("ci", ["1", ""])
def test_draws_are_different_repeatable_and_the_same_in_ci(ci: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", ci)
    drawn = DOMAIN.draw(12, seed=3)
    assert len(set(drawn)) == len(drawn) == 12
    assert SETTING_A not in drawn
    assert drawn == DOMAIN.draw(12, seed=3)
    assert drawn != DOMAIN.draw(12, seed=4)


def test_a_small_domain_gives_all_it_has() -> None:
    assert len(Domain(Setting(), width=Ladder(20, 50, 100)).draw(10, seed=0)) == 2


def test_every_rung_is_checked_when_the_domain_is_made() -> None:
    """Regression: a rung out of range was found when it was trained, and ended the verification of all claims."""
    for rung in (-0.02, float("nan"), "fast"):
        with pytest.raises(SettingError, match="lr="):
            Domain(Setting(lr=0.01), lr=Ladder(0.01, rung))
    with pytest.raises(SettingError, match="give a Ladder"):
        Domain(Setting(lr=0.01), lr=[0.01, 0.02])  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="one by one"):
        Ladder([0.01, 0.02])
    with pytest.raises(SettingError, match="give the reference setting first"):
        Domain(0.01)  # type: ignore[arg-type]


def test_rungs_are_the_values_that_settings_have() -> None:
    """Regression: a rung "0.02" was trained as 0.02 and then not found on its ladder, so that nothing shrank along it."""
    domain = Domain(Setting(lr=0.01), lr=Ladder(0.01, "0.02"))
    assert domain.axes["lr"].rungs == (0.01, 0.02)
    assert domain.distance(Setting(lr=0.02)) == 1
