"""The command line in this process and in a folder of its own, with a planted harness behind it."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spikecheck.cli import context
from spikecheck.cli import main as cli
from spikecheck.core.errors import Stopped
from spikecheck.core.judgement import Outcome
from spikecheck.core.verdict import Verdict
from spikecheck.session import verify as session
from tests.commands.planted import UNDECIDED, Lab, verdict


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Lab:
    planted = Lab()
    monkeypatch.setattr(context, "laboratory", lambda *_: planted)
    return planted


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch, lab: Lab) -> Callable[..., list[str]]:
    """Plants verdicts: (replicates, generalises) or an exception for each claim in turn; gives the claims asked for."""
    asked: list[str] = []

    def plant(*outcomes: tuple[Outcome, Outcome] | BaseException, kind: str = "tendency") -> list[str]:
        left = iter(outcomes)

        def verify(claim: Any, *_: object) -> Verdict:
            asked.append(claim.id)
            found = next(left)
            if isinstance(found, BaseException):
                if not isinstance(found, Stopped):
                    raise found
                lab.stopped, found = found, (UNDECIDED, UNDECIDED)
            return verdict(claim.id, kind, *found)

        monkeypatch.setattr(session, "verify", verify)
        return asked

    return plant


@pytest.fixture
def spikecheck(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., int]:
    for name in ("CI", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "SPIKECHECK_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SPIKECHECK_STORE", str(tmp_path / "store"))
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> int:
        monkeypatch.setattr(sys, "argv", ["spikecheck", *words])
        with pytest.raises(SystemExit) as left:
            cli.main()
        assert isinstance(left.value.code, int)
        return left.value.code

    return run
