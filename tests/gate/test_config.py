"""A project's table in pyproject.toml and NAME=VALUE texts: read as they are meant, or refused in one line."""

import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.errors import UsageError
from spikecheck.gate.config import assignments, conditions, literal, table
from spikecheck.report import json_file
from tests.command_line import called, settings

VALUES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8)
)


def written(folder: Path, text: str) -> Path:
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    return folder


def test_a_table_is_read_with_tuples_for_lists(tmp_path: Path) -> None:
    folder = written(
        tmp_path,
        "[tool.other]\nx = 1\n[tool.spikecheck]\noptimizer = 'torch.optim:Adam'\nseeds = 4\n"
        "set = {lr = 0.01, betas = [0.9, 0.99]}\nconditions = {steps = 50}\n",
    )
    assert table(folder) == {
        "optimizer": "torch.optim:Adam",
        "seeds": 4,
        "set": {"lr": 0.01, "betas": (0.9, 0.99)},
        "conditions": {"steps": 50},
    }


def test_a_project_without_a_file_or_a_table_has_nothing(tmp_path: Path) -> None:
    assert table(tmp_path) == {}
    assert table(written(tmp_path, "[project]\nname = 'x'\n")) == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool.spikecheck]\noptimiser = 'gd'\n", "did you mean: optimizer"),
        ("[tool.spikecheck]\nseeds = '4'\n", "seeds = '4': give an integer"),
        ("[tool.spikecheck]\nseeds = true\n", "seeds = True: give an integer"),
        ("[tool.spikecheck]\nset = 'lr=1'\n", "give a table such as"),
        ("[tool.spikecheck]\nrows = ['spikes']\n", "give text"),
        ("[tool.spikecheck\n", "is not valid TOML"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        table(written(tmp_path, text))
    assert said in str(refused.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(UsageError, match=r"pyproject\.toml: cannot be read"):
        table(tmp_path)


@given(VALUES)
def test_what_python_writes_is_read_as_it_was(value: Any) -> None:
    assert literal(repr(value)) == value
    assert assignments([f"name={value!r}"], "--set") == {"name": value}


@pytest.mark.parametrize(
    ("text", "value"),
    [("[0.9, 0.999]", (0.9, 0.999)), ("fast", "fast"), ("a=b", "a=b"), ("", ""), ("(" * 5_000, "(" * 5_000)],
)
def test_a_list_is_a_tuple_and_any_other_text_is_itself(text: str, value: object) -> None:
    assert literal(text) == value


@pytest.mark.parametrize("text", ["0.015in", "7iffule", r"'\d'"])
def test_what_python_warns_of_is_read_without_a_warning(text: str) -> None:
    """Regression: `--set lr=0.015in` printed Python's warning before the error's one line."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        assert literal(text) in (text, "\\d")
    assert not warned


@pytest.mark.parametrize("text", ["lr", "=1", " =1"])
def test_a_text_without_a_name_or_an_equals_sign_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="give NAME=VALUE, such as --set lr=0.01"):
        assignments([text], "--set")


def test_conditions_of_the_line_replace_those_of_the_table() -> None:
    known = {"steps": 50, "batch": 4}
    assert conditions(["batch=none", "width=6"], known) == {"steps": 50, "batch": None, "width": 6}
    assert known == {"steps": 50, "batch": 4}


@pytest.mark.parametrize("name", ["optimizer", "options", "lr", "intervention"])
def test_what_belongs_to_the_optimizer_is_no_condition(name: str) -> None:
    with pytest.raises(UsageError, match=f"--at {name}=1: belongs to the optimizer; use --optimizer and --set"):
        conditions([f"{name}=1"])


def test_pyproject_says_what_the_line_does_not(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        "[tool.spikecheck]\n"
        'optimizer = "torch.optim:SGD"\nset = { lr = 0.1, momentum = 0.5 }\nagainst = "gd"\nseeds = 2\n'
        'conditions = { steps = 60, width = 5, points = 8, schedule = "cosine" }\n'
        'rows = "final loss, diverged"\n',
        encoding="utf-8",
    )
    done = called(tmp_path, "gate", "--executor", "local", "--json", "card.json")
    assert done.returncode in (0, 1), done.stderr
    card = json_file.read_scorecard(tmp_path / "card.json")
    assert dict(card.candidate.options) == {"momentum": 0.5}
    assert (card.seeds, settings(card)[0].schedule) == (2, "cosine")
    assert {row.name for row in card.rows} == {"final loss", "diverged"}
    (tmp_path / "pyproject.toml").write_text('[tool.spikecheck]\noptimiser = "x"\n', encoding="utf-8")
    wrong = called(tmp_path, "gate")
    assert wrong.returncode == 2
    assert "did you mean: optimizer" in wrong.stderr
