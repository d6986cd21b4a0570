"""Two reports side by side: what is said of each claim, whatever decides it."""

from pathlib import Path
from typing import Any

import pytest

from spikecheck.core.errors import BaselineError, UsageError
from spikecheck.core.judgement import Effect, Outcome
from spikecheck.core.reach import Reach
from spikecheck.core.scorecard import Change, Decision, OptimizerSpec, Row, Scorecard, WorkloadPlace
from spikecheck.core.verdict import Report, Verdict
from spikecheck.gate.report_diff import compared
from spikecheck.report import json_file
from tests.commands.planted import FAILS, HOLDS, UNDECIDED, verdict


def written(path: Path, *verdicts: Verdict, **changes: Any) -> Path:
    environment: dict[str, str | int | float] = {}
    report = Report(
        passed=False, command="spikecheck verify", profile="ci", seed=0, environment=environment, claims=verdicts
    )
    json_file.write(report.model_copy(update=changes), path)
    return path


def row(name: str, change: Change, *, where: str = "", alarms: bool = True, low: float | None = -0.25) -> Row:
    return Row(
        name=name, where=where, unit="nats", candidate=1.5, reference=1.0, difference=0.5, low=low, high=1.25,
        margin=0.1, p_worse=0.5, p_better=0.5, pairs=8, change=change, alarms=alarms,
    )  # fmt: skip


def card(path: Path, *rows: Row, place: str = "mine", seeds: int = 8, root: int = 0) -> Path:
    adam = OptimizerSpec(optimizer="adam", lr=0.01)
    json_file.write(
        Scorecard(
            passed=True, decision=Decision.PASSED, command="spikecheck gate", environment={}, candidate=adam,
            reference=adam, against="adam", alpha=0.05, places=(WorkloadPlace(name=place, workload="mlp", steps=20),),
            seeds=seeds, root=root, rows=rows, runs_trained=0, runs_reused=0, seconds=0.0,
        ),
        path,
    )  # fmt: skip
    return path


def averaged(found: Verdict, estimand: str) -> Verdict:
    effect = Effect(unit="ratio", median=0.5, low=0.4, high=0.6, mean=0.52, mean_low=0.43, mean_high=0.61)
    changes: dict[str, Any] = {"effect": effect, "estimand": estimand}
    if estimand != "share":
        changes["required"] = None
    return found.model_copy(update={"reference": found.reference.model_copy(update=changes)})


@pytest.mark.parametrize(
    ("estimand", "said"),
    [
        ("share", "60/64, 86 to 98 %, mean 0.52 (0.43 to 0.61)"),
        ("mean", "mean 0.52 (0.43 to 0.61), 60/64, 86 to 98 %"),
        ("equivalence", "mean 0.52 (0.43 to 0.61), 60/64, 86 to 98 %"),
        ("median", "median 0.5 (0.4 to 0.6), 60/64, 86 to 98 %"),
    ],
)
def test_what_decides_comes_first_and_the_other_with_it(tmp_path: Path, estimand: str, said: str) -> None:
    before = averaged(verdict("slas", "law", HOLDS, HOLDS), estimand)
    after = before.model_copy(update={"replicates": Outcome.FAILS, "passed": False})
    found = compared(written(tmp_path / "a.json", before), written(tmp_path / "b.json", after))
    (line,) = found.lines
    assert line.kind == "regressed"
    assert line.before == f"replicates holds ({said}), generalises holds"
    assert line.after.startswith("replicates FAILS (")


def test_reach_is_told_where_it_was_estimated(tmp_path: Path) -> None:
    reach = Reach(settings=27, of=1_024, seeds=16, holds=19, triggered=24, low=0.578, high=0.929)
    found = verdict("slas", "law", UNDECIDED, FAILS).model_copy(update={"reach": reach})
    path = written(tmp_path / "a.json", found)
    (line,) = compared(path, path).lines
    assert line.kind == "same"
    assert line.before.endswith("generalises FAILS (in 19 of 24 settings)")


