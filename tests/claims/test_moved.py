"""A claim recorded as moved gives the same scores as before, to a relative 1e-6, and has the recorded specification."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from spikecheck.harness.claim import Claim
from spikecheck.harness.discover import BUILT_IN, read
from studies.register_git import History, NoHistory
from tests.claims.behaviour import behaviour

ROOT = Path(__file__).parents[2]
OLD = "04eaaec07fee104c1e452a183cc0dffe86b84d6d"
"""The commit whose claims `before_the_move.json` was made of."""
BEFORE: dict[str, Any] = json.loads((Path(__file__).parent / "before_the_move.json").read_text(encoding="utf-8"))
RECORDED = tomllib.loads((BUILT_IN / "moved.toml").read_text(encoding="utf-8"))["moved"]
LAST = {move["claim"]: move for move in RECORDED}


def claim_of(name: str, folder: Path = BUILT_IN) -> Claim:
    return read(folder / f"{name.replace('-', '_')}.py")


def close(one: Any, other: Any) -> bool:
    """Whether two answers are the same word, or the same number but for rounding."""
    try:
        return bool(float(one) == pytest.approx(float(other), rel=1e-6, abs=1e-9, nan_ok=True))
    except ValueError:
        return bool(one == other)


def assert_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one["recipes"] == other["recipes"]
    assert list(one["scores"]) == list(other["scores"])
    for name, rows in one["scores"].items():
        for row, before in zip(rows, other["scores"][name], strict=True):
            assert all(close(*pair) for pair in zip(row, before, strict=True)), (name, row, before)


@pytest.mark.parametrize("name", BEFORE)
def test_it_computes_what_it_did_before(name: str) -> None:
    """If a claim is changed on purpose later, remove its numbers from before_the_move.json and keep its record."""
    assert claim_of(name).specification == LAST[name]["after"]
    assert_same(behaviour(claim_of(name)), BEFORE[name])


def test_every_record_that_still_holds_has_numbers() -> None:
    standing = {name for name, move in LAST.items() if claim_of(name).specification == move["after"]}
    assert standing == set(BEFORE)


def test_records_are_told_apart_and_change_something() -> None:
    assert len({(move["claim"], move["before"]) for move in RECORDED}) == len(RECORDED)
    assert all(move["before"] != move["after"] for move in RECORDED)


def test_the_numbers_are_those_of_the_old_text(tmp_path: Path) -> None:
    """Against the old claim files themselves, which only a full clone has; elsewhere, that their numbers are there."""
    names = ("condensation", "slas", "momentum-threshold")
    paths = [f"claims/{name.replace('-', '_')}.py" for name in names]
    try:
        texts = History.of(ROOT).texts((OLD, path) for path in paths)
    except NoHistory:
        assert set(names) <= set(BEFORE)
        return
    for name, path in zip(names, paths, strict=True):
        (tmp_path / Path(path).name).write_text(texts[OLD, path], encoding="utf-8")
        old = claim_of(name, tmp_path)
        assert old.specification == LAST[name]["before"]
        assert_same(behaviour(old), BEFORE[name])


def test_a_difference_is_seen() -> None:
    """The negative control of the comparison: another recipe digest, another score, and other names must each be noticed."""
    before = BEFORE["slas"]
    rows = before["scores"]["claim"]
    others: list[dict[str, Any]] = [
        {**before, "recipes": "0" * 16},
        {**before, "scores": {**before["scores"], "claim": [[rows[0][0], "0.5"], *rows[1:]]}},
        {**before, "scores": {f"{name}.": rows for name, rows in before["scores"].items()}},
    ]
    for other in others:
        with pytest.raises(AssertionError):
            assert_same(other, before)
