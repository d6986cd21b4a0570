"""The scorecard's verdicts in worlds whose truth is known."""

from collections.abc import Mapping

import numpy as np
import pytest
from scipy.stats import t

from spikecheck.core.scorecard import FIRST_STEPS, Change, Decision, Row, Scores
from spikecheck.gate.comparison import (
    REFERENCE_LOST,
    can_name,
    decided,
    fewest_seeds,
    level,
    not_compared,
    rows,
    too_few,
)
from spikecheck.gate.metrics import MEASURES, MEMORY
from spikecheck.gate.selftest import MARGIN, PLACES, SEEDS, planted_scores
from spikecheck.gate.workload_suite import SAME_RULE
from spikecheck.stats.paired import Difference


def named(found: tuple[Row, ...], name: str) -> Row:
    return next(row for row in found if row.name == name)


def test_the_same_scores_are_the_same_in_every_row() -> None:
    alike = planted_scores(np.random.default_rng(0))
    assert {row.change for row in rows(alike, alike)} == {Change.SAME}


def test_a_shift_is_named_by_its_row_and_by_no_other() -> None:
    generator = np.random.default_rng(1)
    found = rows(planted_scores(generator, shift=0.5), planted_scores(generator))
    assert {row.name for row in found if row.change is Change.WORSE} == {"final loss"}
    assert (
        named(rows(planted_scores(generator), planted_scores(generator, shift=0.5)), "final loss").change
        is Change.BETTER
    )


def test_a_sure_difference_within_the_margin_is_none() -> None:
    generator = np.random.default_rng(2)
    base = planted_scores(generator)
    moved = {
        name: {p: tuple(None if v is None else v + 0.01 for v in values) for p, values in blocks.items()}
        for name, blocks in base.values.items()
        if name == "final loss"
    }
    found = rows(Scores(values=moved), base)
    assert [row.where for row in found] == ["", *PLACES]
    for row in found:
        assert row.low is not None
        assert row.low > 0
        assert row.change is Change.SAME


def test_p_values_are_at_most_1_however_many_rows_they_are_adjusted_for() -> None:
    generator = np.random.default_rng(4)
    table = rows(planted_scores(generator), planted_scores(generator))
    assert not any(row.either_way for row in table)
    assert max(row.p_worse for row in table) == max(row.p_better for row in table) == 1.0


def test_what_is_worse_in_one_setting_and_better_in_another_is_named_there() -> None:
    generator = np.random.default_rng(7)
    base = planted_scores(generator)
    shifts = dict(zip(PLACES, (0.5, -0.5, 0.0), strict=True))
    moved = {p: tuple(v + shifts[p] for v in values if v is not None) for p, values in base.values["best loss"].items()}
    found = rows(Scores(values={**base.values, "best loss": moved}), base)
    changes = {row.where: row.change for row in found if row.name == "best loss"}
    assert changes == {"": Change.SAME, "one": Change.WORSE, "two": Change.BETTER, "three": Change.SAME}
    assert [row.title for row in found if row.fails] == ["best loss in one"]


def test_state_needs_no_sample() -> None:
    generator = np.random.default_rng(3)
    found = rows(planted_scores(generator, state=2.0), planted_scores(generator, state=1.0))
    assert named(found, MEMORY[0]).change is Change.WORSE
    assert named(rows(planted_scores(generator), planted_scores(generator)), MEMORY[0]).change is Change.SAME


def test_a_number_that_one_of_a_pair_lacks_takes_the_pair_out() -> None:
    own = Scores(values={"late edge": {"one": (1.0, None, 3.0)}})
    other = Scores(values={"late edge": {"one": (0.5, 2.0, None)}})
    (row,) = rows(own, other)
    assert (row.pairs, row.difference) == (1, 0.5)


def test_a_row_that_only_describes_is_not_adjusted_for() -> None:
    generator = np.random.default_rng(4)
    found = rows(planted_scores(generator), planted_scores(generator))
    assert {row.name for row in found if not row.alarms} == {"spread"}


