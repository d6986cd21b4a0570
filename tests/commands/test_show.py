"""`spikecheck show`: what it trains is what it was given, and something is on the screen from the beginning."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Write

# A finder that tells of torch's import, so that the order of the lines is known however slow the machine is.
_TELLS = """
import sys

class Tells:
    def find_spec(self, name, *_):
        if name == "torch":
            print("torch is imported", file=sys.stderr, flush=True)

sys.meta_path.insert(0, Tells())
sys.argv = ["spikecheck", "show", "--optimizer", "nowhere:Optimizer", "--set", "lr=0.1"]
from spikecheck.cli.main import main
main()
"""

_WAVES = '''
import math
import torch
from types import SimpleNamespace

def waves(setting):
    """Sine on its own 20 points."""
    x = torch.linspace(-2 * math.pi, 2 * math.pi, 20, dtype=torch.float64)[:, None]
    return SimpleNamespace(x=x, y=torch.sin(x), x_test=x, y_test=torch.sin(x))
'''


def test_something_is_said_before_torch_is_loaded_also_into_a_pipe(tmp_path: Path) -> None:
    """Regression: the first line came after torch and matplotlib, four seconds after the start."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", _TELLS], capture_output=True, text=True, cwd=tmp_path, env=environment, check=False
    )
    lines = done.stderr.splitlines()
    assert "show: loading torch" in lines[0]
    assert lines[1] == "torch is imported"
    assert lines[-1].startswith("error: optimizer='nowhere:Optimizer': no module")
    assert done.returncode == 2


def test_a_problem_of_ones_own_is_trained_and_described_as_it_is(
    spikecheck: Any, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    """Regression: it was described with the target and the points of sin x."""
    own = write(_WAVES)
    words = ("--problem", f"{own}:waves", "--at", "steps=600", "--figure", "spike.svg", "--executor", "local")
    assert spikecheck("show", *words) == 0
    shown = capsys.readouterr()
    said = " ".join(shown.out.split())
    assert f"problem={own}:waves, width=20" in said
    assert "sin x" not in said
    assert "points=" not in said
    assert "sin x" not in Path("spike.svg").read_text()
    stages = ["loading torch", "training, to find a seed that spikes", "measuring the spike of seed", "drawing"]
    assert [stage for stage in stages if f"show: {stage}" in shown.err] == stages


def test_the_optimizer_and_its_numbers_are_those_given(spikecheck: Any, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--optimizer", "adam", "--set", "lr=0.03", "--set", "beta2=0.99", "--at", "steps=800")
    assert spikecheck("show", *words, "--executor", "local") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "optimizer=adam, lr=0.03, steps=800, beta1=0.9, beta2=0.99" in said


def test_quiet_prints_nothing(spikecheck: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert spikecheck("show", "--at", "steps=600", "--quiet", "--figure", "a.png", "--executor", "local") == 0
    assert capsys.readouterr() == ("", "")
    assert Path("a.png").stat().st_size > 10_000


def test_what_has_no_curve_is_not_animated(spikecheck: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert spikecheck("show", "--problem", "mnist1d", "--animate", "a.gif") == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "error: --animate a.gif: only a network of one input and one output has a curve to show"
