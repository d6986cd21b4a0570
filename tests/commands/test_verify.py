"""The commands with a planted harness: what is printed where, what is written, and the code they leave with."""

import io
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from spikecheck.cli.console import console
from spikecheck.core.errors import BudgetSpent, Interrupted, UsageError
from spikecheck.core.judgement import Judgement, Outcome
from spikecheck.core.setting import Setting
from spikecheck.report import json_file
from tests.commands.planted import FAILS, HOLDS, INVALID, ONE, TWO, UNDECIDED, Lab, judgement


@pytest.mark.parametrize(
    ("kind", "outcomes", "options", "code"),
    [
        ("law", (HOLDS, HOLDS), (), 0),
        ("law", (HOLDS, FAILS), (), 1),
        ("tendency", (HOLDS, FAILS), (), 0),
        ("tendency", (HOLDS, FAILS), ("--strict",), 1),
        ("tendency", (HOLDS, UNDECIDED), ("--strict",), 0),
        ("tendency", (FAILS, HOLDS), (), 1),
        ("tendency", (UNDECIDED, HOLDS), (), 3),
        ("tendency", (INVALID, INVALID), (), 3),
    ],
)
def test_the_code_is_0_exactly_when_the_report_passed(
    spikecheck: Any, answers: Any, kind: str, outcomes: tuple[Outcome, Outcome], options: tuple[str, ...], code: int
) -> None:
    answers(outcomes, kind=kind)
    assert spikecheck(*ONE, *options, "--json", "report.json") == code
    assert json_file.read(Path("report.json")).passed is (code == 0)


def test_one_failure_decides_over_one_that_stays_open(spikecheck: Any, answers: Any) -> None:
    answers((UNDECIDED, UNDECIDED), (FAILS, FAILS))
    assert spikecheck(*TWO) == 1


@pytest.mark.parametrize(
    ("stop", "code"), [(KeyboardInterrupt(), 130), (Interrupted("Ctrl-C"), 130), (BudgetSpent("spent"), 3)]
)
def test_stopped_early_the_report_is_partial_and_keeps_what_was_found(
    spikecheck: Any, answers: Any, capsys: Any, stop: BaseException, code: int
) -> None:
    asked = answers((HOLDS, HOLDS), stop, (HOLDS, HOLDS))
    assert spikecheck("verify", "--claim", "*", "--json", "report.json") == code
    found = json_file.read(Path("report.json"))
    assert len(asked) == 2
    assert (found.complete, found.passed, found.claims[0].replicates) == (False, False, HOLDS)
    assert "Stopped early" in capsys.readouterr().out


def test_json_to_standard_output_is_alone_there(spikecheck: Any, answers: Any, capsys: Any) -> None:
    answers((HOLDS, HOLDS))
    assert spikecheck(*ONE, "--json", "-") == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["claims"][0]["id"] == "condensation"
    assert "Does it replicate?" in err


def test_quiet_says_nothing(spikecheck: Any, answers: Any, capsys: Any) -> None:
    answers((FAILS, FAILS))
    assert spikecheck(*ONE, "--quiet") == 1
    assert capsys.readouterr() == ("", "")


def test_the_report_is_data_and_the_progress_is_not(spikecheck: Any, answers: Any, capsys: Any) -> None:
    answers((HOLDS, HOLDS))
    spikecheck(*ONE)
    out, err = capsys.readouterr()
    assert out.startswith("condensation  replicates ✓ HOLDS")
    assert err == ""


def test_a_report_that_could_never_be_written_is_refused_before_anything_is_trained(
    spikecheck: Any, answers: Any, capsys: Any
) -> None:
    asked = answers((HOLDS, HOLDS))
    assert spikecheck(*ONE, "--json", "no/such/folder.json") == 2
    assert asked == []
    assert "cannot be written; give a file" in capsys.readouterr().err


