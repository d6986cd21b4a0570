"""action.yml's shell, run as a workflow's runner does: inputs through the environment, files for outputs and summary."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

ACTION = yaml.safe_load((Path(__file__).parents[1] / "action.yml").read_text(encoding="utf-8"))
SMALL = "--seeds 2 --executor local --at steps=60 --at width=5 --at points=8 --rows diverged,spiking"


def step(folder: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """The step that calls spikecheck, with these inputs over the declared defaults."""
    (wanted,) = [part for part in ACTION["runs"]["steps"] if part.get("id") == "gate"]
    values = {name: spec["default"] for name, spec in ACTION["inputs"].items()} | inputs
    given = {name: values[text.split(".")[1].rstrip(" }")] for name, text in wanted["env"].items()}
    own = {k: v for k, v in os.environ.items() if k != "CI"} | {"GITHUB_ACTIONS": "true", **given}
    own |= {"GITHUB_OUTPUT": str(folder / "output"), "GITHUB_STEP_SUMMARY": str(folder / "summary.md")}
    own["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{own['PATH']}"
    line = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", wanted["run"]]
    return subprocess.run(line, cwd=folder, env=own, capture_output=True, text=True, timeout=300, check=False)


def test_runs_are_kept_whatever_the_gate_says_and_a_later_run_finds_the_newest() -> None:
    """Regression: actions/cache saves only where the job succeeds, so a gate that failed trained everything anew."""
    steps = ACTION["runs"]["steps"]
    restore, save = steps[0], steps[-1]
    assert [step["uses"].split("@")[0] for step in (restore, save)] == ["actions/cache/restore", "actions/cache/save"]
    assert save["if"] == "always()"
    assert restore["with"]["path"] == save["with"]["path"] == "${{ inputs.store }}"
    assert save["with"]["key"] == f"${{{{ steps.{restore['id']}.outputs.cache-primary-key }}}}"
    key, prefix = restore["with"]["key"], restore["with"]["restore-keys"]
    assert key.startswith(prefix)
    assert {"github.run_id", "github.run_attempt"} <= set(re.findall(r"[\w.]+", key.removeprefix(prefix)))


def test_a_gate_that_passes_leaves_what_a_workflow_reads(tmp_path: Path) -> None:
    numbers = "lr=0.1\nmomentum=0.5\n"
    done = step(tmp_path, optimizer="torch.optim:SGD", set=numbers, against="torch.optim:SGD", arguments=SMALL)
    assert done.returncode in (0, 1), done.stderr
    assert (tmp_path / "output").read_text(encoding="utf-8") == "scorecard=spikecheck-gate.json\n"
    card = json.loads((tmp_path / "spikecheck-gate.json").read_text(encoding="utf-8"))
    assert card["candidate"]["options"] == [["momentum", 0.5]]
    assert "spikecheck gate" in (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert (tmp_path / ".spikecheck").is_dir()


def test_without_inputs_the_table_in_pyproject_is_what_runs(tmp_path: Path) -> None:
    conditions = "conditions = { steps = 60, width = 5, points = 8 }"
    (tmp_path / "pyproject.toml").write_text(
        f'[tool.spikecheck]\noptimizer = "gd"\nset = {{ lr = 0.1 }}\nagainst = "gd"\nseeds = 2\n{conditions}\n'
        'rows = "diverged,spiking"\n',
        encoding="utf-8",
    )
    done = step(tmp_path, arguments="--executor local")
    assert done.returncode in (0, 1), done.stderr


def test_an_input_is_data_and_never_runs(tmp_path: Path) -> None:
    done = step(
        tmp_path, **dict.fromkeys(("optimizer", "set", "against", "arguments"), "$(touch hacked) `touch hacked`")
    )
    assert done.returncode == 2, done.stderr
    assert not (tmp_path / "hacked").exists()
