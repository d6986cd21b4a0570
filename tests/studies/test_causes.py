"""The examination's tables, from answers that are known."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from spikecheck.core.why import Answer, ArmResult, Effect, Outcome, Ranked, Spike
from studies.causes import rules
from studies.causes_cells import FAMILIES, NOTHING, Asked, Cell, read
from studies.causes_page import page
from studies.planted_causes import CAUSES


def cell(cause: str, seed: int, named: str | None, *, spikes: bool = True) -> Cell:
    spike = Spike(onset=903, peak=904, over=910, height=9.0, level=2.0, spread=0.1, loss=2.9, benign=False)
    arm = ArmResult(name="half the rate", question="", cause="x", effect=Effect.REMOVES)
    answer = Answer(
        outcome=Outcome.CAUSE if named else Outcome.NO_CAUSE,
        sentence="",
        cause=named,
        causes=(Ranked(cause=named, arms=("half the rate",)),) if named else (),
        spike=spike,
        arms=(arm,),
        seconds=12.0,
    )
    return Cell(asked=Asked(workload="mlp", cause=cause, seed=seed), onset=900, spikes=spikes, answer=answer)


CELLS = [
    cell("bad-batch", 0, "data"),
    cell("bad-batch", 1, "schedule"),
    cell("bad-batch", 2, None, spikes=False),
    cell("lag", 0, "second moment lags"),
    cell("none", 0, None),
    cell("none", 1, "step too large for the curvature"),
]


def row(text: str, start: str) -> Sequence[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"| {start} |"))
    return [part.strip() for part in line.strip("|").split("|")]


def test_an_answer_stands_in_the_row_of_its_plant_and_the_column_of_its_name() -> None:
    text = page(CELLS, "abc")
    assert row(text, "bad-batch")[:5] == ["bad-batch", "3", "1", "**1**", "1"]
    assert row(text, "bad-batch")[-1].startswith("1 of 2: 50 %")
    assert row(text, "none")[-3:-1] == ["1", "**1**"]


def test_what_does_not_spike_is_not_judged() -> None:
    text = page(CELLS, "abc")
    assert row(text, "the planted cause is named first")[1:3] == ["3", "2 of 3: 67 % (9 to 99)"]
    assert row(text, "a cause is named where there is none")[1:3] == ["2", "1 of 2: 50 % (1 to 99)"]


def test_every_wrong_answer_is_listed_with_the_arms_that_remove_the_spike() -> None:
    mistakes = page(CELLS, "abc").partition("## Answers that are not right")[2]
    assert mistakes.count("| half the rate |") == 2
    assert "bad-batch | mlp | 1 | cause | schedule | 3 |" in mistakes


def test_answers_are_read_back_as_they_were_kept(tmp_path: Path) -> None:
    for one in CELLS:
        (tmp_path / one.asked.file).write_text(one.model_dump_json(by_alias=True), encoding="utf-8")
    assert sorted(one.line for one in read(tmp_path)) == sorted(one.line for one in CELLS)


@pytest.mark.parametrize("cause", CAUSES)
def test_every_cause_has_a_name_that_an_answer_can_give(cause: str) -> None:
    assert FAMILIES[CAUSES[cause].family]
    assert (FAMILIES[CAUSES[cause].family] == NOTHING) == (cause in ("none", "benign"))


def test_the_rules_have_a_digest() -> None:
    assert len(rules()) == 12
