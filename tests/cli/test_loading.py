"""A spinner while torch is imported: on terminals alone, and before torch is there."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from spikecheck.cli.loading import loading

SAYS = "importing torch"
_SPY = """
import os
import sys
from contextlib import contextmanager

import {module} as module

@contextmanager
def spied(*_, **__):
    print("torch" in sys.modules, flush=True)
    os._exit(0)

module.{name} = spied
from spikecheck.cli.main import main
main()
"""
"""Ends a command where it would first show something, and says whether torch was imported by then."""


class Terminal(io.StringIO):
    """A stream that says it is a terminal, of this encoding."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding

    def isatty(self) -> bool:
        return True


def shown(file: io.StringIO, *, quiet: bool = False) -> str:
    with loading(Console(file=file, width=80), quiet=quiet):
        pass
    return file.getvalue()


@pytest.fixture(autouse=True)
def _ordinary_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("CI", raising=False)


def test_a_terminal_shows_what_takes_the_time_and_a_pipe_nothing() -> None:
    assert SAYS in shown(Terminal())
    assert shown(Terminal("ascii")).isascii()
    assert shown(io.StringIO()) == shown(Terminal(), quiet=True) == ""


@pytest.mark.parametrize(("name", "value"), [("CI", "true"), ("TERM", "dumb")])
def test_what_cannot_move_is_not_drawn(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    assert shown(Terminal()) == ""


def test_an_error_in_the_body_passes_through() -> None:
    with pytest.raises(ImportError, match="no torch"), loading(Console(file=Terminal())):
        raise ImportError("no torch")


_PAIR = ["--optimizer", "gd", "--set", "lr=0.1"]


@pytest.mark.parametrize(
    ("words", "display"),
    [
        (["verify", "slas"], "spikecheck.report.live:watcher"),
        (["map", "--claim", "spikes-come", "--x", "lr", "--y", "width"], "spikecheck.report.live:watcher"),
        (["show"], "spikecheck.report.live:watcher"),
        (["replay", "slas"], "spikecheck.report.live:watcher"),
        (["gate", *_PAIR, "--against", "heavy-ball"], "spikecheck.cli.loading:loading"),
        (["doctor", *_PAIR], "spikecheck.cli.loading:loading"),
        (["diagnose", "--workload", "mlp"], "spikecheck.cli.loading:loading"),
        (["verify", "--workload", "mlp"], "spikecheck.cli.loading:loading"),
        (["replay", "edge-of-stochastic-stability", "--workload", "mlp"], "spikecheck.cli.loading:loading"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_shows_something_before_it_imports_torch(words: list[str], display: str, tmp_path: Path) -> None:
    """Regression: `gate`, `replay`, `doctor`, `diagnose` and workloads imported torch first, seconds without a sign."""
    module, name = display.split(":")
    script = _SPY.format(module=module, name=name)
    done = subprocess.run(
        [sys.executable, "-c", script, *words], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("False\n", "")
