"""Reports as files: whole or not at all, readable by whom they should be, and refused in one line."""

import gzip
import json
import os
import threading
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from spikecheck.core.errors import BaselineError, UsageError
from spikecheck.core.judgement import Outcome
from spikecheck.core.scope import Axis
from spikecheck.core.verdict import Report
from spikecheck.core.why import Answer
from spikecheck.report import json_file
from tests.report.planted_why import FORMS

Make = Callable[..., Any]


@pytest.fixture
def sample(report: Make, verdict: Make) -> Report:
    found: Report = report(verdict(generalises=Outcome.FAILS), verdict(Outcome.INVALID, weakest=None, typical=None))
    return found


def test_what_is_written_is_read_again_and_fits_the_schema(tmp_path: Path, sample: Report) -> None:
    json_file.write(sample, tmp_path / "report.json")
    assert json_file.read(tmp_path / "report.json") == sample
    jsonschema.Draft202012Validator.check_schema(json_file.schema())
    jsonschema.validate(json.loads((tmp_path / "report.json").read_text()), json_file.schema())
    assert [file.name for file in tmp_path.iterdir()] == ["report.json"]


def test_a_name_in_gz_is_compressed_and_read_like_any_other(tmp_path: Path, sample: Report) -> None:
    json_file.write(sample, tmp_path / "report.json.gz")
    assert gzip.decompress((tmp_path / "report.json.gz").read_bytes()).decode() == json_file.text(sample)
    assert json_file.read((tmp_path / "report.json.gz").rename(tmp_path / "renamed.json")) == sample


def test_a_report_that_does_not_say_how_its_claims_were_asked_is_read(tmp_path: Path, sample: Report) -> None:
    parsed = json.loads(json_file.text(sample))
    for claim in parsed["claims"]:
        del claim["claims_path"], claim["asked_with"]
    (tmp_path / "old.json").write_text(json.dumps(parsed))
    assert json_file.read(tmp_path / "old.json") == sample


def test_the_schema_refuses_what_is_no_outcome(sample: Report) -> None:
    parsed = json.loads(json_file.text(sample))
    parsed["claims"][0]["replicates"] = "perhaps"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(parsed, json_file.schema())


def test_the_file_is_readable_by_whom_the_umask_lets_read(tmp_path: Path, sample: Report) -> None:
    before = os.umask(0o022)
    try:
        json_file.write(sample, tmp_path / "report.json")
    finally:
        os.umask(before)
    assert (tmp_path / "report.json").stat().st_mode & 0o777 == 0o644


def test_a_failure_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, sample: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "report.json").write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(UsageError, match="No space left on device"):
        json_file.write(sample, tmp_path / "report.json")
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"report.json": "old"}


def test_a_link_stays_a_link(tmp_path: Path, sample: Report) -> None:
    (tmp_path / "link.json").symlink_to(tmp_path / "report.json")
    json_file.write(sample, tmp_path / "link.json")
    assert (tmp_path / "link.json").is_symlink()
    assert json_file.read(tmp_path / "report.json") == sample


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path, sample: Report) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    json_file.check(pipe)
    json_file.write(sample, pipe)
    reader.join(timeout=10)
    assert read == [json_file.text(sample)]
    assert pipe.is_fifo()


def test_what_cannot_be_written_is_refused_beforehand(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "no" / "report.json"):
        with pytest.raises(UsageError, match="cannot be written; give a file"):
            json_file.check(path)
    json_file.check(tmp_path / "report.json")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"not json", "Invalid JSON"),
        (b"[]", "is no spikecheck/report@1"),
        (b'{"schema": "other"}', "is no spikecheck/report@1"),
        (b"\xff\xfe", "is not a text file"),
        (None, "cannot be read: No such file"),
    ],
)
def test_what_is_no_report_is_refused_in_one_line(tmp_path: Path, content: bytes | None, told: str) -> None:
    if content is not None:
        (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(UsageError) as refused:
        json_file.read(tmp_path / "x.json")
    assert told in str(refused.value)
    assert str(refused.value).endswith("; give a file that --json has written")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [b"[]", b"\xff\xfe", b'{"schema": "spikecheck/baseline@1"', b"", None])
def test_what_is_no_baseline_has_one_remedy_that_loses_no_file(tmp_path: Path, content: bytes | None) -> None:
    """Regression: for a folder in place of a baseline the remedy was a file of --json, and then another one."""
    path = tmp_path / "base.json"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(BaselineError) as refused:
        json_file.read_baseline(path)
    written = f"; write one: spikecheck gate --update-baseline --baseline {path} --reason TEXT"
    may_be_lost = content is not None and (not content or b"baseline" in content)
    assert str(refused.value).endswith(written if may_be_lost else "; name a file that --update-baseline has written")
    assert "--json" not in str(refused.value)


def test_a_map_is_read_as_it_was_written(tmp_path: Path, scope: Make, scope_map: Make) -> None:
    values = Axis(name="gradient_noise", values=(0.0, 1e-6, 1.0))
    found = scope_map(scope(), scope(values, Axis(name="dtype", values=("float64", "float32"))))
    json_file.write(found, tmp_path / "map.json")
    again = json_file.read_map(tmp_path / "map.json")
    assert again == found
    assert [type(value) for value in again.scopes[1].x.values] == [float] * 3
    assert json.loads((tmp_path / "map.json").read_text())["schema"] == "spikecheck/map@1"


def test_a_map_with_a_hole_and_a_report_are_no_maps(tmp_path: Path, sample: Report, scope_map: Make) -> None:
    holed = json.loads(json_file.text(scope_map()))
    del holed["scopes"][0]["cells"][0]
    for content, told in (
        (json.dumps(holed), "give 3 x 2, one for each cell"),
        (json_file.text(sample), "is no spikecheck/map@1"),
    ):
        (tmp_path / "x.json").write_text(content)
        with pytest.raises(UsageError, match=told):
            json_file.read_map(tmp_path / "x.json")


def test_a_report_with_maps_fits_the_schema(report: Make, verdict: Make, scope: Make) -> None:
    found = report(verdict(scopes=(scope(),)))
    jsonschema.validate(json.loads(json_file.text(found)), json_file.schema())
    assert Report.model_validate_json(json_file.text(found)) == found


@pytest.mark.parametrize("found", FORMS)
def test_an_answer_to_why_a_loss_spiked_is_read_again(found: Answer) -> None:
    assert Answer.model_validate_json(json_file.text(found)) == found


def test_the_schema_of_such_answers_is_the_one_that_ships() -> None:
    assert files("spikecheck.report").joinpath("why.schema.json").read_text() == json_file.why_schema_text()


@pytest.mark.parametrize(
    ("content", "may"),
    [
        (None, True),
        (b"", True),
        (b'{\n "schema": "spikecheck/baseline@1",\n "reason"', True),
        (b'{"schema": "spikecheck/report@1"}', False),
        (b"# spikecheck/baseline@1\n", False),
    ],
)
def test_a_baseline_replaces_nothing_but_a_baseline(content: bytes | None, may: bool, tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    if content is not None:
        path.write_bytes(content)
    assert json_file.may_be_replaced(path) == may
    assert not json_file.may_be_replaced(tmp_path)


def test_the_command_for_a_missing_baseline_can_be_pasted() -> None:
    with pytest.raises(BaselineError) as refused:
        json_file.read_baseline(Path("my folder/b.json"))
    assert "spikecheck gate --update-baseline --baseline 'my folder/b.json' --reason TEXT" in str(refused.value)
