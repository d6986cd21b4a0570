"""Maps on planted worlds: every cell stands where its setting says, and cut-offs share their runs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.errors import SettingError, Stopped, UnknownName, UsageError
from spikecheck.core.events import Event, SettingJudged, StageStarted
from spikecheck.core.judgement import Outcome
from spikecheck.core.recipe import Recipe
from spikecheck.core.run import Run
from spikecheck.core.scope import AS_CLAIMED, CUTOFF, Scope
from spikecheck.core.setting import Setting
from spikecheck.harness import simulated_lab as planted
from spikecheck.harness.claim import Trial
from spikecheck.harness.discover import discover
from spikecheck.harness.domain import Ladder, Map
from spikecheck.harness.maps import grid, survey
from spikecheck.harness.plan import search_seeds

SHIPPED = discover(()).claims
HOLDS, FAILS, UNTRIGGERED = Outcome.HOLDS, Outcome.FAILS, Outcome.UNTRIGGERED
LADDERS = Map(x="lr", y="width")


def never(trial: Trial) -> float:
    """An effect that no seed shows."""
    return -1.0


class Counting(planted.PlantedLab):
    """A planted laboratory that keeps what it was asked for."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.asked: list[Recipe] = []

    def runs(self, recipes: Sequence[Recipe]) -> Mapping[Recipe, Run]:
        self.asked.extend(recipes)
        return super().runs(recipes)


def mapped(lab: Any, asked: Map = LADDERS, claim: Any = None, **options: Any) -> Scope:
    claim = claim or planted.planted_claim()
    return survey(claim, lab, grid(claim, asked, options.pop("at", None)), **options)


def test_every_cell_says_what_is_true_at_its_setting() -> None:
    """The truth: it holds at small widths alone, and only small learning rates trigger."""
    lab = planted.PlantedLab(lambda s: 1.0 if s.width < 100 else 0.0, triggers=lambda s: 1.0 if s.lr < 0.25 else 0.0)
    scope = mapped(lab)
    assert (scope.x.values, scope.y.values) == ((0.1, 0.2, 0.3), (20, 50, 100))
    assert [cell.outcome for cell in scope.cells] == [
        HOLDS, HOLDS, UNTRIGGERED,
        HOLDS, HOLDS, UNTRIGGERED,
        FAILS, FAILS, UNTRIGGERED,
    ]  # fmt: skip


def test_rows_come_one_after_another_each_from_xs_first_value() -> None:
    scope = mapped(planted.PlantedLab(lambda s: 1.0))
    where = [(cell.setting.width, cell.setting.lr) for cell in scope.cells]
    assert where == [(width, lr) for width in (20, 50, 100) for lr in (0.1, 0.2, 0.3)]
    assert scope.place(planted.REFERENCE) == (0, 0)


def test_numbers_run_from_small_to_large_and_words_as_the_ladder_does() -> None:
    claim = planted.planted_claim(lr=Ladder(0.1, 0.2, 0.05), activation=Ladder("tanh", "relu", "gelu"))
    found = grid(claim, Map(x="lr", y="activation"))
    assert (found.x.values, found.y.values) == ((0.05, 0.1, 0.2), ("tanh", "relu", "gelu"))


def test_a_map_may_stand_elsewhere_and_what_is_typed_moves_it_on() -> None:
    asked = Map(x="width", y="lr", at={"points": 7, "depth": 2})
    found = grid(planted.planted_claim(), asked, {"depth": 3})
    assert {(cell.setting.points, cell.setting.depth) for cell in found.cells} == {(7, 3)}
    assert (found.centre.points, found.centre.depth) == (7, 3)
    with pytest.raises(UsageError, match="at lr: lr is an axis of the map"):
        grid(planted.planted_claim(), Map(x="width", y="lr", at={"lr": 0.3}))


def test_the_rest_of_the_setting_stands_where_it_is_put() -> None:
    scope = mapped(planted.PlantedLab(lambda s: 1.0), at={"points": "11"})
    assert scope.centre == planted.REFERENCE.but(points=11)
    assert {cell.setting.points for cell in scope.cells} == {11}
    assert scope.place(planted.REFERENCE) is None


def test_a_cells_seeds_are_its_settings_own_and_those_of_a_search() -> None:
    """So that a map reuses what the search has trained, and does not touch the fresh seeds that a verdict rests on."""
    scope = mapped(planted.PlantedLab(lambda s: 1.0), seeds=20, root=7)
    assert scope.seeds == 20
    for cell in scope.cells:
        assert cell.seeds == search_seeds(7, cell.setting, 20)


def test_all_cells_are_trained_in_one_go() -> None:
    assert mapped(planted.PlantedLab(lambda s: 1.0, stop_after=1)).cells
    with pytest.raises(Stopped):
        mapped(planted.PlantedLab(lambda s: 1.0, stop_after=0))


def test_what_happens_is_told() -> None:
    heard: list[Event] = []
    scope = mapped(planted.PlantedLab(lambda s: 1.0), seeds=16, observe=heard.append)
    assert heard[0] == StageStarted("planted", "map", 9, 16)
    assert [event.judgement for event in heard if isinstance(event, SettingJudged)] == list(scope.cells)


