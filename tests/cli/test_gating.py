"""What a gate is asked on the command line: mistakes are one line, and nothing is lost by what cannot be written."""

from pathlib import Path

import pytest

from spikecheck.cli.options import MOST_SEEDS
from tests.command_line import ONE, called, told


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
        (("--optimizer", "gd", "--set", "lr=0.1", "--against", "gd", "--at", "steps=True"), "steps=True: is no number"),
        (
            ("--optimizer", "gd", "--set", "lr=0.1", "--against", "gd", "--problem", "sines", "--at", "Widht=3"),
            "no condition of a setting is called 'Widht'; did you mean: width",
        ),
        (
            ("--optimizer", "torch.optim:Adam", "--set", "lr=0.1", "--set", "betas={1: 2}", "--against", "gd"),
            "betas={1: 2}: give a number, True, False, None or text",
        ),
        (
            ("--optimizer", "planted_optimizers:Unspeakable", "--set", "lr=0.1", "--against", "gd"),
            "its step raised Unsaid after 0 steps: raise Unsaid (planted_optimizers.py, line",
        ),
        (
            ("--optimizer", "planted_optimizers:WantsItsLoss", "--set", "lr=0.1", "--against", "gd"),
            "missing 1 required positional argument: 'loss'",
        ),
        (("--optimizer", "gd", "--set", "lr=0.1", "--against", "gd", "--seeds", "1000000000"), f"2<=x<={MOST_SEEDS}"),
        (
            ("--optimizer", "gd", "--set", "lr=1e-300", "--against", "gd"),
            "lr=1e-300: gd moves no parameter in any training",
        ),
        (
            ("--optimizer", "planted_optimizers:LeavesAtOnce", "--set", "lr=0.1", "--against", "gd"),
            "its step raised SystemExit after 0 steps: 0",
        ),
        (
            ("--optimizer", "planted_optimizers:leaves_when_made", "--set", "lr=0.1", "--against", "gd"),
            "the factory raised SystemExit: 0",
        ),
    ],
)
def test_mistakes_are_told_in_one_line(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    done = told(tmp_path, *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("seeds = 1", f"seeds=1: give a whole number, 2 to {MOST_SEEDS:,}"),
        ("seed = -1", "seed=-1: give a whole number, 0 to "),
        ("conditions = { steps = true }", "--at steps=True: is no number"),
    ],
)
def test_numbers_of_pyproject_are_checked_as_those_of_the_line(tmp_path: Path, line: str, said: str) -> None:
    """Regression: what the command line refuses was an internal error in pyproject.toml, or was taken as it was."""
    table = '[tool.spikecheck]\noptimizer = "gd"\nset = { lr = 0.1 }\nagainst = "gd"\n'
    (tmp_path / "pyproject.toml").write_text(f"{table}{line}\n", encoding="utf-8")
    done = called(tmp_path, "gate", "--executor", "local")
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr


def test_two_that_always_diverge_do_not_pass(tmp_path: Path) -> None:
    done = told(tmp_path, "--optimizer", "gd", "--set", "lr=1e9", "--against", "gd", "--rows", "final loss,diverged")
    assert (done.returncode, "every training of the reference diverged" in " ".join(done.stdout.split())) == (3, True)


def test_a_step_summary_that_cannot_be_written_costs_no_verdict(tmp_path: Path) -> None:
    line = ("--optimizer", "gd", "--set", "lr=0.1", "--against", "gd")
    done = told(
        tmp_path,
        *line,
        *ONE,
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
