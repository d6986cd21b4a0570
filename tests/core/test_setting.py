"""Settings, recipes and their digests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.errors import SettingError, UnknownName
from spikecheck.core.intervention import LowerRate, Retune, steps_of
from spikecheck.core.probe import Anatomy, Directions, SharpnessTrace
from spikecheck.core.recipe import Environment, Recipe
from spikecheck.core.setting import OPTIMIZERS, PER_MEMBER, Setting

HERE = Environment(torch="2", device="cpu", threads=1)


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


def test_a_fork_that_would_change_nothing_is_refused() -> None:
    with pytest.raises(SettingError, match="retune changes nothing"):
        Retune(horizon=9)


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


def test_every_part_of_a_recipe_and_its_environment_is_in_its_digest() -> None:
    recipe = Recipe(setting=Setting(), seed=1)
    others = [
        Recipe(setting=Setting(), seed=2).digest(HERE),
        Recipe(setting=Setting(lr=0.2), seed=1).digest(HERE),
        recipe.digest(HERE.model_copy(update={"threads": 2})),
        recipe.digest(HERE.model_copy(update={"epoch": 99})),
        recipe.digest(HERE, sources="x"),
    ]
    assert len({recipe.digest(HERE), *others}) == 6


def test_an_accelerators_memory_belongs_to_its_digests_and_leaves_the_cpus_as_they_were() -> None:
    """Both texts are from before there was a memory."""
    here = Environment(torch="2.13.0", device="cpu AVX512", threads=1, epoch=7)
    compiled = here.model_copy(update={"compiler": "g++ 12"})
    plain = Recipe(setting=Setting(), seed=1)
    traced = Recipe(setting=Setting(), seed=1, probe=SharpnessTrace())
    assert plain.digest(here) == "7a46ddbd769f18949cd1c0a2c8197c93ca38a7b10afc24d2cc62ec3d415a4c4b"
    assert traced.digest(compiled) == "e37d159bb57b5e6efe9d3661139112881382fd110862776e60bd8880b59f99bf"
    digests = {plain.digest(here.model_copy(update={"memory": memory})) for memory in (0, 16, 80)}
    assert len(digests) == 3


def test_a_calm_twin_covers_the_same_learning_rate_times_steps() -> None:
    assert steps_of(LowerRate(factor=0.25, horizon=100)) == 400


def test_fields_added_later_leave_older_identities_as_they_were() -> None:
    assert "batch" not in Setting().canonical()
    assert "gradient_noise" not in Recipe(setting=Setting(), seed=0).canonical()
    assert "outputs" not in Anatomy().canonical()
    assert "random" not in Directions().canonical()
    assert '"random":5' in Directions(random=5).canonical()
    assert '"batch":5' in Recipe(setting=Setting(batch=5), seed=0).canonical()
    assert Setting(batch=5).signature != Setting().signature
    assert Setting.model_validate_json(Setting().canonical()) == Setting()
