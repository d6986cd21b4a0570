"""The house's order holds, and its public face is what it says."""

import subprocess
import sys
from pathlib import Path

import pytest

import spikecheck

ROOT = Path(__file__).parents[1]


def test_every_room_imports_only_from_rooms_below() -> None:
    importlinter = pytest.importorskip("importlinter.cli", reason="the lint session has it")
    assert importlinter.lint_imports(config_filename=str(ROOT / "pyproject.toml")) == 0


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
