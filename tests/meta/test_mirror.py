"""A module's tests are in the file of its name: `spikecheck/ROOM/MODULE.py` has `tests/ROOM/test_MODULE.py`.

docs/decisions/0002 has the rule. A new module comes with its test file.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "spikecheck"


def modules() -> list[str]:
    """Every module of the package, relative to it; `__init__` and `__main__` are tested through their packages."""
    files = (file for file in PACKAGE.rglob("*.py") if not file.name.startswith("__"))
    return sorted(file.relative_to(PACKAGE).as_posix() for file in files)


def file_of(module: str) -> Path:
    """Where a module's tests belong; commands are tested in `tests/commands`."""
    folder, _, name = module.rpartition("/")
    return ROOT / "tests" / folder.replace("cli/commands", "commands") / f"test_{name}"


@pytest.mark.parametrize("module", modules())
def test_a_module_has_a_test_file_of_its_name(module: str) -> None:
    file = file_of(module)
    assert file.is_file(), f"write {file.relative_to(ROOT)}"
    assert re.search(r"^\s*def test_", file.read_text(encoding="utf-8"), re.MULTILINE), f"{file} has no test"
