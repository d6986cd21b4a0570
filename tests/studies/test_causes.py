"""The examination's tables, from answers that are known."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from spikecheck.core.why import Answer, ArmResult, Effect, Fork, Outcome, Ranked, Spike
from studies import causes_kept as kept
from studies.causes import _PAGE, ROOT, examined
from studies.causes_cells import FAMILIES, NOTHING, Asked, Cell, read
from studies.causes_kept import Examination
from studies.causes_page import Examinations, page
from studies.causes_rules import code_of, rules
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


UNCAUSED = Examination(
    rules="jkl", cells=(cell("offset", 0, None), cell("chance", 0, "data"), cell("chance", 1, None, spikes=False))
)
FIRST = [cell("none", 0, "data"), cell("rate", 0, "schedule"), cell("rate", 1, "schedule")]


def tables(cells: Sequence[Cell]) -> str:
    first, nothing = (Examination(rules="abc", cells=tuple(FIRST)), Examination(rules="ghi", cells=()))
    newest = Examination(rules="def", cells=tuple(cells))
    parts = [first, *[nothing] * 3, newest, nothing, nothing, UNCAUSED, nothing, nothing]
    return page(Examinations(*parts))


def row(text: str, start: str) -> Sequence[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"| {start} |"))
    return [part.strip() for part in line.strip("|").split("|")]


def test_an_answer_stands_in_the_row_of_its_plant_and_the_column_of_its_name() -> None:
    text = tables(CELLS)
    assert row(text, "bad-batch")[:5] == ["bad-batch", "3", "1", "**1**", "1"]
    assert row(text, "bad-batch")[-1].startswith("1 of 2: 50 %")
    assert row(text, "none")[-3:-1] == ["1", "**1**"]


def test_what_does_not_spike_is_not_judged() -> None:
    text = tables(CELLS)
    assert row(text, "the planted cause is named first")[-1] == "2 of 3: 67 % (9 to 99)"
    assert row(text, "a cause is named where there is none")[-1] == "1 of 2: 50 % (1 to 99)"


def test_first_and_changed_rules_stand_side_by_side_with_their_seeds() -> None:
    text = tables(CELLS)
    assert "| first rules, seeds 0 and 1 | changed rules, " in text
    assert "| benign by a test, seeds 0 to 2 |" in text
    assert row(text, "the planted cause is named first")[2] == "2 of 2: 100 % (16 to 100)"
    assert row(text, "a cause is named where there is none")[2] == "1 of 1: 100 % (2 to 100)"


def test_every_wrong_answer_is_listed_with_the_arms_that_remove_the_spike() -> None:
    mistakes = tables(CELLS).partition("## Answers that are not right")[2].partition("## What the first rules gave")[0]
    assert mistakes.count("| half the rate |") == 2
    assert "bad-batch | mlp | 1 | cause | schedule | 3 |" in mistakes


def test_answers_are_read_back_as_they_were_kept(tmp_path: Path) -> None:
    for one in CELLS:
        (tmp_path / one.asked.file).write_text(one.model_dump_json(by_alias=True), encoding="utf-8")
    assert sorted(one.line for one in read(tmp_path)) == sorted(one.line for one in CELLS)


def test_what_is_kept_makes_the_same_page_without_losses(tmp_path: Path) -> None:
    file = tmp_path / "kept.json.gz"
    forks = (Fork(number=0, height=1.5, spikes=False, removed=True, late=0.2, losses=(0.1,) * 128),)
    long = CELLS[0].model_copy(update={"answer": _with_forks(CELLS[0], forks)})
    kept.write("def", [long, *CELLS[1:]], file)
    again = kept.read(file)
    assert again.rules == "def" and again.cells[1:] == tuple(CELLS[1:])
    assert again.cells[0].answer is not None
    assert again.cells[0].answer.arms[0].forks[0] == forks[0].model_copy(update={"losses": ()})
    assert tables(again.cells) == tables([long, *CELLS[1:]])
    before = file.read_bytes()
    kept.write("def", again.cells, file)
    assert file.read_bytes() == before


def _with_forks(one: Cell, forks: tuple[Fork, ...]) -> Answer:
    assert one.answer is not None
    return one.answer.model_copy(update={"arms": (one.answer.arms[0].model_copy(update={"forks": forks}),)})


def test_the_page_has_the_tables_of_the_kept_answers() -> None:
    text = _PAGE.read_text(encoding="utf-8").partition("<!-- tables -->\n")[2]
    assert text == page(examined())


@pytest.mark.parametrize("cause", CAUSES)
def test_every_cause_has_a_name_that_an_answer_can_give(cause: str) -> None:
    assert FAMILIES[CAUSES[cause].family]
    assert (FAMILIES[CAUSES[cause].family] == NOTHING) == (cause in ("none", "benign"))


def test_the_rules_have_a_digest() -> None:
    assert len(rules(ROOT)) == 12


def test_words_and_layout_do_not_change_the_digest_and_code_does(tmp_path: Path) -> None:
    def digest(name: str, text: str) -> str:
        for file in (tmp_path / "spikecheck/why/ranking.py", tmp_path / "spikecheck/why/words.py"):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("x = 1\n", encoding="utf-8")
        (tmp_path / "spikecheck/why" / name).write_text(text, encoding="utf-8")
        return rules(tmp_path)

    before = digest("ranking.py", "x = 1\n")
    assert digest("ranking.py", '"""Ranks."""\n\nx = 1  # one\n') == before
    assert digest("words.py", "x = 2\n") == before
    assert digest("ranking.py", "x = 2\n") != before


def test_a_string_that_is_used_is_code() -> None:
    assert code_of("x = 'a'") != code_of("x = 'b'")


def test_answers_are_added_and_answers_by_other_rules_refused(tmp_path: Path) -> None:
    """Regression: `--keep` replaced the answers that a file had by those of the present rules."""
    file = tmp_path / "kept.json.gz"
    kept.add("def", CELLS[:2], file)
    kept.add("def", CELLS[1:3], file)
    assert sorted(one.line for one in kept.read(file).cells) == sorted(one.line for one in CELLS[:3])
    before = file.read_bytes()
    with pytest.raises(SystemExit, match="has answers by the rules def, and these are by ghi; give another file"):
        kept.add("ghi", CELLS[3:], file)
    assert file.read_bytes() == before


def test_at_a_rise_without_a_cause_any_name_is_wrong() -> None:
    text = tables(CELLS)
    assert row(text, "offset") == ["offset", "1", "", "1", "", "", "", "0 of 1: 0 % (0 to 98)"]
    assert row(text, "chance") == ["chance", "2", "1", "", "", "1", "", "1 of 1: 100 % (2 to 100)"]
    assert row(text, "all")[-1] == "1 of 2: 50 % (1 to 99)"
    assert cell("offset", 0, None).right and not cell("chance", 0, "data").right


def test_with_both_detectors_the_present_one_s_answer_counts() -> None:
    earlier = Examination(rules="def", cells=(cell("rate", 100, "data"), cell("rate", 101, "schedule")))
    present = Examination(rules="ghi", cells=(cell("rate", 100, "schedule"),))
    nothing = Examination(rules="jkl", cells=())
    text = page(Examinations(nothing, earlier, present, *[nothing] * 7))
    shares = [one.partition(":")[0] for one in row(text, "the planted cause is named first")[2:]]
    assert shares == ["none", "1 of 2", "1 of 1", "none", "none"]
    _, _, changed = text.partition("## What the changed rules gave")
    assert row(changed, "rate")[-1].startswith("2 of 2:")