def test_a_report_that_cannot_be_written_after_all_is_still_shown(
    spikecheck: Any, answers: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise UsageError("--json x: No space left on device")

    monkeypatch.setattr(json_file, "write", full)
    answers((HOLDS, HOLDS))
    assert spikecheck(*ONE, "--json", "report.json") == 2
    out, err = capsys.readouterr()
    assert "1 of 1 claims pass" in out
    assert err == "error: --json x: No space left on device\n"


def test_a_claim_file_that_cannot_be_read_is_told_and_leaves_3_at_best(
    spikecheck: Any, answers: Any, capsys: Any
) -> None:
    Path("mine").mkdir()
    Path("mine/broken.py").write_text("raise RuntimeError('two\\nlines \\x1b[31m')\n")
    answers((HOLDS, HOLDS))
    assert spikecheck(*ONE, "--claims-path", "mine") == 3
    out, err = capsys.readouterr()
    (line,) = err.splitlines()
    assert line.startswith("warning: claim file left out:")
    assert "RuntimeError: two lines [31m" in line
    assert "Claim file left out" in out


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["verify", "--claim", "condensatoin"], 2, "did you mean: condensation"),
        (["verify", "--claim", "no*such"], 5, "no claim matches"),
        (["verify", "--budget", "soon"], 2, "--budget 'soon': give a time such as"),
        (["verify", "--budget", "0s"], 2, "--budget '0s'"),
        (["verify", "--budget", "-5"], 2, "--budget '-5'"),
        (["verify", "--profile", "huge"], 2, "'quick', 'ci', 'full'. See `spikecheck verify --help`."),
        (["verify", "--seed", "-1"], 2, "--seed"),
        (["verify", "--frobnicate"], 2, "--frobnicate"),
        (["replay"], 2, "CLAIM"),
        (["replay", "slas", "--at", "lr"], 2, "AXIS=VALUE"),
        (["replay", "slas", "--at", "rate=1"], 2, "rate"),
        (["replay", "slas", "--at", "lr=fast"], 2, "lr='fast'"),
        (["store", "prune", "--keep", "much"], 2, "--keep 'much'"),
        (["store", "info", "--store", "taken"], 2, "--no-store"),
    ],
)
def test_a_mistake_is_one_line_with_its_remedy(
    spikecheck: Any, answers: Any, capsys: Any, words: list[str], code: int, told: str
) -> None:
    Path("taken").write_text("")
    asked = answers()
    assert spikecheck(*words) == code
    out, err = capsys.readouterr()
    (line,) = err.splitlines()
    assert line.startswith("error: ")
    assert told in line
    assert (out, asked) == ("", [])


@pytest.mark.parametrize(
    "words",
    [("verify", "--claim", "my-own"), ("verify", "--claim", "my_own"), ("replay", "my-own"), ("explain", "my-own")],
)
def test_a_claim_whose_file_could_not_be_read_is_not_told_to_be_unknown(
    spikecheck: Any, capsys: Any, words: Sequence[str]
) -> None:
    """Regression: all claims that could be read were listed in its place."""
    Path("mine").mkdir()
    Path("mine/my_own.py").write_text("raise RuntimeError('so')\n")
    assert spikecheck(*words, "--claims-path", "mine") == 2
    _, line = capsys.readouterr().err.splitlines()
    told = "its file could not be read: mine/my_own.py: RuntimeError: so (line 1); fix the file"
    assert line == f"error: claim {words[-1]!r}: {told}"


def test_the_bare_command_shows_its_help(spikecheck: Any, capsys: Any) -> None:
    assert spikecheck() in (0, 2)  # click 8.1 and later
    out, err = capsys.readouterr()
    assert "verify" in out + err
    assert "error:" not in err


def test_sys_exit_in_whatever_is_called_is_no_success(spikecheck: Any, answers: Any, capsys: Any) -> None:
    answers(SystemExit(0))
    assert spikecheck(*ONE) == 2
    assert "called sys.exit(0); raise an exception there instead" in capsys.readouterr().err


