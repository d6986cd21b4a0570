"""Every run has its place in one tile, and the tile's size follows from the setting alone."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.errors import Interrupted
from spikecheck.core.events import Event, TileStored
from spikecheck.core.intervention import Continue, FreezeOutside, Hold, LowerRate
from spikecheck.core.probe import Anatomy, Balance, SharpnessTrace
from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.lab import batching
from spikecheck.lab.batching import compiles, cut_short, member_steps, padded, size_of, tile_size, tiles, work
from spikecheck.lab.laboratory import Laboratory
from spikecheck.lab.memory_estimate import parameters
from spikecheck.lab.store import Store

ANY_SIZE = st.builds(
    Setting,
    problem=st.sampled_from(["sines", "digits"]),
    points=st.integers(2, 2_000),
    width=st.integers(1, 100_000),
    depth=st.integers(1, 64),
)
# Few signatures and probes, many runs: what differs only in rate, scale or target trains together.
SETTINGS = st.builds(
    Setting,
    lr=st.sampled_from([0.05, 0.1]),
    init_scale=st.sampled_from([1.0, 2.0]),
    target=st.sampled_from(["sin x", "sin 2x"]),
    width=st.sampled_from([20, 300]),
    optimizer=st.sampled_from(["gd", "adam"]),
    intervention=st.sampled_from([None, Continue(horizon=30)]),
)
GROUPS = st.tuples(
    SETTINGS,
    st.sampled_from([None, SharpnessTrace(), SharpnessTrace(alone=True), Anatomy(pairs=3)]),
    st.integers(0, 50),
    st.sampled_from([1, 7, 8, 9, 31, 32, 33, 70]),
).map(lambda group: [Recipe(setting=group[0], seed=group[2] + more, probe=group[1]) for more in range(group[3])])
RECIPES = st.lists(GROUPS, max_size=4).map(lambda groups: [recipe for group in groups for recipe in group])


@given(ANY_SIZE)
def test_sizes_are_powers_of_two_from_1_to_64_and_less_than_8_for_many_parameters_alone(setting: Setting) -> None:
    size = tile_size(setting)
    assert size in (1, 2, 4, 8, 16, 32, 64)
    assert size == 1 or size * parameters(setting) <= 2**20
    assert size >= 8 or 2 * size * parameters(setting) > 2**20


@given(ANY_SIZE)
def test_a_larger_model_never_has_a_larger_tile(setting: Setting) -> None:
    assert tile_size(setting.but(width=min(2 * setting.width, 100_000))) <= tile_size(setting)
    assert tile_size(setting.but(depth=min(setting.depth + 1, 64))) <= tile_size(setting)


def test_both_ends_are_reached() -> None:
    assert tile_size(Setting(model="linear")) == tile_size(Setting(width=1)) == 64
    assert tile_size(Setting()) == 32
    assert tile_size(Setting(width=10_000)) == 8


@pytest.mark.parametrize(
    ("change", "size"),
    [
        ({"points": 40, "width": 1}, 32),  # 40 x (20 + 10) numbers: 38,400 of 32 members
        ({"points": 40, "width": 2}, 16),
        ({"problem": "digits", "points": 20, "width": 2}, 8),  # of all 1,347
        ({"problem": "mnist", "points": 100}, 8),
        ({"problem": "mnist", "points": 300}, 4),
        ({"problem": "mnist", "points": 1_000}, 2),
        ({"problem": "cifar10", "points": 50_000}, 2),
        ({"problem": "mnist", "points": 1_000, "model": "mlp"}, 8),
        ({"problem": "mnist", "points": 20, "model": "mlp"}, 32),
        ({"problem": "cifar10", "points": 20, "model": "mlp"}, 32),
    ],
)
def test_a_convolutional_nets_numbers_are_those_of_its_images(change: dict[str, object], size: int) -> None:
    setting = Setting(problem="mnist1d", model="conv", width=8, depth=2)
    assert tile_size(setting.but(**change)) == size


@given(SETTINGS, st.floats(1e-3, 1.0), st.floats(0.1, 9.0))
def test_the_size_is_one_for_a_signature(setting: Setting, lr: float, scale: float) -> None:
    other = setting.but(lr=lr, init_scale=scale, target="sin 3x")
    assert other.signature == setting.signature
    assert tile_size(other) == tile_size(setting)


@given(RECIPES)
def test_nothing_is_lost_doubled_or_mixed(recipes: list[Recipe]) -> None:
    laid = tiles(recipes)
    assert Counter(recipe for tile in laid for recipe in tile) == Counter(recipes)
    for tile in laid:
        assert len({(recipe.setting.signature, recipe.probe) for recipe in tile}) == 1
        assert 1 <= len(tile) <= size_of(tile[0])


@given(RECIPES)
def test_there_are_no_more_tiles_than_are_needed(recipes: list[Recipe]) -> None:
    groups = Counter((recipe.setting.signature, recipe.probe) for recipe in recipes)
    sizes = {(recipe.setting.signature, recipe.probe): size_of(recipe) for recipe in recipes}
    assert len(tiles(recipes)) == sum(-(-count // sizes[kind]) for kind, count in groups.items())


@given(RECIPES)
def test_runs_of_one_kind_stay_in_the_order_given(recipes: list[Recipe]) -> None:
    def kind(recipe: Recipe) -> tuple[str, object]:
        return recipe.setting.signature, recipe.probe

    laid = [recipe for tile in tiles(recipes) for recipe in tile]
    for wanted in set(map(kind, recipes)):
        assert [one for one in laid if kind(one) == wanted] == [one for one in recipes if kind(one) == wanted]


@given(RECIPES)
def test_padding_fills_a_tile_with_its_first_member(recipes: list[Recipe]) -> None:
    for tile in tiles(recipes):
        full = padded(tile)
        assert len(full) == size_of(tile[0])
        assert tuple(full[: len(tile)]) == tile
        assert set(full[len(tile) :]) <= {tile[0]}


@pytest.mark.parametrize(
    ("intervention", "steps"),
    [
        (None, 5_000),
        (Continue(horizon=30), 30),
        (LowerRate(horizon=30, factor=0.25), 120),
        (LowerRate(horizon=30, factor=0.25, anneal=4), 160),
        (FreezeOutside(horizon=7), 7),
    ],
)
def test_padding_counts_as_work(intervention: Continue | LowerRate | FreezeOutside | None, steps: int) -> None:
    tile = (Recipe(setting=Setting(steps=5_000, intervention=intervention), seed=1),)
    assert member_steps(tile) == 8 * steps


def test_more_to_compute_is_more_work() -> None:
    plain = Recipe(setting=Setting(), seed=1)
    longer, wider = (
        Recipe(setting=plain.setting.but(**change), seed=1) for change in ({"steps": 9_000}, {"width": 40})
    )
    assert min(work([longer]), work([wider])) > work([plain]) > 0.0
    probed = plain.model_copy(update={"probe": SharpnessTrace()})
    assert work([probed]) / member_steps([probed]) > work([plain]) / member_steps([plain])


def test_a_balance_is_worth_the_steps_it_is_made_over_and_the_more_the_oftener_it_looks() -> None:
    def recipe(balance: Balance) -> list[Recipe]:
        return [Recipe(setting=Setting(steps=5_000), seed=1, probe=balance)]

    assert member_steps(recipe(Balance(since=1_000))) == 8 * 4_000
    works = [work(recipe(Balance(every=every))) for every in (1, 5, 50)]
    assert works == sorted(works, reverse=True)
    assert works[-1] > work([Recipe(setting=Setting(steps=5_000), seed=1)])


def test_without_a_compiler_a_tile_has_its_former_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bits of what is not compiled depend on the size of the tile, and stored runs were trained in tiles of 32."""
    plain = Recipe(setting=Setting(), seed=1)
    monkeypatch.setattr(batching, "compiler", lambda: "g++ 12")
    assert size_of(plain) == 16
    monkeypatch.setattr(batching, "compiler", lambda: "")
    assert size_of(plain) == 32


