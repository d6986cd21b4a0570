"""Parts of one verification are merged to the whole, and to nothing else."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.errors import BaselineError, UnknownName
from spikecheck.core.judgement import Outcome
from spikecheck.core.verdict import Report
from spikecheck.report.merged import merged, of_claims
from tests.report.conftest import planted_report, planted_verdict

Make = Callable[..., Any]
NAMES = ["adam-threshold", "condensation", "slas", "spikes-come"]


def parts(*shards: tuple[str, list[str]], **changes: object) -> dict[Path, Report]:
    return {
        Path(f"part-{number}.json"): planted_report(
            *(planted_verdict(id=name) for name in names), shard=shard, **changes
        )
        for number, (shard, names) in enumerate(shards)
    }


@given(st.permutations(NAMES), st.integers(1, 4), st.permutations(range(4)))
def test_however_the_claims_were_divided_the_whole_is_the_same(names: list[str], total: int, order: list[int]) -> None:
    shards = [(f"{part + 1}/{total}", names[part::total]) for part in order if part < total]
    whole = merged(parts(*shards), "spikecheck merge", strict=False)
    assert [verdict.id for verdict in whole.claims] == NAMES
    assert (whole.shard, whole.passed, whole.complete, whole.command) == ("", True, True, "spikecheck merge")


def test_what_any_part_lacks_the_whole_lacks() -> None:
    both = parts(("1/2", ["slas"]), ("2/2", ["condensation"]))
    first, second = both
    both[first] = both[first].model_copy(update={"complete": False, "stored": False, "unreadable": {"a.py": "raised"}})
    both[second] = both[second].model_copy(update={"unreadable": {"b.py": "empty"}, "left_out": {"x": "adam only"}})
    whole = merged(both, "", strict=False)
    assert (whole.complete, whole.stored, whole.passed) == (False, False, False)
    assert (whole.unreadable, whole.left_out) == ({"a.py": "raised", "b.py": "empty"}, {"x": "adam only"})


def test_an_edge_fails_the_whole_only_where_it_is_strict() -> None:
    edge = planted_report(planted_verdict(Outcome.HOLDS, Outcome.FAILS), shard="1/1")
    assert merged({Path("a.json"): edge}, "", strict=False).passed
    assert not merged({Path("a.json"): edge}, "", strict=True).passed


@pytest.mark.parametrize(
    ("reports", "said"),
    [
        (parts(("", ["slas"])), "is a whole report and no part"),
        (parts(("1/2", ["slas"]), ("1/2", ["condensation"])), "is part 1/2, as part-0.json is; give every part once"),
        (parts(("1/2", ["slas"]), ("2/3", ["condensation"])), "parts 1/2, 2/3: are of different divisions"),
        (parts(("2/3", ["slas"])), "parts 1/3, 3/3: are missing; give all 3 files"),
        (parts(("1/2", ["slas"]), ("2/2", ["slas"])), "has slas, as part-0.json has"),
        (
            {**parts(("1/2", ["slas"])), Path("other.json"): planted_report(shard="2/2", profile="full")},
            "has profile full, part-0.json has quick",
        ),
        ({**parts(("1/2", ["slas"])), Path("other.json"): planted_report(shard="2/2", seed=7)}, "has seed 7"),
    ],
)
def test_what_is_no_division_of_one_verification_is_refused(reports: dict[Path, Report], said: str) -> None:
    with pytest.raises(BaselineError) as refused:
        merged(reports, "", strict=False)
    assert said in str(refused.value)


def test_claims_are_chosen_by_patterns_and_the_rest_decides_nothing(report: Make, verdict: Make) -> None:
    whole = report(verdict(id="slas"), verdict(Outcome.FAILS, id="condensation"), verdict(id="condensation-dose"))
    assert of_claims(whole, []) is whole
    some = of_claims(whole, ["condensation*"])
    assert [one.id for one in some.claims] == ["condensation", "condensation-dose"]
    assert not some.passed
    assert of_claims(whole, ["slas", "condensation-*"]).passed
    with pytest.raises(UnknownName, match="no claim of this report is called 'slsa'; did you mean: slas"):
        of_claims(whole, ["condensation", "slsa"])