def test_cut_offs_are_judged_on_the_same_runs() -> None:
    claim = replace(planted.planted_claim(), cutoffs={"strict": never}, far_cutoffs={"stricter": never})
    lab = Counting(lambda s: 1.0)
    scope = mapped(lab, Map(x="lr", y=CUTOFF), claim)
    assert scope.y.values == (AS_CLAIMED, "strict", "stricter")
    assert [cell.outcome for cell in scope.cells] == [HOLDS] * 3 + [FAILS] * 6
    assert len({cell.seeds for cell in scope.cells}) == 3
    assert len(set(lab.asked)) == 3 * scope.seeds
    assert scope.place(planted.REFERENCE) == (0, 0)


def test_cut_offs_may_run_across_and_be_chosen() -> None:
    claim = replace(planted.planted_claim(), cutoffs={"strict": never, "other": never})
    scope = mapped(planted.PlantedLab(lambda s: 1.0), Map(x=CUTOFF, x_values=("strict", AS_CLAIMED), y="lr"), claim)
    assert [cell.outcome for cell in scope.cells] == [FAILS, HOLDS] * 3
    assert scope.place(planted.REFERENCE) == (1, 0)


@pytest.mark.parametrize(
    ("asked", "at", "error", "told"),
    [
        (Map(x="lr", y="lr"), {}, UsageError, "both lr; give two different"),
        (Map(x="rate", y="lr"), {}, UnknownName, "no axis is called 'rate'"),
        (Map(x="intervention", y="lr"), {}, UnknownName, "no axis is called 'intervention'"),
        (Map(x="lr", y="points"), {}, UsageError, "planted has no ladder for it; give values, such as points=V1,V2"),
        (Map(x="lr", y="width", x_values=(0.1,)), {}, UsageError, "x axis lr: 0.1 is not enough for an axis; give two values"),
        (Map(x="lr", y="width", y_values=()), {}, UsageError, "y axis width: no value is not enough for an axis"),
        (Map(x="lr", y="width", x_values=("0.1", "0.10")), {}, SettingError, "x axis lr=0.1: occurs twice"),
        (Map(x="lr", y="width", x_values=("0.1", "fast")), {}, SettingError, "lr='fast'"),
        (LADDERS, {"lr": "0.1"}, UsageError, "at lr: lr is an axis of the map"),
        (LADDERS, {"points": "1"}, SettingError, "points='1'"),
        (Map(x="lr", y=CUTOFF), {}, UsageError, "y axis cutoff: planted has no cut-off that varies; give a condition"),
    ],
)  # fmt: skip
def test_what_makes_no_map_is_refused_with_its_name_and_a_remedy(
    asked: Map, at: dict[str, str], error: type[UsageError], told: str
) -> None:
    with pytest.raises(error) as refused:
        grid(planted.planted_claim(), asked, at)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("values", "told"), [(("strict", "strikt"), "did you mean: strict"), ((), "no value is not enough")]
)
def test_a_cut_off_that_is_none_of_the_claims_is_refused(values: tuple[str, ...], told: str) -> None:
    claim = replace(planted.planted_claim(), cutoffs={"strict": never})
    with pytest.raises(UsageError, match=told):
        grid(claim, Map(x="lr", y=CUTOFF, y_values=values))


def test_an_axis_whose_value_stands_for_several_is_refused() -> None:
    """momentum=none means each rule's own default, which is none for gradient descent and 0.9 for heavy ball."""
    asked = Map(x="optimizer", x_values=("gd", "heavy-ball"), y="momentum", y_values=(None, None))
    with pytest.raises(SettingError, match="y axis momentum: one of its values stands for 0.9, None; give each"):
        grid(planted.planted_claim(), asked)


def test_too_few_seeds_to_ever_hold_are_refused_before_anything_is_trained() -> None:
    lab = Counting(lambda s: 1.0)
    with pytest.raises(UsageError, match="seeds=13: planted needs 14 applicable seeds to hold; give at least 14"):
        mapped(lab, seeds=13)
    assert lab.asked == []


def test_a_map_is_no_part_of_a_claims_specification() -> None:
    claim = planted.planted_claim()
    assert replace(claim, maps=(LADDERS,), far_cutoffs={"far": never}).specification == claim.specification


@pytest.mark.parametrize("name", [name for name, claim in SHIPPED.items() if claim.maps])
def test_every_shipped_map_can_be_drawn_and_shows_where_it_is_centred(name: str) -> None:
    claim = SHIPPED[name]
    for asked in claim.maps:
        found = grid(claim, asked)
        assert (claim.domain.reference.but(**asked.at), AS_CLAIMED) in found.cells


def test_three_claims_ship_with_maps() -> None:
    maps = {name: [(m.x, m.y) for m in claim.maps] for name, claim in SHIPPED.items() if claim.maps}
    assert maps == {
        "condensation": [("init_scale", "lr")],
        "spikes-come": [("lr", "width"), ("dtype", "gradient_noise")],
        "top-direction-low-frequency": [("target", CUTOFF)],
    }


@given(
    st.lists(st.floats(1e-4, 10.0), min_size=2, max_size=5, unique=True),
    st.lists(st.integers(1, 1_000), min_size=2, max_size=5, unique=True),
)
def test_values_as_they_are_typed_make_the_cells_that_they_name(rates: list[float], widths: list[int]) -> None:
    asked = Map(x="lr", x_values=[str(rate) for rate in rates], y="width", y_values=[str(width) for width in widths])
    found = grid(planted.planted_claim(), asked)
    assert (found.x.values, found.y.values) == (tuple(rates), tuple(widths))
    expected = [Setting(steps=1, lr=rate, width=width) for width in widths for rate in rates]
    assert [cell.setting for cell in found.cells] == expected
