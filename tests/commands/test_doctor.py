"""`spikecheck doctor` from the command line: what it prints, and its exit codes."""

from pathlib import Path
from typing import Any

import pytest

from spikecheck.gate import compatibility
from spikecheck.gate.compatibility import Finding

TALKS = """
import torch


class Talks(torch.optim.SGD):
    def __init__(self, params, lr):
        print("decay is decoupled")
        super().__init__(params, lr=lr)

    def step(self, closure=None):
        print("stepped")
        super().step(closure)
"""


def test_what_an_optimizer_prints_when_it_is_made_is_passed_on_once_and_apart(
    spikecheck: Any, capsys: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: adabelief-pytorch's advice filled the page, once for each time that it was made."""
    (tmp_path / "talkative.py").write_text(TALKS)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert spikecheck("doctor", "--optimizer", "talkative:Talks", "--set", "lr=0.01") == 0
    told = capsys.readouterr()
    assert "decay is decoupled" not in told.out and "stepped" not in told.out
    assert "stepped" in told.err
    assert told.err.count("decay is decoupled") == 1


def test_one_that_cannot_be_used_is_refused_with_the_reason(spikecheck: Any, capsys: Any) -> None:
    assert spikecheck("doctor", "--optimizer", "torch.optim:Muon", "--set", "lr=0.01") == 2
    assert "Muon only supports 2D parameters" in capsys.readouterr().err


def test_what_was_seen_is_told(spikecheck: Any, capsys: Any) -> None:
    assert spikecheck("doctor", "--optimizer", "ordinary_optimizers:SharpnessAware", "--set", "lr=0.1") == 0
    told = capsys.readouterr().out
    assert "step() wants a closure" in told
    assert "those of the step's own points" in told


@pytest.mark.parametrize(("fatal", "code"), [(False, 0), (True, 1)])
def test_a_fatal_property_is_exit_code_1(
    fatal: bool, code: int, spikecheck: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [Finding(True, "is elementwise"), Finding(False, "moves otherwise", "results mean little", fatal=fatal)]
    monkeypatch.setattr(compatibility, "examined", lambda *_: found)
    assert spikecheck("doctor", "--optimizer", "adam", "--set", "lr=0.1") == code
    assert capsys.readouterr().out.splitlines() == ["✓ is elementwise", "! moves otherwise", "  results mean little"]
