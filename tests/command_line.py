"""Commands in this process: most tests of them need not wait for a new one's imports."""

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from spikecheck.cli.main import main
from spikecheck.core.scorecard import Scorecard, SuiteSetting
from spikecheck.core.setting import Setting

SMALL = ("--seeds", "4", "--at", "steps=150", "--at", "points=12", "--at", "width=6")
ONE = ("--dataset", "sines")
"""One setting in place of the suite's four, where the test is not about several."""


@dataclass(frozen=True)
class Told:
    """What a command left in this process."""

    returncode: int
    stdout: str
    stderr: str


def called(folder: Path, *words: str, **environment: str) -> Told:
    """`spikecheck` with these words in a folder, with its own cache; what it imports from there is found no longer."""
    out, err = stream(), stream()
    with pytest.MonkeyPatch.context() as here, redirect_stdout(out), redirect_stderr(err):
        here.chdir(folder)
        here.setattr(sys, "argv", ["spikecheck", *words])
        here.setattr(sys, "path", list(sys.path))
        for name in ("CI", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
            here.delenv(name, raising=False)
        for name, value in ({"XDG_CACHE_HOME": str(folder / "cache"), "COLUMNS": "120"} | environment).items():
            here.setenv(name, value)
        with pytest.raises(SystemExit) as left:
            main()
    assert isinstance(left.value.code, int)
    return Told(left.value.code, written(out), written(err))


def stream() -> io.TextIOWrapper:
    """An output that takes bytes too, as that of a process does."""
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)


def written(output: io.TextIOWrapper) -> str:
    """All that was written to it."""
    output.seek(0)
    return output.read()


def told(folder: Path, *words: str, **environment: str) -> Told:
    """`spikecheck gate` of small trainings."""
    return called(folder, "gate", "--executor", "local", *SMALL, *words, **environment)


def settings(card: Scorecard) -> list[Setting]:
    """Of the places, which are no workloads here."""
    return [place.setting for place in card.places if isinstance(place, SuiteSetting)]