def test_a_report_of_before_has_no_mean(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", verdict("slas", "law", HOLDS, HOLDS))
    (line,) = compared(path, path).lines
    assert line.before == "replicates holds (60/64, 86 to 98 %), generalises holds"


@pytest.mark.parametrize("content", ["[" * 100_000, '{"schema": []}', '{"schema": {"a": 1}}', "3", ""])
def test_what_is_no_report_is_one_line(tmp_path: Path, content: str) -> None:
    """Regression: many levels, and a schema that is a list, were internal errors."""
    (tmp_path / "foreign.json").write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match="give (a )?files? (written|that)"):
        compared(tmp_path / "foreign.json", tmp_path / "foreign.json")


def test_compressed_reports_are_compared_as_their_content_is(tmp_path: Path) -> None:
    """Regression: `compare` said of a report.json.gz, which `report` and `recheck` read, that it is not JSON."""
    plain, small = (
        written(tmp_path / name, verdict("slas", "law", HOLDS, HOLDS)) for name in ("report.json", "report.json.gz")
    )
    assert small.read_bytes()[:2] == b"\x1f\x8b"
    assert compared(plain, small).lines == compared(plain, plain).lines


def test_regressions_come_first_then_what_improved_changed_or_stayed(tmp_path: Path) -> None:
    names = ("stays", "changes", "improves", "regresses")
    before = [verdict(name, "law", FAILS if name == "improves" else HOLDS, HOLDS) for name in names]
    after = [
        verdict("stays", "law", HOLDS, HOLDS),
        verdict("changes", "law", HOLDS, UNDECIDED),
        verdict("improves", "law", HOLDS, HOLDS),
        verdict("regresses", "law", FAILS, HOLDS),
    ]
    old, new = written(tmp_path / "a.json", *before), written(tmp_path / "b.json", *after)
    found = compared(old, new)
    assert (found.before, found.after) == (str(old), str(new))
    assert [(line.name, line.kind) for line in found.lines] == [
        ("regresses", "regressed"),
        ("improves", "improved"),
        ("changes", "changed"),
        ("stays", "same"),
    ]


def test_claims_of_one_report_only_are_named_with_the_report_that_has_them(tmp_path: Path) -> None:
    both = written(tmp_path / "both.json", *(verdict(name, "law", HOLDS, HOLDS) for name in ("slas", "b", "a")))
    one = written(tmp_path / "one.json", verdict("slas", "law", HOLDS, HOLDS))
    said = f"claim a, b: is in {both} and not in {one}; make both from the same selection"
    for pair in ((both, one), (one, both)):
        with pytest.raises(BaselineError, match=f"^{said}$"):
            compared(*pair)


def test_reports_that_cannot_be_compared_are_named(tmp_path: Path) -> None:
    whole = written(tmp_path / "whole.json", verdict("slas", "law", HOLDS, HOLDS))
    stopped = written(tmp_path / "stopped.json", verdict("slas", "law", HOLDS, HOLDS), complete=False)
    lost = written(tmp_path / "lost.json", verdict("slas", "law", HOLDS, HOLDS), complete=False, stored=False)
    full = written(tmp_path / "full.json", verdict("slas", "law", HOLDS, HOLDS), profile="full")
    other = verdict("slas", "law", HOLDS, HOLDS).model_copy(update={"specification": "1"})
    edited = written(tmp_path / "edited.json", other)
    gated = card(tmp_path / "card.json", row("loss", Change.SAME))
    kinds = "one is a report and the other a scorecard"
    for old, new, said in (
        (stopped, whole, f"^{stopped}: was stopped early; run its command again, which reuses its finished runs$"),
        (whole, stopped, f"^{stopped}: was stopped early"),
        (whole, lost, f"^{lost}: was stopped early; make it again$"),
        (whole, full, f"^{whole} has profile ci, {full} has full; compare two of the same profile$"),
        (whole, edited, f"^slas: its specification is 0 in {whole} and 1 in {edited}, .*; make {whole} again$"),
        (whole, gated, f"^{whole}, {gated}: {kinds}; compare two of the same kind$"),
        (gated, whole, f"^{gated}, {whole}: {kinds}; compare two of the same kind$"),
    ):
        with pytest.raises(BaselineError, match=said):
            compared(old, new)


