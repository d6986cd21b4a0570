"""Commands about files that were written before, and files that cannot be."""

import json
from pathlib import Path
from typing import Any

import pytest

from spikecheck.core.verdict import Report
from spikecheck.report import json_file
from tests.command_line import ONE, called, told
from tests.commands.planted import FAILS, HOLDS, TWO, verdict

OLD = Path(__file__).parents[1] / "report" / "report_before_answers.json"


def test_an_old_report_is_rendered_in_every_form_and_leaves_as_verify_did(
    spikecheck: Any, answers: Any, capsys: Any
) -> None:
    answers((HOLDS, HOLDS), (FAILS, FAILS))
    forms = {"html": "a.html", "junit": "a.xml", "ctrf": "a.ctrf.json", "markdown": "a.md"}
    asked = [word for form, file in forms.items() for word in (f"--{form}", file)]
    code = spikecheck(*TWO, "--json", "report.json", *asked)
    first = {file: Path(file).read_bytes() for file in forms.values()}
    shown = capsys.readouterr().out
    assert spikecheck("report", "report.json", *asked) == code == 1
    assert {file: Path(file).read_bytes() for file in forms.values()} == first
    assert capsys.readouterr().out == shown
    assert spikecheck("report", "report.json", "--quiet") == 1
    assert capsys.readouterr().out == ""


def test_a_report_from_before_answers_had_controls_is_shown_rechecked_and_compared(
    spikecheck: Any, capsys: Any
) -> None:
    forms = {"html": "a.html", "junit": "a.xml", "ctrf": "a.ctrf.json", "markdown": "a.md"}
    asked = [word for form, file in forms.items() for word in (f"--{form}", file)]
    assert spikecheck("report", str(OLD), *asked) == 1
    assert all(Path(file).stat().st_size for file in forms.values())
    assert spikecheck("recheck", str(OLD)) == 0
    assert spikecheck("compare", str(OLD), str(OLD)) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("report", "nowhere.json"), "nowhere.json: cannot be read"),
        (("recheck", "nowhere.json"), "nowhere.json: cannot be read"),
        (("merge", "nowhere.json"), "nowhere.json: cannot be read"),
        (("report", "report.json", "--html", "nowhere/a.html"), "--html nowhere/a.html: cannot be written"),
        (("verify", "--junit", "nowhere/a.xml"), "--junit nowhere/a.xml: cannot be written"),
        (("show", "--figure", "a.jpg"), "--figure a.jpg: give FILE.png or FILE.svg"),
        (("show", "condensatoin"), "condensatoin"),
        (("show", "--set", "lr=0.1"), "--set lr=0.1: belongs to an optimizer; give --optimizer"),
        (("show", "--optimizer", "adam"), "--optimizer adam: has no learning rate; add --set lr=0.01"),
    ],
)
def test_what_cannot_be_written_or_read_is_one_line(
    spikecheck: Any, answers: Any, capsys: Any, words: tuple[str, ...], said: str
) -> None:
    answers((HOLDS, HOLDS))
    Path("report.json").write_text(json_file.text(_written()), encoding="utf-8")
    assert spikecheck(*words) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1


def _written() -> Report:
    return Report(
        passed=True,
        command="spikecheck verify",
        profile="quick",
        seed=0,
        environment={},
        claims=(verdict("slas", "law", HOLDS, HOLDS),),
    )


def test_two_scorecards_are_compared(tmp_path: Path) -> None:
    line = ("--optimizer", "torch.optim:SGD", "--set", "lr=0.1", "--against", "gd")
    told(tmp_path, *line, *ONE, "--rows", "final loss, best loss, diverged, spiking", "--json", "one.json")
    same = called(tmp_path, "compare", "one.json", "one.json")
    assert same.returncode == 0, same.stderr
    assert "unchanged" in same.stdout
    card = json.loads((tmp_path / "one.json").read_text(encoding="utf-8"))
    card["rows"][0]["change"] = "worse"
    (tmp_path / "two.json").write_text(json.dumps(card), encoding="utf-8")
    worse = called(tmp_path, "compare", "one.json", "two.json")
    assert worse.returncode == 1
    assert "regressed" in worse.stdout
    del card["rows"][1]
    (tmp_path / "two.json").write_text(json.dumps(card), encoding="utf-8")
    missing = called(tmp_path, "compare", "one.json", "two.json")
    assert missing.returncode == 4
    assert "is in one.json and not in two.json" in missing.stderr
    assert called(tmp_path, "compare", "one.json", "nowhere.json").returncode == 2


def test_a_part_that_is_named_twice_is_refused(spikecheck: Any, capsys: Any) -> None:
    """Regression: it was accepted, as one part."""
    for part in (1, 2):
        report = _written().model_copy(update={"shard": f"{part}/2"})
        Path(f"p{part}.json").write_text(json_file.text(report), encoding="utf-8")
    assert spikecheck("merge", "p1.json", "p2.json", "./p1.json") == 4
    assert capsys.readouterr().err == "error: p1.json: is given twice; give every part once\n"
