"""A few of the inputs that `python studies/reliability.py --part fuzz` makes by the thousand, and those that once failed."""

import json
import random
from pathlib import Path

import pytest

from spikecheck.gate.config import literal
from spikecheck.watch.columns import read_columns
from studies.called import called
from studies.fuzz import fuzzed
from studies.fuzz_parsers import parsers

QUICK = ("compare, scorecards", "merge", "diagnose, JSON lines", "diagnose, CSV", "watch")
CARD = Path(__file__).parents[1] / "browser" / "card.json"


@pytest.mark.parametrize("name", QUICK)
def test_no_mutated_input_ends_in_an_internal_error(name: str, tmp_path: Path) -> None:
    (parser,) = (one for one in parsers() if one.name == name)
    row = fuzzed(parser, 40, tmp_path)
    assert row["failures"] == []
    assert row["accepted"] > 0
    assert row["refused"] > 0


def test_the_fuzzer_notices_an_internal_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise TypeError("unhashable")

    monkeypatch.setattr("spikecheck.gate.report_diff.compared", broken)
    failure, code = called(["compare", str(CARD), str(CARD)])
    assert code == 70
    assert "internal error: TypeError: unhashable" in failure


def test_a_scorecard_with_a_row_of_unknown_interval_is_compared() -> None:
    assert any(row["low"] is None for row in json.loads(CARD.read_text(encoding="utf-8"))["rows"])
    assert called(["compare", str(CARD), str(CARD)]) == ("", 0)


@pytest.mark.parametrize("place", [[], "x", 1, None])
def test_a_scorecard_whose_place_is_no_object_is_refused_in_one_line(tmp_path: Path, place: object) -> None:
    card = json.loads(CARD.read_text(encoding="utf-8"))
    card["places"][0] = place
    (tmp_path / "card.json").write_text(json.dumps(card), encoding="utf-8")
    assert called(["compare", str(CARD), str(tmp_path / "card.json")]) == ("", 2)


@pytest.mark.parametrize("text", ["{[]: 1}", "{{}}", "(" * 300, "-" * 3_000 + "1", "(" * 100_000, "9" * 5_000])
def test_a_literal_that_python_cannot_build_is_text(text: str) -> None:
    assert literal(text) == text


def test_an_integer_beyond_every_float_is_no_number(tmp_path: Path) -> None:
    rows = [{"step": 1, "loss": 2.0}, {"step": 2, "loss": 10**400}]
    (tmp_path / "log.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert str(read_columns(tmp_path / "log.jsonl")["loss"].tolist()) == "[2.0, nan]"


@pytest.mark.parametrize("step", [1e300, -1e300, 1e999])
def test_a_step_beyond_every_count_is_no_step(tmp_path: Path, step: float) -> None:
    rows = [*({"step": i, "loss": 2 / (i + 1)} for i in range(30)), {"step": step, "loss": 1.0}]
    (tmp_path / "log.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert called(["diagnose", str(tmp_path / "log.jsonl")]) == ("", 0)


def test_every_input_follows_its_number() -> None:
    (parser,) = (one for one in parsers() if one.name == "watch")
    assert parser.mutated(random.Random("a"), parser.real[0]) == parser.mutated(random.Random("a"), parser.real[0])