@pytest.mark.parametrize(
    ("was", "now", "alarms", "kind"),
    [
        (Change.WORSE, Change.WORSE, True, "same"),
        (Change.SAME, Change.WORSE, True, "regressed"),
        (Change.WORSE, Change.UNDECIDED, True, "improved"),
        (Change.SAME, Change.BETTER, True, "changed"),
        (Change.SAME, Change.WORSE, False, "changed"),
        (Change.WORSE, Change.SAME, False, "changed"),
    ],
)
def test_a_row_regresses_where_it_is_worse_and_was_not(
    tmp_path: Path, was: Change, now: Change, kind: str, *, alarms: bool
) -> None:
    old = card(tmp_path / "a.json", row("loss", was, where="deep", alarms=alarms))
    new = card(tmp_path / "b.json", row("loss", now, where="deep", alarms=alarms))
    (line,) = compared(old, new).lines
    assert (line.name, line.kind) == ("loss in deep", kind)
    assert (line.before, line.after) == (f"{was}, +0.5 (-0.25 to +1.25)", f"{now}, +0.5 (-0.25 to +1.25)")


def test_a_row_without_a_bound_has_no_interval(tmp_path: Path) -> None:
    path = card(tmp_path / "a.json", row("loss", Change.UNDECIDED, low=None))
    assert [line.before for line in compared(path, path).lines] == ["undecided, +0.5"]


def test_scorecards_of_other_settings_seeds_or_rows_are_not_compared(tmp_path: Path) -> None:
    one = card(tmp_path / "one.json", row("loss", Change.SAME))
    more = card(tmp_path / "more.json", row("loss", Change.SAME), row("time", Change.SAME))
    others: list[dict[str, Any]] = [{"place": "other"}, {"seeds": 4}, {"root": 1}]
    for number, changes in enumerate(others):
        other = card(tmp_path / f"{number}.json", row("loss", Change.SAME), **changes)
        with pytest.raises(
            BaselineError, match=f"^{one}, {other}: have different settings or seeds; make {one} again$"
        ):
            compared(one, other)
    for pair in ((one, more), (more, one)):
        with pytest.raises(BaselineError, match=f"^row time: is in {more} and not in {one}"):
            compared(*pair)


def test_an_average_without_a_bound_is_told_alone(tmp_path: Path) -> None:
    for low, high in ((None, 0.61), (0.43, None), (None, None)):
        found = averaged(verdict("slas", "law", HOLDS, HOLDS), "mean")
        effect = found.reference.effect.model_copy(update={"mean_low": low, "mean_high": high})
        reference = found.reference.model_copy(update={"effect": effect})
        path = written(tmp_path / "a.json", found.model_copy(update={"reference": reference}))
        (line,) = compared(path, path).lines
        assert line.before == "replicates holds (mean 0.52, 60/64, 86 to 98 %), generalises holds"


def test_what_cannot_be_read_is_named_with_the_reason(tmp_path: Path) -> None:
    absent, wrong, damaged, short = (
        tmp_path / name for name in ("absent", "wrong.json", "report.json.gz", "short.json")
    )
    raw = written(wrong, verdict("slas", "law", HOLDS, HOLDS)).read_text()
    wrong.write_text(raw.replace('"held": 60', '"held": 65', 1))
    short.write_text('{"schema": "spikecheck/report@1"}')
    damaged.write_bytes(b"\x1f\x8bno gzip")
    lone = tmp_path / "lone.json"  # a text that Python's reader of JSON takes, and pydantic's does not
    lone.write_text('{"schema": "spikecheck/report@1", "command": "\\ud800"}')
    for path, said in (
        (absent, f"^{absent}: cannot be read: No such file or directory; give a file written by --json$"),
        (wrong, f"^{wrong}: is not a valid spikecheck/report@1: .*held: is 65, more than applicable, 64$"),
        (short, f"^{short}: is not a valid spikecheck/report@1: .*field required$"),
        (lone, f"^{lone}: is not a valid spikecheck/report@1: Invalid JSON: "),
        (damaged, f"^{damaged}: "),
    ):
        with pytest.raises(UsageError, match=said):
            compared(path, path)
