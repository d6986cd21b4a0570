"""The script of the register, and a repository whose history it reads."""

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from tests.docs.planted_history import CLAIM, REFERENCE, Repository

NAMES = ("register", "register_entries", "register_git", "register_page", "register_parts")


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The script's module, imported as it imports its own."""
    yield import_module("studies.register")
    for name in NAMES:
        sys.modules.pop(f"studies.{name}", None)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "repository")
    made.write("spikecheck/harness/paper_settings.py", REFERENCE)
    made.write("claims/falls.py", CLAIM)
    made.git("init", "-q")
    return made
