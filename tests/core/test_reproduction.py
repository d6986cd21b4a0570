"""How well a recorded judgement is reproduced: bit by bit, statistically, or not."""

import math
import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.errors import UsageError
from spikecheck.core.judgement import Effect, Judgement, Outcome
from spikecheck.core.reproduction import Degree, Recorded, Reproduction, compared_line, decisive, read
from spikecheck.core.setting import Setting
from spikecheck.core.workload_setting import workload_setting

FINITE = st.floats(allow_nan=False, allow_infinity=False)
SCORES = st.lists(st.none() | FINITE, min_size=1, max_size=20)


def judgement(**changes: Any) -> Judgement:
    shares = {"outcome": Outcome.FAILS, "drawn": 3, "applicable": 2, "held": 1, "low": 0.1, "high": 0.9}
    effect = Effect(unit="ratio", median=0.5, low=0.4, high=0.6, mean=0.7, mean_low=0.65, mean_high=0.75)
    others = {"required": 0.8, "level": 0.95, "effect": effect, "seeds": (1, 2, 3), "scores": (0.1, None, 0.3)}
    return Judgement(**({"setting": Setting()} | shares | others | changes))


def degree(recorded: Judgement, now: Judgement) -> Degree:
    return Reproduction(Recorded.of(recorded), now).degree


@given(SCORES, st.sampled_from(Outcome), st.none() | FINITE)
def test_what_a_line_says_is_read_back(scores: list[float | None], outcome: Outcome, mean: float | None) -> None:
    effect = judgement().effect.model_copy(update={"mean": mean})
    written = Recorded.of(judgement(scores=scores, outcome=outcome, estimand="mean", effect=effect))
    again = read(written.text())
    assert (again.outcome, again.seeds, again.effects) == (written.outcome, written.seeds, written.effects)
    assert (again.estimate is None) == (mean is None)
    assert again.estimate is None or mean is None or math.isclose(again.estimate, mean, rel_tol=1e-5)


@given(SCORES, st.data())
def test_one_bit_of_one_effect_is_noticed(scores: list[float | None], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(scores) - 1))
    score = scores[place]
    other = data.draw(FINITE) if score is None else math.nextafter(score, 0.0 if score else 1.0)
    changed = [*scores[:place], other, *scores[place + 1 :]]
    one, two = judgement(scores=scores), judgement(scores=changed)
    assert degree(one, one) is Degree.BITWISE
    assert Recorded.of(one).effects != Recorded.of(two).effects
    assert degree(one, two) is Degree.STATISTICALLY  # the share is the same


@given(SCORES)
def test_a_judgement_read_from_a_report_has_the_same_digests(scores: list[float | None]) -> None:
    one = judgement(scores=scores)
    assert Recorded.of(Judgement.model_validate_json(one.model_dump_json())) == Recorded.of(one)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Degree.BITWISE),
        ({"scores": (0.1, None, 0.4)}, Degree.STATISTICALLY),
        ({"scores": (0.1, None, 0.4), "low": 0.5}, Degree.STATISTICALLY),  # the bound itself
        ({"scores": (0.1, None, 0.4), "low": 0.51}, Degree.NOT),
        ({"scores": (0.1, None, 0.4), "high": 0.49}, Degree.NOT),
        ({"scores": (0.1, None, 0.4), "applicable": 0, "held": 0}, Degree.NOT),
        ({"outcome": Outcome.HOLDS}, Degree.NOT),
        ({"seeds": (1, 2, 4)}, Degree.NOT),
    ],
)
def test_the_degree_follows_outcome_seeds_bits_and_interval(changes: dict[str, Any], expected: Degree) -> None:
    assert degree(judgement(), judgement(**changes)) is expected


def test_two_judgements_without_an_applicable_seed_agree_statistically() -> None:
    nothing = {"applicable": 0, "held": 0, "outcome": Outcome.UNTRIGGERED}
    one, two = judgement(scores=(None,) * 3, **nothing), judgement(scores=(None, None, 0.1), **nothing)
    assert degree(one, two) is Degree.STATISTICALLY


@pytest.mark.parametrize(
    ("estimand", "expected"),
    [
        ("share", (0.5, 0.1, 0.9)),
        ("mean", (0.7, 0.65, 0.75)),
        ("median", (0.5, 0.4, 0.6)),
        ("equivalence", (0.7, 0.65, 0.75)),
    ],
)
def test_what_decides_is_compared(estimand: str, expected: tuple[float, float, float]) -> None:
    assert decisive(judgement(estimand=estimand)) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "fails", "fails,0.1,3fa2b01c", "maybe,0.1,3fa2b01c,1f9ac03b", "fails,x,3fa2b01c,1f9ac03b"),
        *("fails,nan,3fa2b01c,1f9ac03b", "fails,0.1,3fa2b01c,1f9ac0", "fails,0.1,3fa2b01c,1f9ac03b,"),
    ],
)
def test_anything_else_is_refused_in_one_line_that_names_the_option(text: str) -> None:
    with pytest.raises(UsageError, match="--gave .*: is not OUTCOME,ESTIMATE,SEEDS,EFFECTS") as refused:
        read(text)
    assert "\n" not in str(refused.value)


def test_a_compared_line_replays_and_compares_on_a_workload_too() -> None:
    there = workload_setting("mlp", {}, optimizer="gd", lr=0.1, steps=50)
    for words, setting in ((["planted", "--workload", "mlp"], there), (["planted"], Setting())):
        again = judgement(setting=setting)
        compared = shlex.split(compared_line(words, again, setting, 0))
        assert compared[1 : 2 + len(words)] == ["replay", *words]
        assert (compared[compared.index("--gave") + 1], compared[compared.index("--seeds") + 1]) == (
            Recorded.of(again).text(),
            "3",
        )