@pytest.mark.parametrize(("shift", "gates", "most"), [(0.0, 20, 1), (0.1, 40, 2)])
def test_false_alarms_stay_below_the_promise(shift: float, gates: int, most: int) -> None:
    """Gates without a difference, and with one as large as the margin: at most 5 of 100 alarm. studies/gates.py makes 230."""
    generator = np.random.default_rng(5)
    alarms = 0
    for _ in range(gates):
        found = rows(planted_scores(generator, shift), planted_scores(generator))
        alarms += any(row.alarms and row.change is Change.WORSE for row in found)
    assert alarms <= most


def test_a_row_that_one_side_lacks_is_named_and_not_passed_over() -> None:
    whole = planted_scores(np.random.default_rng(6))
    values = {**whole.values, "late edge": dict.fromkeys(PLACES, (None,) * SEEDS)}
    lacking = Scores(values=values)
    assert not_compared(whole, whole) == ()
    assert not_compared(lacking, whole) == ("late edge: no number of the candidate",)
    assert not_compared(whole, lacking) == ("late edge: no number of the reference",)
    assert "late edge" not in {row.name for row in rows(lacking, whole)}


def test_a_row_that_neither_side_has_is_missed_only_if_it_raises_alarms() -> None:
    whole = planted_scores(np.random.default_rng(6))
    without = Scores(values={name: row for name, row in whole.values.items() if name not in ("late edge", "spread")})
    assert not_compared(without, without) == ("late edge: no number of the candidate and the reference",)
    assert not_compared(without, whole) == (
        "late edge: no number of the candidate",
        "spread: no number of the candidate",
    )


@pytest.mark.parametrize(("settings", "places"), [(1, 1), (2, 3), (3, 4), (4, 5)])
def test_the_first_level_is_an_equal_share_for_every_row_of_the_family(settings: int, places: int) -> None:
    """Eight means raise alarms and two counts, in each setting and together; the time of a step has no settings."""
    assert level(settings, "mean") == pytest.approx(0.05 * 0.6 / (8 * places + 1))
    assert level(settings, "count") == pytest.approx(0.05 * 0.4 / (2 * places))
    assert level(settings, "count", alpha=0.1) == pytest.approx(0.1 * 0.4 / (2 * places))
    assert level(settings, "mean", alpha=0.1) == pytest.approx(0.1 * 0.6 / (8 * places + 1))


def test_the_level_of_a_plan_is_that_of_the_scorecard() -> None:
    generator = np.random.default_rng(8)
    own, other = planted_scores(generator), planted_scores(generator)
    row = named(rows(own, other), "final loss")
    pairs = zip(own.values["final loss"].values(), other.values["final loss"].values(), strict=True)
    difference = Difference.of([np.array(mine) - np.array(theirs) for mine, theirs in pairs])
    assert row.detectable == pytest.approx(difference.detectable(row.margin, level(len(PLACES), "mean")))


Values = dict[str, tuple[float | None, ...]]


def healthy(places: tuple[str, ...], seeds: int, root: int = 0) -> dict[str, Values]:
    """Scores of trainings that neither spike nor diverge."""
    generator = np.random.default_rng(root)
    return {
        measure.name: {
            place: (0.0,) * seeds if measure.law == "count" else tuple(generator.normal(0.0, measure.margin, seeds))
            for place in places
        }
        for measure in MEASURES
    }


def with_rows(values: dict[str, Values], **rows_: Mapping[str, tuple[float, ...]]) -> Scores:
    """The scores with some rows of their own; a name's underscore is a space."""
    return Scores(values={**values, **{name.replace("_", " "): dict(own) for name, own in rows_.items()}})


@pytest.mark.parametrize(("places", "seeds"), [(("one",), 4), (("one", "two"), 3), (PLACES, 2), (("one",), 40)])
def test_a_divergence_in_all_trainings_and_none_of_the_references_is_named(places: tuple[str, ...], seeds: int) -> None:
    """Regression: with few pairs no sign flips survive Holm, and `no regression: 1 same, 9 undecided` was said of it."""
    values = healthy(places, seeds)
    every = dict.fromkeys(places, (1.0,) * seeds)
    found = rows(with_rows(values, diverged=every, spiking=every), with_rows(healthy(places, seeds, 1)))
    assert named(found, "diverged").change is Change.WORSE
    assert named(found, "spiking").change is Change.WORSE
    assert decided(found, seeds)[0] is Decision.REGRESSED


