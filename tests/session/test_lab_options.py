"""Where and how to train: what a command line says becomes these options, with the same defaults."""

import ast
import time
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
import rich_click as click
from click.testing import CliRunner

from spikecheck.cli.options import lab_options
from spikecheck.session import lab_options as module
from spikecheck.session.lab_options import LabOptions


def given(*words: str, budget: bool = True) -> LabOptions:
    received: list[LabOptions] = []

    @click.command()
    @lab_options(budget=budget)
    def command(lab_options: LabOptions) -> None:
        received.append(lab_options)

    result = CliRunner().invoke(command, list(words), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    (options,) = received
    return options


@pytest.mark.parametrize("budget", [True, False])
def test_a_command_line_that_says_nothing_has_the_defaults(budget: bool) -> None:
    assert given(budget=budget) == LabOptions()


def test_every_option_has_its_field() -> None:
    words = ("--store", "runs", "--no-store", "--device", "mps", "--executor", "local", "--budget", "60s")
    options = given(*words)
    assert options.deadline is not None
    assert 0 < options.deadline - time.monotonic() <= 60
    assert options == LabOptions("runs", True, "mps", "local", options.deadline)


def test_options_do_not_change_on_their_way() -> None:
    with pytest.raises(FrozenInstanceError):
        LabOptions().store = "elsewhere"  # type: ignore[misc]


def test_the_module_imports_nothing_heavy() -> None:
    """Commands import it before they answer --help."""
    body = ast.parse(Path(module.__file__).read_text(encoding="utf-8")).body
    assert {part.module for part in body if isinstance(part, ast.ImportFrom)} <= {"dataclasses", "typing"}
    assert not any(isinstance(part, ast.Import) for part in body)
