"""A module's tests are in the file of its name: `spikecheck/ROOM/MODULE.py` has `tests/ROOM/test_MODULE.py`.

Modules whose tests are elsewhere are listed in `tests/meta/tested_elsewhere.txt`, each with the file or folder that tests
it. The list may only shrink: a new module comes with its test file. docs/decisions/0002 has the rule.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIST = ROOT / "tests" / "meta" / "tested_elsewhere.txt"
MOST = 0
"""Lines of the list when it was last shortened. Lower it with the list; never raise it."""

LISTED = dict(
    line.split(maxsplit=1)
    for line in LIST.read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
)


def modules() -> list[str]:
    """Every module of the package with code of its own, relative to it."""
    package = ROOT / "spikecheck"
    files = (file for file in package.rglob("*.py") if not file.name.startswith("__"))
    return sorted(file.relative_to(package).as_posix() for file in files)


def test_file(module: str) -> Path:
    """Where a module's tests belong; commands are tested in `tests/commands`."""
    folder, _, name = module.rpartition("/")
    return ROOT / "tests" / folder.replace("cli/commands", "commands") / f"test_{name}"


test_file.__test__ = False  # type: ignore[attr-defined]


@pytest.mark.parametrize("module", modules())
def test_a_module_has_a_test_file_of_its_name_or_says_where_it_is_tested(module: str) -> None:
    there = test_file(module).is_file()
    assert there or module in LISTED, f"write {test_file(module).relative_to(ROOT)}"
    assert not (there and module in LISTED), f"remove {module} from {LIST.name}, and lower MOST"


def test_the_list_only_shrinks() -> None:
    assert len(LISTED) == MOST
    assert sorted(LISTED) == list(LISTED)
    assert set(LISTED) <= set(modules())


@pytest.mark.parametrize("place", sorted(set(LISTED.values())))
def test_a_place_that_the_list_names_exists_and_has_tests(place: str) -> None:
    path = ROOT / place
    files = [path] if path.is_file() else sorted(path.rglob("test_*.py"))
    assert any(re.search(r"^\s*def test_|>>> ", file.read_text(encoding="utf-8"), re.MULTILINE) for file in files)