@pytest.mark.parametrize(("settings", "fewest"), [(1, 4), (2, 3), (3, 2), (4, 2)])
def test_a_gate_that_could_not_name_even_that_is_not_decided(settings: int, fewest: int) -> None:
    assert fewest_seeds(settings) == fewest
    places = tuple(f"place {number}" for number in range(settings))
    for seeds in (fewest - 1, fewest):
        alike = Scores(values=healthy(places, seeds))
        decision, why = decided(rows(alike, alike), seeds)
        assert can_name(settings, seeds) == (seeds == fewest)
        assert decision is (Decision.PASSED if seeds == fewest else Decision.NOT_DECIDED)
        assert bool(why) == (seeds < fewest)


def test_one_training_that_is_lost_is_not_passed_over() -> None:
    """Regression: one of thirteen that turned NaN was undecided, and the gate passed."""
    lost = (1.0, *(0.0,) * 12)
    found = rows(
        with_rows(healthy(("one",), 13), diverged={"one": lost}, spiking={"one": lost}),
        with_rows(healthy(("one",), 13, 1)),
    )
    assert named(found, "diverged").change is Change.UNDECIDED
    assert decided(found, 13) == (Decision.NOT_DECIDED, ("diverged looks worse, but may not be",))


def test_a_row_that_would_be_worse_by_itself_keeps_the_gate_from_passing() -> None:
    """One row of means has three fifths of 0.05 to itself: a p-value of 0.04 looks worse, one of 0.02 is."""
    away = np.random.default_rng(1).permutation(np.repeat([-1.0, 1.0], 8))
    for p, expected in ((0.04, Change.UNDECIDED), (0.02, Change.WORSE), (0.2, Change.UNDECIDED)):
        shift = MARGIN + float(t.isf(p, 15)) * away.std(ddof=1) / 4
        found = rows(
            Scores(values={"final loss": {"one": tuple(away + shift)}}),
            Scores(values={"final loss": {"one": (0.0,) * 16}}),
        )
        (row,) = found
        assert row.change is expected
        assert row.looks_worse == (p == 0.04)
        assert row.p_worse == pytest.approx(p / 0.6, rel=1e-6)
        assert row.detectable == pytest.approx(Difference.of([away + shift]).detectable(MARGIN, 0.03))
        assert decided(found, 16)[0] is (
            Decision.REGRESSED if p == 0.02 else Decision.NOT_DECIDED if p == 0.04 else Decision.PASSED
        )


def test_two_pairs_that_happen_to_agree_are_no_proof() -> None:
    """A spread of nothing is not certainty."""
    found = rows(
        with_rows(healthy(("one",), 2), worst_spike={"one": (5.0, 5.0)}),
        with_rows(healthy(("one",), 2, 1), worst_spike={"one": (0.0, 0.0)}),
    )
    row = named(found, "worst spike")
    assert (row.change, row.low, row.high) == (Change.UNDECIDED, None, None)


def test_no_spikes_in_a_few_trainings_are_not_the_same_as_no_spikes() -> None:
    quiet = {"one": (0.0,) * 4}
    found = rows(with_rows(healthy(("one",), 4), spikes=quiet), with_rows(healthy(("one",), 4, 1), spikes=quiet))
    assert named(found, "spikes").change is Change.UNDECIDED
    many = {"one": (0.0,) * 16}
    found = rows(with_rows(healthy(("one",), 16), spikes=many), with_rows(healthy(("one",), 16, 1), spikes=many))
    assert named(found, "spikes").change is Change.SAME


def test_the_shown_interval_is_the_one_that_decides() -> None:
    """Regression: an interval wholly beyond the margin stood beside `undecided`."""
    generator = np.random.default_rng(9)
    for shift in (0.0, 0.1, 0.2, 0.3, 0.4):
        for row in rows(planted_scores(generator, shift), planted_scores(generator, seeds=SEEDS)):
            low, high = -np.inf if row.low is None else row.low, np.inf if row.high is None else row.high
            limit = 0.0 if row.name in ("diverged", "spiking") else row.margin
            expected = Change.UNDECIDED
            if low >= -row.margin and high <= row.margin:
                expected = Change.SAME
            elif low >= limit and row.difference > row.margin:
                expected = Change.WORSE
            elif high <= -limit and row.difference < -row.margin:
                expected = Change.BETTER
            assert row.change is expected, row


