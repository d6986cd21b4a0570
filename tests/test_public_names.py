"""The names users import: written down here once more, so that none of them comes or goes unnoticed."""

import subprocess
import sys

import pytest

import spikecheck
from spikecheck import measures

NAMES = [
    "MNIST1D",
    "MNIST1D_ADAM",
    "MNIST1D_BATCHES",
    "SETTING_A",
    "SETTING_B",
    "Anatomy",
    "Answer",
    "Arm",
    "Average",
    "Balance",
    "BatchSharpness",
    "Claim",
    "Condition",
    "Continue",
    "Control",
    "Directions",
    "Domain",
    "Equivalence",
    "Exchange",
    "FreezeOutside",
    "Hold",
    "Inject",
    "Jitter",
    "Judgement",
    "Laboratory",
    "Ladder",
    "LowerRate",
    "Map",
    "Outcome",
    "Plan",
    "Prediction",
    "Reach",
    "Recipe",
    "Report",
    "Retune",
    "Run",
    "Setting",
    "SharpnessTrace",
    "Snapshot",
    "Spike",
    "SpikeDefinition",
    "Stability",
    "Store",
    "Trail",
    "Training",
    "Trial",
    "Variant",
    "Verdict",
    "Watch",
    "aligned",
    "condensing_domain",
    "described",
    "discover",
    "explain_log",
    "explain_spike",
    "limits",
    "paper_domain",
    "plan_of",
    "unchanged",
    "verify",
    "with_loss",
    "with_record",
    "with_weights",
    "workload_setting",
]
# What answers before anything is trained must not wait for these.
HEAVY = {"torch", "scipy", "hypothesis", "sklearn"}


def test_the_public_names_are_these() -> None:
    assert spikecheck.__all__ == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_name_loads_and_has_a_home_in_the_package(name: str) -> None:
    value = getattr(spikecheck, name)
    assert getattr(value, "__module__", "spikecheck").startswith("spikecheck.")


def test_dir_shows_the_public_names() -> None:
    assert dir(spikecheck) == sorted(NAMES)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Claims'"):
        _ = spikecheck.Claims


def test_every_measure_is_documented() -> None:
    undocumented = [name for name in measures.__all__ if not getattr(measures, name).__doc__]
    assert not undocumented


@pytest.mark.parametrize("arguments", [["--help"], ["list"], ["explain", "condensation"]])
def test_commands_that_train_nothing_import_nothing_heavy(arguments: list[str]) -> None:
    program = (
        "import sys; from spikecheck.cli.main import cli; "
        f"cli.main({arguments!r}, standalone_mode=False); "
        f"print('loaded:', sorted({HEAVY!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded: []"
