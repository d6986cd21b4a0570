"""Settings beside the domain: a line each, with figures only where seeds were trained."""

from collections.abc import Callable
from typing import Any

from spikecheck.core.judgement import Judgement, Outcome
from spikecheck.report.beside import answer_says, beside_says
from spikecheck.stats.prediction import Prediction

Make = Callable[..., Any]
RULE = Prediction(above=0.0)


def test_a_line_has_outcome_counts_interval_average_and_the_control(guarded: Make) -> None:
    (line,) = beside_says(guarded())
    assert line.startswith(
        "setting B: holds, 60 of 64 (64 trained), share 86 % to 98 %, mean 0.0431 (0.0312 to 0.055); "
    )
    assert "negative control 12 of 64" in line


def test_an_undecided_one_says_how_many_seeds_it_takes_and_why(guarded: Make, judgement: Make) -> None:
    answer = (
        guarded()
        .answers[2]
        .model_copy(
            update={"outcome": Outcome.UNDECIDED, "judgement": judgement(Outcome.UNDECIDED), "reason": "Not clear."}
        )
    )
    said = answer_says(answer, RULE)
    assert said.startswith("undecided, 48 of 64")
    assert said.endswith("Not clear; about 420 seeds would decide if share and spread stay as they are")


def test_without_an_applicable_seed_there_is_no_share(guarded: Make, judgement: Make) -> None:
    none: Judgement = judgement(Outcome.UNTRIGGERED).model_copy(update={"applicable": 0, "held": 0})
    said = answer_says(
        guarded().answers[2].model_copy(update={"judgement": none, "control": None, "contrast": None}), RULE
    )
    assert "0 of 0 (64 trained)" in said and "share" not in said


def test_where_nothing_was_trained_the_reason_stands_alone(guarded: Make, unreached: Judgement) -> None:
    answer = guarded().answers[2].model_copy(update={"judgement": unreached, "reason": "mnist: no such file."})
    assert answer_says(answer, RULE) == "mnist: no such file"
    assert answer_says(answer.model_copy(update={"reason": ""}), RULE) == "not reached"


def test_names_come_out_inert(guarded: Make) -> None:
    found = guarded()
    said = beside_says(found.model_copy(update={"beside": {"b\x1b[2J": 2, "old\u202e": 9}}))
    assert said[0].startswith("b[2J: holds") and said[1] == "old: not judged on fresh seeds"
