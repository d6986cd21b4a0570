"""Reports as text: fit, honest words, inert strings."""

import io
import json

import jsonschema  # type: ignore[import-untyped]
import pytest
from rich.console import Console

from spikecheck.core.errors import UsageError
from spikecheck.core.judgement import Effect, Judgement, Outcome
from spikecheck.core.setting import Setting
from spikecheck.core.verdict import Counterexample, Report, Trace, Verdict, exit_code
from spikecheck.report import json_file
from spikecheck.report.picture import picture
from spikecheck.report.terminal import render

HOSTILE = "\x1b[31mred\x1b[0m [bold]not bold[/bold] <script>alert(1)</script> \x07\u202e end"


def judgement(outcome: Outcome = Outcome.HOLDS, held: int = 60, setting: Setting | None = None) -> Judgement:
    return Judgement(
        setting=setting or Setting(),
        outcome=outcome,
        drawn=64,
        applicable=62,
        held=held,
        low=0.9,
        high=0.99,
        required=0.8,
        level=0.95,
        effect=Effect(unit="gain of mean |cos|", median=0.04, low=0.02, high=0.05),
        seeds=(1, 2),
        scores=(0.04, None),
    )


def verdict(
    replicates: Outcome = Outcome.HOLDS,
    generalises: Outcome = Outcome.HOLDS,
    kind: str = "tendency",
    says: str = "spikes condense",
    name: str = "condensation",
) -> Verdict:
    edge = Setting(lr=0.05, width=50)
    sighting = Counterexample(
        setting=edge,
        differs={"lr": 0.05, "width": 50},
        judgement=judgement(Outcome.FAILS, 20, edge),
        replay="spikecheck replay condensation --at lr=0.05 --at width=50 --seed 0 --seeds 64 --at target='sin x + sin 4x'",
    )
    return Verdict(
        id=name,
        kind=kind,
        says=says,
        where="arXiv 2305.12133v1, abstract",
        rule="gain of mean |cos| > 0 in at least 80 % of the seeds (exact binomial, each bound at 95 %)",
        replicates=replicates,
        generalises=generalises,
        passed=replicates is Outcome.HOLDS and not (kind == "law" and generalises is Outcome.FAILS),
        reference=judgement(replicates),
        control=judgement(Outcome.FAILS, 17),
        control_says="two calm twins, at 1/4 and at 1/8 of the learning rate: neither goes through the spike",
        weakest=judgement(generalises, 50, edge),
        counterexample=sighting if generalises is Outcome.FAILS else None,
        settings_tried=7,
        settings_triggered=5,
        numerical_failures=3,
        runs_trained=400,
        runs_reused=20,
        seconds=61.2,
        definitions={"spike": "a spike"},
        specification="0123456789abcdef",
        typical=trace(),
    )


def trace() -> Trace:
    steps = tuple(range(0, 1000, 5))
    return Trace(
        seed=1,
        steps=steps,
        loss=tuple(0.1 + (9.0 if 400 < s < 420 else 0.0) for s in steps),
        sharpness_steps=steps[::10],
        sharpness=tuple(15 + s / 100 for s in steps[::10]),
        threshold=20.0,
        lr=0.1,
        onset=401,
        peak=410,
        recovery=420,
    )


def report(*verdicts: Verdict) -> Report:
    return Report(
        passed=all(v.passed for v in verdicts),
        command="spikecheck verify",
        profile="quick",
        seed=0,
        environment={"torch": "2.13.0", "threads": 2},
        claims=verdicts,
    )


def rendered(found: Report, width: int = 80, **console: object) -> str:
    out = io.TextIOWrapper(io.BytesIO(), encoding=str(console.pop("encoding", "utf-8")))
    render(found, Console(file=out, width=width, **console))  # type: ignore[arg-type]
    out.flush()
    return out.buffer.getvalue().decode(out.encoding)


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("outcome", list(Outcome))
def test_nothing_but_the_replay_line_is_wider_than_the_terminal(width: int, outcome: Outcome) -> None:
    for found in (report(verdict(outcome, Outcome.FAILS)), report(verdict(outcome), verdict(name="slas"))):
        lines = rendered(found, width).splitlines()
        assert all(len(line) <= width for line in lines if not line.startswith("spikecheck replay"))


