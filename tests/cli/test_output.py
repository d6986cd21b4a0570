"""Files are checked before anything is trained, and written before anything is printed."""

import json
from pathlib import Path

import pytest

from spikecheck.cli.output import _WRITERS, check, report_options, write_reports
from spikecheck.core.errors import UsageError
from spikecheck.core.verdict import Report
from spikecheck.report import json_file
from tests.commands.planted import FAILS, HOLDS, verdict

REPORT = Report(
    passed=True, complete=True, command="spikecheck verify", profile="quick", seed=0, environment={},
    claims=(verdict("slas", "tendency", HOLDS, FAILS),),
)  # fmt: skip
FORMS = {"json": "r.json", "markdown": "r.md", "junit": "r.xml", "ctrf": "c.json", "html": "r.html"}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("CI", "COLUMNS", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


def test_every_option_has_a_writer() -> None:
    assert callable(report_options)
    assert set(_WRITERS) == set(FORMS)


@pytest.mark.parametrize("form", ["json", "junit", "ctrf"])
def test_a_form_that_is_requested_is_written_and_no_other(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    write_reports(REPORT, {**dict.fromkeys(FORMS), form: FORMS[form]}, quiet=True, strict=False)
    assert [file.name for file in Path().iterdir()] == [FORMS[form]]
    assert "slas" in Path(FORMS[form]).read_text(encoding="utf-8")
    assert capsys.readouterr() == ("", "")


def test_json_on_standard_output_sends_the_report_for_people_to_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_reports(REPORT, {"json": "-"}, quiet=False, strict=False)
    told = capsys.readouterr()
    assert json.loads(told.out)["claims"][0]["id"] == "slas" and told.out == json_file.text(REPORT)
    assert "slas" in told.err and "PASSES" in told.err
    write_reports(REPORT, {"json": "-"}, quiet=True, strict=False)
    assert capsys.readouterr() == (told.out, "")


def test_strict_fails_on_edges_where_people_read_it(capsys: pytest.CaptureFixture[str]) -> None:
    write_reports(REPORT, {}, quiet=False, strict=True)
    strict = capsys.readouterr().out
    write_reports(REPORT, {}, quiet=False, strict=False)
    assert strict != capsys.readouterr().out


def test_the_report_is_printed_though_a_file_cannot_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="no/such"):
        write_reports(REPORT, {"json": "no/such/r.json"}, quiet=False, strict=False)
    assert "slas" in capsys.readouterr().out


@pytest.mark.parametrize("form", FORMS)
def test_a_file_that_cannot_be_written_is_refused_before_training(form: str) -> None:
    check({**dict.fromkeys(FORMS), form: FORMS[form]})
    with pytest.raises(UsageError, match=f"^--{form} no/such/file: cannot be written"):
        check({form: "no/such/file"})
    check({"json": "-"})
    assert not list(Path().iterdir())
