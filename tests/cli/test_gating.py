"""What a gate is asked on the command line: mistakes are one line, and nothing is lost by what cannot be written."""

from pathlib import Path

import pytest

from tests.command_line import told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "--optimizer"),
        (("--optimizer", "torch.optim:SGD", "--against", "gd"), "--set lr="),
        (("--optimizer", "torch.optim:SGD", "--set", "lr=0.1"), "--against, --baseline"),
        (("--optimizer", "torch.optim:SGD", "--set", "lr", "--against", "gd"), "NAME=VALUE"),
        (("--optimizer", "torch.optim:SGDD", "--set", "lr=0.1", "--against", "gd"), "did you mean"),
        (
            ("--optimizer", "planted_optimizers:DicingElsewhere", "--set", "lr=0.1", "--against", "gd"),
            "draws from another source",
        ),
        (("--optimizer", "gd", "--set", "lr=True", "--against", "gd"), "lr=True: is not a number"),
        (("--optimizer", "adam", "--set", "lr=0.1", "--set", "betas=1", "--against", "gd"), "adam takes only"),
        (("--optimizer", "gd", "--set", "lr=0.1", "--against", "gd", "--at", "lr=2"), "--set"),
        (
            ("--optimizer", "gd", "--set", "lr=0.1", "--against", "gd", "--at", "wdth=2"),
            "no condition of a setting is called 'wdth'; did you mean: width",
        ),
        (("--optimizer", "gd", "--set", "lr=0.1", "--against", "gd", "--rows", "spike"), "did you mean: spikes"),
        (("--optimizer", "gd", "--set", "lr=0.1", "--against", "gd", "--rows", ","), "names no row; give some of"),
    ],
)
def test_mistakes_are_told_in_one_line(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    done = told(tmp_path, *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_step_summary_that_cannot_be_written_costs_no_verdict(tmp_path: Path) -> None:
    line = ("--optimizer", "gd", "--set", "lr=0.1", "--against", "gd")
    done = told(
        tmp_path,
        *line,
        "--at",
        "steps=60",
        "--rows",
        "final loss, best loss, diverged, spiking",
        GITHUB_STEP_SUMMARY=str(tmp_path / "no" / "such"),
    )
    assert done.returncode == 0
    assert "no regression" in done.stdout
    assert "warning: GITHUB_STEP_SUMMARY" in done.stderr


def test_a_terminal_that_says_it_has_no_columns_is_written_to(tmp_path: Path) -> None:
    """Regression: nothing was printed at all."""
    line = ("--optimizer", "gd", "--set", "lr=0.1", "--against", "gd", "--dataset", "mnist1d", "--at", "steps=40")
    done = told(tmp_path, *line, "--rows", "final loss, best loss, diverged, spiking", COLUMNS="0")
    assert "no regression" in done.stdout
    assert "final loss" in done.stdout