@pytest.mark.parametrize("width", [80, 100])
def test_the_table_of_claims_folds_no_name_and_cuts_no_word(width: int) -> None:
    names = ["slas-as-progressive-sharpening", "slas"]
    claims = tuple(verdict(Outcome.UNTRIGGERED, Outcome.UNTRIGGERED, name=name) for name in names)
    rows = rendered(report(*claims), width).split("All claims")[1].splitlines()
    assert [row.split()[0] for row in rows if "UNTRIGGERED" in row] == names
    assert all(row.split()[-1] == "UNTRIGGERED" for row in rows if "UNTRIGGERED" in row)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_the_answer_is_a_word_not_only_a_colour(outcome: Outcome) -> None:
    text = rendered(report(verdict(outcome)))
    assert outcome.upper() in text
    assert "\x1b" not in text


def test_the_replay_line_is_whole() -> None:
    found = verdict(generalises=Outcome.FAILS)
    assert found.counterexample is not None
    assert found.counterexample.replay in rendered(report(found)).splitlines()


def test_a_control_that_held_is_told_loudly() -> None:
    found = verdict(Outcome.INVALID).model_copy(update={"control": judgement(Outcome.HOLDS)})
    assert "HELD, which it must not" in rendered(report(found))


def test_a_users_strings_come_out_inert() -> None:
    text = rendered(report(verdict(says=HOSTILE)), force_terminal=True, color_system=None)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "\u202e" not in text
    assert "[bold]not bold[/bold]" in text


def test_an_ascii_stream_gets_ascii() -> None:
    assert rendered(report(verdict(generalises=Outcome.FAILS)), encoding="ascii").isascii()


@pytest.mark.parametrize("ascii_only", [True, False])
def test_the_picture_marks_the_spike(ascii_only: bool) -> None:
    lines = picture(trace(), 80, ascii_only)
    assert all(len(line) <= 80 for line in lines)
    assert "onset 401, p peak 410, r recovery 420" in lines[-1]
    assert lines[0].isascii() if ascii_only else True


def test_the_json_fits_the_shipped_schema_and_comes_back() -> None:
    found = report(verdict(generalises=Outcome.FAILS), verdict(Outcome.INVALID))
    parsed = json.loads(json_file.text(found))
    jsonschema.validate(parsed, json_file.schema())
    assert parsed["schema"] == "spikecheck/report@1"
    assert {"id", "kind", "replicates", "generalises", "reference", "control", "counterexample", "settings_tried",
"numerical_failures", "runs_trained", "runs_reused", "seconds", "definitions"} <= set(parsed["claims"][0])  # fmt: skip
    assert {"setting", "drawn", "applicable", "held", "low", "high", "required", "level", "effect"} <= set(
        parsed["claims"][0]["reference"]
    )
    assert Report.model_validate(parsed) == found


def test_the_shipped_schema_is_the_models() -> None:
    from importlib.resources import files

    assert files("spikecheck.report").joinpath("schema.json").read_text() == json_file.schema_text()


def test_a_file_that_is_no_report_is_an_error_of_one_line(tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "x.json").write_text('{"schema": "other"}')
    with pytest.raises(UsageError, match="is no spikecheck/report@1"):
        json_file.read(tmp_path / "x.json")
    with pytest.raises(UsageError, match="cannot be read"):
        json_file.read(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ([verdict()], 0),
        ([verdict(generalises=Outcome.FAILS)], 0),
        ([verdict(generalises=Outcome.FAILS, kind="law")], 1),
        ([verdict(Outcome.FAILS), verdict(Outcome.INVALID)], 1),
        ([verdict(), verdict(Outcome.UNDECIDED)], 3),
        ([verdict(Outcome.UNTRIGGERED)], 3),
        ([verdict(Outcome.INVALID, Outcome.INVALID)], 3),
    ],
)
def test_exit_codes(verdicts: list[Verdict], code: int) -> None:
    assert exit_code(report(*verdicts)) == code