def test_nothing_but_nulls_is_no_pass() -> None:
    """Regression: scores that are all null were `no regression:` with nothing behind it, and exit code 0."""
    nulls = Scores(values={name: {"one": (None,) * 16} for name in healthy(("one",), 16)})
    decision, why = decided(rows(nulls, nulls), 16)
    assert decision is Decision.NOT_DECIDED
    assert "no row has numbers of both" in why


@pytest.mark.parametrize("name", ["diverged", "final loss"])
def test_a_reference_that_always_diverges_lets_nothing_pass(name: str) -> None:
    """Regression: two optimizers that diverged in every training were `no regression`: no candidate could have failed."""
    worst = {"diverged": 1.0, "final loss": 6.0}[name]
    lost = Scores(values={name: {"one": (worst,) * 8, "two": (worst,) * 8}})
    decision, why = decided(rows(lost, lost), 8)
    assert (decision, REFERENCE_LOST in why) == (Decision.NOT_DECIDED, True)
    partly = Scores(values={name: {"one": (worst,) * 8, "two": (worst,) * 7 + (0.0,)}})
    assert REFERENCE_LOST not in decided(rows(partly, partly), 8)[1]


def test_trainings_of_which_little_is_looked_at_are_not_taken_for_the_same() -> None:
    """Regression: with `--rows spikes` no spikes in two trainings were two equal trainings, and `same` without a sample."""
    quiet = Scores(values={name: {"one": (0.0,) * 4} for name in ("spikes", "diverged", "spiking")})
    found = rows(quiet, quiet)
    assert {row.change for row in found} == {Change.UNDECIDED}
    whole = Scores(values={**quiet.values, "best loss": {"one": (-1.0, -2.0, -3.0, -4.0)}})
    assert {row.change for row in rows(whole, whole)} == {Change.SAME}


@pytest.mark.parametrize("name", ["time a step", "memory", "spread"])
def test_rows_beside_the_trainings_and_descriptions_alone_decide_nothing(name: str) -> None:
    """A gate of which only the time of a step is left would otherwise pass."""
    whole = planted_scores(np.random.default_rng(10))
    alone = Scores(values={name: whole.values[name]})
    found = rows(alone, alone)
    assert {row.name for row in found} == {name}
    assert decided(found, SEEDS) == (Decision.NOT_DECIDED, ("no row has numbers of both",))


def test_too_few_seeds_are_said_with_the_number_that_would_do() -> None:
    alike = Scores(values=healthy(("one",), 3))
    assert decided(rows(alike, alike), 3) == (Decision.NOT_DECIDED, (too_few(1, 3),))
    assert too_few(1, 3) == ("seeds=3: too few to detect a candidate that diverges in every training; use 4 or more")


@pytest.mark.parametrize("state", [0.05, -0.05])
def test_a_known_difference_of_just_the_margin_counts_as_none(state: float) -> None:
    own, other = (Scores(values={MEMORY[0]: {"one": (value,)}}) for value in (state, 0.0))
    (row,) = rows(own, other)
    assert (row.change, row.p_worse, row.p_better) == (Change.SAME, 1.0, 1.0)


def test_one_divergence_in_fifty_is_just_the_margin_and_does_not_look_worse() -> None:
    one = {"one": (1.0, *(0.0,) * 49)}
    found = rows(Scores(values={"diverged": one}), Scores(values={"diverged": {"one": (0.0,) * 50}}))
    assert [(row.difference, row.looks_worse) for row in found] == [(0.02, False)]


def test_each_column_is_of_its_own_side() -> None:
    own = Scores(values={"final loss": {"one": (1.0, 2.0, 3.0, 6.0), "two": (5.0, 5.0, 5.0, 5.0)}})
    other = Scores(values={"final loss": {"one": (0.0, 0.0, 1.0, 1.0), "two": (9.0, 9.0, 9.0, 9.5)}})
    table = {row.where: row for row in rows(own, other)}
    assert [table[where].candidate for where in ("", "one", "two")] == [4.0, 3.0, 5.0]
    assert [table[where].reference for where in ("", "one", "two")] == pytest.approx([4.8125, 0.5, 9.125])
    assert table["one"].difference == pytest.approx(2.5)