def test_nets_of_many_parameters_are_trained_a_few_at_a_time_and_their_digests_say_so() -> None:
    """Regression: `--budget 5m` kept nothing of a net of a million parameters, whose tile of eight was not done."""
    large = Setting(problem="mnist1d", width=1_000, depth=2)
    assert (tile_size(large), cut_short(large)) == (1, "tile 1")
    for usual in (Setting(), Setting(problem="mnist1d", points=100), Setting(model="conv", problem="digits")):
        assert cut_short(usual) == ""
    lab, recipe = Laboratory(), Recipe(setting=large, seed=0)
    assert lab._cache.digest(recipe) != recipe.digest(lab.environment.uncompiled(), "")


def test_what_a_budget_leaves_of_large_nets_is_kept_one_by_one(tmp_path: Path) -> None:
    large = Setting(problem="mnist1d", width=1_000, depth=2, points=10, steps=2)
    kept = 0

    def stop(event: Event) -> None:
        nonlocal kept
        kept += isinstance(event, TileStored)
        if kept == 2:
            raise KeyboardInterrupt

    lab = Laboratory(Store(tmp_path), observe=stop)
    with pytest.raises(Interrupted):
        lab.runs([Recipe(setting=large, seed=seed) for seed in range(4)])
    assert Store(tmp_path).info().entries == 2


def test_one_runs_checkpoints_are_looked_at_without_compiling_and_give_the_same_sharpness() -> None:
    long = Setting(width=5, points=8, steps=1_000)
    alone, many = (Recipe(setting=long, seed=0, probe=SharpnessTrace(alone=one)) for one in (True, False))
    fork = Recipe(setting=long.but(intervention=Continue(horizon=30)), seed=0, probe=alone.probe)
    stepwise = Recipe(setting=long, seed=0, probe=SharpnessTrace(alone=True, every_step=True))
    near = Recipe(setting=long, seed=0, probe=Anatomy(alone=True))
    assert [compiles(recipe) for recipe in (alone, many, fork, stepwise, near)] == [False, True, True, True, True]
    found = Laboratory().runs([alone, many])
    own, others = (found[recipe].records["sharpness"]["sharpness"] for recipe in (alone, many))
    np.testing.assert_allclose(own, others, rtol=1e-8)


def test_a_held_fork_is_expected_to_take_longer_than_one_that_follows_no_curvature() -> None:
    """Regression: it took 2.5 times its expected time, and what was left looked too little."""
    held, frozen = (
        work([Recipe(setting=Setting(intervention=fork), seed=0)])
        for fork in (Hold(horizon=500), FreezeOutside(horizon=500))
    )
    assert held == 2.5 * frozen
