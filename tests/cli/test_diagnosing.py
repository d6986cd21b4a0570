"""`spikecheck diagnose --workload`: which spike is explained, what is refused, and which streams the answer goes to."""

import json
from pathlib import Path
from typing import Any

import pytest

from spikecheck.cli import diagnosing
from spikecheck.cli.diagnosing import _spike_of, _tell, run_afterwards, run_why
from spikecheck.core.errors import SpikecheckError, UsageError
from spikecheck.core.why import Answer, Outcome
from spikecheck.watch.columns import LOSS_NAMES, named_column, read_columns, step_column
from spikecheck.watch.diagnosis import Diagnosis, diagnose

NONE = Answer(outcome=Outcome.NO_SPIKE, sentence="No loss spike.")
FILES: dict[str, Any] = {"json_path": None, "markdown_path": None, "html_path": None, "quiet": False}


def diagnosed(folder: Path, spikes: tuple[int, ...]) -> Diagnosis:
    """A log of 600 noisy losses with a spike of eight steps at each of these steps."""
    rows = [f"{step},{2.0 + 0.01 * ((7 * step) % 13 - 6)}" for step in range(600)]
    for spike in spikes:
        rows[spike : spike + 8] = [f"{step},9.0" for step in range(spike, spike + 8)]
    (folder / "log.csv").write_text("\n".join(["step,loss", *rows]) + "\n")
    columns = read_columns(folder / "log.csv", diverged=True)
    return diagnose(columns, named_column(columns, None, LOSS_NAMES, "--loss"), step_column(columns, None))


def test_the_first_spike_of_a_log_is_explained(tmp_path: Path) -> None:
    assert abs(_spike_of(diagnosed(tmp_path, (300, 450))) - 300) <= 2
    with pytest.raises(UsageError, match=r"^LOG: has no loss spike; .* --at-step N$"):
        _spike_of(diagnosed(tmp_path, ()))


@pytest.mark.parametrize("at_step", [0, 5])
def test_a_step_that_is_named_is_kept_also_step_0(
    at_step: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: --at-step 0 with a log explained the log's first spike."""
    explained: list[Any] = []

    def stop(options: Any, *_: object) -> None:
        explained.append(options["at_step"])
        raise UsageError("far enough")

    monkeypatch.setattr(diagnosing, "why", stop)
    options = {**FILES, "at_step": at_step, "lab_options": None, "quiet": True}
    with pytest.raises(UsageError, match="far enough"):
        run_why(options, diagnosed(tmp_path, (300,)))
    assert explained == [at_step]


@pytest.mark.parametrize(("log", "workload", "lacks"), [(None, "mlp", "LOG"), (Path("log.jsonl"), None, "--workload")])
def test_kept_states_need_their_log_and_their_workload(log: Path | None, workload: str | None, lacks: str) -> None:
    with pytest.raises(UsageError, match=f"^--states kept: needs {lacks}; "):
        run_afterwards({**FILES, "states": "kept", "workload": workload}, log)


@pytest.mark.parametrize(("name", "option"), [("json_path", "--json"), ("html_path", "--html")])
def test_a_file_that_cannot_be_written_is_refused_before_the_training(name: str, option: str, tmp_path: Path) -> None:
    """Minutes of training would be for nothing."""
    with pytest.raises(SpikecheckError, match=f"^{option} "):
        run_why({**FILES, name: str(tmp_path / "missing" / "why.x")}, None)


def test_json_on_standard_output_is_alone_there(capsys: pytest.CaptureFixture[str]) -> None:
    _tell(NONE, {**FILES, "json_path": "-"})
    taken = capsys.readouterr()
    assert json.loads(taken.out)["outcome"] == "no spike" == NONE.outcome
    assert "No loss spike." in taken.err


def test_files_are_written_and_quiet_prints_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = {f"{kind}_path": str(tmp_path / f"why.{kind}") for kind in ("json", "markdown")}
    _tell(NONE, {**FILES, **paths, "quiet": True})
    taken = capsys.readouterr()
    assert (taken.out, taken.err) == ("", "")
    assert Answer.model_validate_json(Path(paths["json_path"]).read_text()) == NONE
    assert "No loss spike." in Path(paths["markdown_path"]).read_text()