def test_a_row_that_only_the_candidate_has_is_left_out() -> None:
    whole = planted_scores(np.random.default_rng(6))
    without = Scores(values={name: row for name, row in whole.values.items() if name != "late edge"})
    assert "late edge" not in {row.name for row in rows(whole, without)} | {row.name for row in rows(without, whole)}


@pytest.mark.parametrize("row", ["spikes", "final loss", "best loss", "spread"])
def test_trainings_are_the_same_only_if_every_row_agrees(row: str) -> None:
    """One training that differs in one row: nothing in its setting is known without a sample."""
    whole = planted_scores(np.random.default_rng(11))
    numbers = whole.values[row]["one"]
    assert numbers[0] is not None
    apart = {**whole.values[row], "one": (numbers[0] + 1e-6, *numbers[1:])}
    found = rows(Scores(values={**whole.values, row: apart}), whole)
    sure = {place: named_in(found, "worst spike", place).low == 0.0 for place in PLACES}
    assert named_in(found, "diverged", "one").change is Change.UNDECIDED
    assert sure["two"] and sure["three"]
    near = {**whole.values[row], "one": (numbers[0] + 1e-10, *numbers[1:])}
    assert {each.change for each in rows(Scores(values={**whole.values, row: near}), whole)} == {Change.SAME}


def test_trainings_of_different_seeds_are_not_the_same() -> None:
    whole = planted_scores(np.random.default_rng(12))
    fewer = Scores(values={**whole.values, "spikes": {p: v[:-1] for p, v in whole.values["spikes"].items()}})
    assert named_in(rows(fewer, whole), "diverged", "one").change is Change.UNDECIDED
    elsewhere = {place: values for place, values in whole.values["spikes"].items() if place != "one"}
    lacking = Scores(values={**whole.values, "spikes": elsewhere})
    for sides in ((whole, lacking), (lacking, whole)):
        assert named_in(rows(*sides), "diverged", "one").change is Change.UNDECIDED


def test_a_row_that_one_side_lacks_says_nothing_of_whether_trainings_are_the_same() -> None:
    """As an older baseline may."""
    whole = planted_scores(np.random.default_rng(12))
    without = Scores(values={name: row for name, row in whole.values.items() if name != "late edge"})
    assert {row.change for pair in ((whole, without), (without, whole)) for row in rows(*pair)} == {Change.SAME}


@pytest.mark.parametrize("own", [None, 1.0])
@pytest.mark.parametrize("other", [None, 1.0])
def test_a_training_that_has_a_number_and_one_that_has_none_are_not_the_same(
    own: float | None, other: float | None
) -> None:
    whole = planted_scores(np.random.default_rng(13))
    edges = whole.values["late edge"]

    def side(first: float | None) -> Scores:
        return Scores(values={**whole.values, "late edge": {**edges, "one": (first, *edges["one"][1:])}})

    found = named_in(rows(side(own), side(other)), "diverged", "one")
    assert found.change is (Change.SAME if own == other else Change.UNDECIDED)


def named_in(found: tuple[Row, ...], name: str, where: str) -> Row:
    return next(row for row in found if (row.name, row.where) == (name, where))


def ways(values: tuple[float, ...]) -> Scores:
    return Scores(values={FIRST_STEPS: {"gpt": values}})


def test_a_row_that_counts_either_way_names_what_is_smaller() -> None:
    """Differences that cancel in the mean are named too."""
    measure = next(each for each in SAME_RULE if each.name == FIRST_STEPS)
    base = tuple(np.random.default_rng(3).normal(size=8))
    for signs in (np.full(8, -1.0), np.resize([1.0, -1.0], 8)):
        apart = tuple(
            value + sign * size for value, sign, size in zip(base, signs, np.linspace(0.3, 0.4, 8), strict=True)
        )
        (row,) = rows(ways(apart), ways(base), measures=(measure,), cost=())
        assert row.fails and row.either_way and row.difference == pytest.approx(0.35)
    near = tuple(value - 0.01 * place for place, value in enumerate(base))
    (row,) = rows(ways(near), ways(base), measures=(measure,), cost=())
    assert row.change is Change.SAME
