"""A map as it is written to a file: one judgement for each cell."""

import pytest

from spikecheck.core.errors import SettingError
from spikecheck.core.judgement import Effect, Judgement, Outcome
from spikecheck.core.scope import AS_CLAIMED, CUTOFF, Axis, Reading, Scope, reading
from spikecheck.core.setting import Setting


def judgement(setting: Setting, outcome: Outcome = Outcome.HOLDS, lost: int = 0) -> Judgement:
    nothing = Effect(unit="", median=None, low=None, high=None)
    counts = {"drawn": 20, "applicable": 20 - lost, "held": 20 - lost, "numerical_failures": lost}
    bounds = {"low": 0.9, "high": 1.0, "required": 0.8, "level": 0.95}
    return Judgement(setting=setting, outcome=outcome, effect=nothing, **counts, **bounds)


def over_width(other: Axis, settings: list[Setting]) -> Scope:
    cells = tuple(map(judgement, settings))
    return Scope(x=Axis(name="width", values=(5, 6)), y=other, centre=Setting(), seeds=20, fewest=14, cells=cells)


def test_cells_are_row_major() -> None:
    settings = [Setting(width=width, lr=lr) for lr in (0.1, 0.2) for width in (5, 6)]
    scope = over_width(Axis(name="lr", values=(0.1, 0.2)), settings)
    cells = [scope.cell(column, row) for row in (0, 1) for column in (0, 1)]
    assert [(cell.setting.width, cell.setting.lr) for cell in cells] == [(5, 0.1), (6, 0.1), (5, 0.2), (6, 0.2)]
    assert [scope.place(setting) for setting in settings] == [(0, 0), (1, 0), (0, 1), (1, 1)]
    assert scope.place(Setting(width=7)) is None


def test_a_setting_has_its_place_where_the_claim_is_as_it_is_made() -> None:
    settings = [Setting(width=width) for _ in range(2) for width in (5, 6)]
    cutoffs = Axis(name=CUTOFF, values=("half", AS_CLAIMED))
    assert over_width(cutoffs, settings).place(Setting(width=6)) == (1, 1)


def test_a_map_with_a_hole_is_refused() -> None:
    with pytest.raises(SettingError, match="contains 3 judgements; give 2 x 2"):
        over_width(Axis(name="lr", values=(0.1, 0.2)), [Setting()] * 3)


@pytest.mark.parametrize(
    ("outcome", "lost", "expected"),
    [
        (Outcome.FAILS, 10, Reading.JUDGED),
        (Outcome.FAILS, 11, Reading.LOST),
        (Outcome.UNTRIGGERED, 10, Reading.UNTRIGGERED),
        (Outcome.UNTRIGGERED, 11, Reading.LOST),
    ],
)
def test_a_share_of_the_few_that_did_not_diverge_is_not_read(outcome: Outcome, lost: int, expected: Reading) -> None:
    assert reading(judgement(Setting(), outcome, lost)) is expected
