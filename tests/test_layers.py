"""The package's public face is what it says. The order of its rooms is held by `lint-imports`, in the gate."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import spikecheck


def test_the_public_names_are_all_there() -> None:
    assert sorted(spikecheck.__all__) == sorted(spikecheck._HOMES)
    for name in spikecheck.__all__:
        assert getattr(spikecheck, name) is not None
    with pytest.raises(AttributeError, match="nothing_of_that_name"):
        spikecheck.nothing_of_that_name  # noqa: B018


def test_stating_a_claim_loads_nothing_heavy() -> None:
    code = (
        "import sys; from spikecheck import Claim, Control, Domain, Ladder, Prediction, Setting; "
        "sys.exit(bool({'torch', 'scipy', 'hypothesis'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_no_module_of_the_package_is_imported_by_a_text() -> None:
    """`lint-imports` does not see such an import. Commands and public names are found in tables, which tests above read."""
    package = Path(spikecheck.__file__).parent
    by_text = re.compile(r"""import_module\(\s*f?["']spikecheck\b""")
    found = {
        str(file.relative_to(package)) for file in package.rglob("*.py") if by_text.search(file.read_text("utf-8"))
    }
    assert found == {"__init__.py", "cli/main.py"}
