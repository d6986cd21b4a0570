"""The package's public face is what it says. The order of its rooms is held by `lint-imports`, in the gate."""

import subprocess
import sys

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
