"""Suites: their settings, their seeds, and what decides their digest."""

import math
from typing import Any

import pytest

from spikecheck.core.errors import SettingError, UnknownName, UsageError
from spikecheck.core.setting import Setting
from spikecheck.gate.metrics import EDGES
from spikecheck.gate.suite import ROWS, Suite, contestant, own_suite, trained_by

ADAM = contestant("adam", {"lr": 0.02, "beta2": 0.99})


def test_conditions_change_every_setting_of_the_default_suite() -> None:
    small = own_suite({"steps": 30, "width": 5}, 4, 0)
    assert set(small.settings) == set(Suite().settings)
    assert {(one.steps, one.width) for one in small.settings.values()} == {(30, 5)}
    assert {one.problem for one in small.settings.values()} == {"sines", "mnist1d"}


@pytest.mark.parametrize(("given", "name"), [({"problem": "digits"}, "digits"), ({"model": "linear"}, "sines")])
def test_another_problem_or_model_is_one_setting(given: dict[str, Any], name: str) -> None:
    suite = own_suite({**given, "points": 30}, 4, 0)
    ((found, setting),) = suite.settings.items()
    assert (found, setting.steps, setting.points) == (name, 1_000, 30)


@pytest.mark.parametrize(
    "other",
    [
        own_suite({"steps": 31}, 4, 0),
        own_suite({"steps": 30}, 5, 0),
        own_suite({"steps": 30}, 4, 1),
        own_suite({"steps": 30}, 4, 0, tuple(row for row in ROWS if row not in EDGES)),
    ],
)
def test_whatever_two_scores_must_share_is_in_the_digest(other: Suite) -> None:
    suite = own_suite({"steps": 30}, 4, 0)
    assert suite.digest == own_suite({"steps": 30}, 4, 0).digest
    assert suite.digest != other.digest


def test_a_row_that_is_not_looked_at_leaves_the_digest_where_nothing_is_measured_otherwise() -> None:
    assert own_suite({}, 4, 0, ("late edge", "spikes")).digest == own_suite({}, 4, 0).digest


def test_every_optimizer_has_the_same_seeds_and_every_setting_its_own() -> None:
    suite = Suite(seeds=5)
    first, second = suite.places(ADAM)[:2]
    seeds = [recipe.seed for recipe in suite.recipes(first)]
    other = suite.places(contestant("gd", {"lr": 0.1}))[0]
    assert [recipe.seed for recipe in suite.recipes(other)] == seeds
    assert len({*seeds, *(recipe.seed for recipe in suite.recipes(second))}) == 10
    assert [recipe.seed for recipe in Suite(seeds=3).recipes(first)] == seeds[:3]
    assert not set(seeds) & {recipe.seed for recipe in Suite(seeds=5, root=1).recipes(first)}


def test_without_the_edges_no_product_with_a_hessian_is_made() -> None:
    place = Suite().places(ADAM)[0]
    for rows, edges in (((*EDGES, "spikes"), True), (("late edge",), True), (("spikes", "memory"), False)):
        suite = Suite(rows=rows)
        assert {recipe.probe.edges for recipe in suite.recipes(place)} == {edges}  # type: ignore[union-attr]
        assert [measure.name for measure in (*suite.measures, *suite.cost)] == [row for row in ROWS if row in rows]


def test_a_built_in_rule_has_conditions_and_another_has_options() -> None:
    assert ADAM.conditions == {"beta2": 0.99} and ADAM.options == ()
    named = contestant("torch.optim:SGD", {"nesterov": True, "lr": 0.1, "momentum": 0.9})
    assert named.options == (("momentum", 0.9), ("nesterov", True)) and named.conditions == {}
    trained = trained_by(ADAM, Setting(optimizer="heavy-ball", momentum=0.5, steps=30))
    assert (trained.optimizer, trained.lr, trained.beta2, trained.momentum, trained.steps) == (
        "adam", 0.02, 0.99, None, 30
    )  # fmt: skip


@pytest.mark.parametrize(
    ("optimizer", "numbers", "said"),
    [
        ("gd", {}, "add --set lr=0.01"),
        ("gd", {"lr": True}, "lr=True: is not a number"),
        ("gd", {"lr": "fast"}, "lr='fast': is not a number"),
        ("torch.optim:Adam", {"lr": 0.1, "weight_decay": math.inf}, "weight_decay=inf: is not finite"),
        ("torch.optim:Adam", {"lr": 0.1, "betas": (0.9, math.nan)}, r"betas=\(0.9, nan\): is not finite"),
        ("adam", {"lr": 0.1, "betas": 1}, "betas=1: adam takes only lr, beta1, beta2, eps, weight_decay"),
    ],
)
def test_an_optimizer_without_a_usable_rate_or_with_a_foreign_number_is_refused(
    optimizer: str, numbers: dict[str, Any], said: str
) -> None:
    with pytest.raises(SettingError, match=said):
        contestant(optimizer, numbers)


def test_an_unknown_row_gets_its_near_matches() -> None:
    with pytest.raises(UnknownName, match="did you mean: spikes"):
        own_suite({}, 4, 0, ("spike",))


@pytest.mark.parametrize(("optimizer", "numbers", "message"), [
    ("no_such:Own", {}, "no module 'no_such'"),
    ("torch.optim:Nope", {}, "is called 'Nope'"),
    ("torch.optim:Adam", {"foo": 1}, "no argument of torch.optim:Adam is called 'foo'"),
    ("adamm", {}, "no optimizer is called 'adamm'"),
    ("adam", {"foo": 1}, "foo=1: adam takes only lr"),
    ("torch.optim:Adam", {"eps": 0.1}, "no learning rate"),
])  # fmt: skip
def test_a_wrong_name_is_told_before_a_missing_rate(optimizer: str, numbers: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as refused:
        contestant(optimizer, numbers)
    assert message in str(refused.value)