def test_a_fault_of_our_own_is_one_line_and_70(
    spikecheck: Any, answers: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(ValueError("oh\nno"), ValueError("oh"))
    assert spikecheck(*ONE) == 70
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("internal error: ValueError: oh no; please report; set SPIKECHECK_DEBUG=1")
    monkeypatch.setenv("SPIKECHECK_DEBUG", "1")
    assert spikecheck(*ONE) == 70
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(("outcome", "code"), [(HOLDS, 0), (FAILS, 0), (UNDECIDED, 3), (Outcome.UNTRIGGERED, 3)])
def test_replay_reads_values_by_their_types_and_exits_0_when_there_is_an_answer(
    spikecheck: Any, lab: Lab, capsys: Any, monkeypatch: pytest.MonkeyPatch, outcome: Outcome, code: int
) -> None:
    def judge(claim: Any, _: object, setting: Setting, seeds: Sequence[int]) -> Judgement:
        assert (setting.lr, setting.width, setting.gamma, len(seeds)) == (0.05, 50, None, 16)
        return judgement(outcome, setting)

    monkeypatch.setattr("spikecheck.harness.verify.replay", judge)
    words = ["lr=0.05", "width=50", "gamma=none", "input_std=0.3", "output_std=0.1", "target=sin x + sin 4x"]
    at = [word for text in words for word in ("--at", text)]
    assert spikecheck("replay", "slas", *at, "--seeds", "16") == code
    out = capsys.readouterr().out
    assert "target=sin x + sin 4x (reference: sin x)" in " ".join(out.split())
    assert "held in 60 of 64" in out


def test_a_replay_says_what_is_asked_of_the_average_that_decides(
    spikecheck: Any, lab: Lab, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_average = judgement(UNDECIDED).model_copy(update={"required": None, "estimand": "mean", "would_decide": 90})
    monkeypatch.setattr("spikecheck.harness.verify.replay", lambda *_: by_average)
    assert spikecheck("replay", "condensation") == 3
    out = " ".join(capsys.readouterr().out.split())
    rule = "both bounds must be > 0 and the mean itself >= 0.02 (fails if both bounds are less)"
    assert f"decides the mean; {rule}; each bound at 95 %" in out
    assert "undecided about 90 seeds would decide if share and spread stay as they are" in out
    assert "required" not in out


def test_a_replay_that_is_interrupted_leaves_with_130(
    spikecheck: Any, lab: Lab, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def judge(*_: object) -> Judgement:
        raise Interrupted("Ctrl-C")

    monkeypatch.setattr("spikecheck.harness.verify.replay", judge)
    assert spikecheck("replay", "condensation") == 130
    assert capsys.readouterr().err == "interrupted; everything trained so far is kept, run again to go on\n"
    assert spikecheck("replay", "condensation", "--no-store") == 130
    assert capsys.readouterr().err == "interrupted; without a store nothing is kept\n"


@pytest.mark.parametrize(
    ("env", "escapes"), [({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)]
)
def test_no_color_means_no_escapes(
    spikecheck: Any, answers: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch, env: dict[str, str], *, escapes: bool
) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    answers((HOLDS, FAILS))
    spikecheck(*ONE)
    assert ("\x1b[" in capsys.readouterr().out) is escapes


@pytest.mark.parametrize(
    ("env", "width"),
    [
        ({}, 80),
        ({"CI": "1"}, 100),
        ({"CI": "1", "COLUMNS": "64"}, 64),
        ({"COLUMNS": "x"}, 80),
    ],
)
def test_the_width_follows_the_environment(
    spikecheck: Any, answers: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch, env: dict[str, str], width: int
) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    answers((HOLDS, HOLDS))
    spikecheck(*ONE)
    assert max(map(len, capsys.readouterr().out.splitlines())) == width


@pytest.mark.parametrize(("columns", "width"), [("0", 80), ("1", 20), ("20", 20), ("99999", 1_000)])
def test_a_width_in_which_nothing_fits_is_not_taken(columns: str, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Regression: in one column each letter had a line of its own."""
    monkeypatch.setenv("COLUMNS", columns)
    assert console().width == width


def test_a_reader_who_leaves_early_does_not_change_the_code(
    spikecheck: Any, answers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers((FAILS, FAILS))
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w", encoding="utf-8") as out:
        monkeypatch.setattr(sys, "stdout", out)
        assert spikecheck(*ONE) == 1


def test_a_stream_that_cannot_say_it_gets_what_it_can(
    spikecheck: Any, answers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", out)
    answers((HOLDS, FAILS))
    assert spikecheck(*ONE) == 0
    out.flush()
    assert isinstance(out.buffer, io.BytesIO)
    assert b"+ HOLDS" in out.buffer.getvalue()


def test_two_formats_do_not_write_to_one_file(spikecheck: Any, answers: Any, capsys: Any) -> None:
    """Regression: the report that was written last replaced the other, without a word."""
    answers((HOLDS, HOLDS))
    Path("other").symlink_to("report.json")
    for both in (("report.json", "./report.json"), ("report.json", "other")):
        assert spikecheck(*ONE, "--json", both[0], "--html", both[1]) == 2
        assert f"--html {both[1]}: is the file of --json too; give each its own" in capsys.readouterr().err
    assert spikecheck(*ONE, "--json", "/dev/null", "--html", "/dev/null") == 0


def test_a_plan_does_not_promise_a_file(spikecheck: Any, capsys: Any) -> None:
    """Regression: the file was left unwritten, with exit code 0."""
    assert spikecheck(*ONE, "--plan", "--json", "report.json") == 2
    assert "--json report.json: --plan trains nothing and writes no report" in capsys.readouterr().err


def test_a_claim_with_a_wildcard_in_its_name_can_be_chosen_and_is_explained_with_its_folder(
    spikecheck: Any, answers: Any, capsys: Any
) -> None:
    """Regression: no claim matched its own name; and the line that verifies a claim did not find it."""
    answers((HOLDS, HOLDS))
    Path("my own").mkdir()
    Path("my own/star[x].py").write_text(
        "from spikecheck.harness.simulated_lab import planted_claim\n\nclaim = planted_claim()\n"
    )
    assert spikecheck("verify", "--claim", "star[x]", "--claims-path", "my own", "--quiet") == 0
    assert spikecheck("explain", "star[x]", "--claims-path", "my own") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert said.endswith("Verify it with: spikecheck verify --claim 'star[x]' --claims-path 'my own'")


@pytest.mark.parametrize("stores", [True, False])
def test_a_stopped_report_says_whether_what_was_trained_is_kept(
    spikecheck: Any, answers: Any, lab: Lab, capsys: Any, *, stores: bool
) -> None:
    """Regression: without a store it was said to be kept, too."""
    lab.stores = stores
    answers(BudgetSpent("the budget is spent"))
    assert spikecheck(*ONE, "--json", "report.json") == 3
    assert json.loads(Path("report.json").read_text(encoding="utf-8"))["stored"] is stores
    assert ("run again to go on" in " ".join(capsys.readouterr().out.split())) is stores
