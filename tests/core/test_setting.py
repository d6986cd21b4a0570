"""Settings, recipes and their digests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.errors import SettingError, UnknownName
from spikecheck.core.intervention import LowerRate, Retune
from spikecheck.core.setting import OPTIMIZERS, PER_MEMBER, Setting


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"lr": 0.0}, "lr=0.0"),
        ({"lr": float("nan")}, "lr=nan"),
        ({"width": 0}, "width=0"),
        ({"momentum": 0.9}, "momentum=0.9"),
        ({"input_std": 0.3}, "input_std"),
        ({"activation": "tan"}, "activation='tan'"),
    ],
)
def test_what_is_out_of_range_is_named_with_its_value(changes: dict[str, object], named: str) -> None:
    with pytest.raises(SettingError, match=named):
        Setting(**changes)


@pytest.mark.parametrize(
    ("optimizer", "numbers", "empties", "named"),
    [
        ("gd", (("beta2", 0.9),), False, "cannot change beta2; known: weight_decay"),
        ("torch.optim:Adam", (("beta2", 0.9),), False, "use a built-in optimizer"),
        ("adam", (("beta2", 1.5),), False, "beta2=1.5"),
        ("rmsprop", (), True, "has no momentum"),
    ],
)
def test_a_fork_is_retuned_only_where_the_optimizer_can_be(
    optimizer: str, numbers: tuple[tuple[str, float], ...], empties: bool, named: str
) -> None:
    fork = Retune(horizon=9, numbers=numbers, empties_momentum=empties)
    with pytest.raises(SettingError, match=named):
        Setting(optimizer=optimizer, intervention=fork)


def test_an_unknown_optimizer_gets_its_near_matches() -> None:
    with pytest.raises(UnknownName, match="did you mean: adam"):
        Setting(optimizer="adm")


def test_an_unknown_condition_is_refused() -> None:
    with pytest.raises(UnknownName, match="widht"):
        Setting().but(widht=3)


@given(st.sampled_from(sorted(OPTIMIZERS)), st.sampled_from(sorted(OPTIMIZERS)))
def test_a_new_optimizer_starts_from_its_own_numbers(first: str, second: str) -> None:
    assert Setting(optimizer=first).but(optimizer=second) == Setting(optimizer=second)


@given(st.floats(0.001, 1.0), st.integers(1, 500), st.sampled_from(["tanh", "relu"]))
def test_a_setting_survives_json(lr: float, width: int, activation: str) -> None:
    setting = Setting(lr=lr, width=width, activation=activation).but(intervention=LowerRate(factor=0.25, horizon=10))
    assert Setting.model_validate_json(setting.canonical()) == setting


def test_members_of_one_ensemble_may_differ_only_in_what_they_do_not_share() -> None:
    setting = Setting()
    assert setting.but(lr=0.05, target="sin 2x", init_scale=2.0).signature == setting.signature
    assert setting.but(width=21).signature != setting.signature
    assert {"lr", "target", "init_scale"} <= PER_MEMBER


@pytest.mark.parametrize("optimizer", [[], {}, ["gd"], 1, None])
def test_an_optimizer_that_is_no_text_is_refused(optimizer: object) -> None:
    with pytest.raises(SettingError, match="optimizer"):
        Setting.model_validate({"optimizer": optimizer})


@pytest.mark.parametrize("name", ["steps", "lr", "width", "batch", "clip"])
def test_a_truth_value_is_no_number(name: str) -> None:
    """Regression: True was taken as 1, so that steps=True trained one step."""
    with pytest.raises(SettingError, match=f"{name}=True: is not a number"):
        Setting(**{name: True})
    assert Setting(output_bias=True).output_bias


@pytest.mark.parametrize(
    ("changes", "exact"),
    [({}, True), ({"batch": 4}, False), ({"gradient_noise": 1e-9}, False), ({"clip": 1.0}, False), ({"lr": 0.5}, True)],
)
def test_the_gradient_is_exact_unless_it_is_sampled_noisy_or_clipped(changes: dict[str, object], exact: bool) -> None:
    assert Setting().but(**changes).exact == exact
