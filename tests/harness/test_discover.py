"""What a folder's register says of its claims reaches their verdicts, and says nothing of a claim that has been changed."""

from dataclasses import replace
from pathlib import Path

import pytest

from spikecheck.harness.conclude import conclude
from spikecheck.harness.discover import BUILT_IN, discover
from spikecheck.harness.plan import Plan
from spikecheck.harness.simulated_lab import planted_claim
from spikecheck.stats.prediction import Prediction

CLAIM = """from spikecheck.harness.simulated_lab import planted_claim

claim = planted_claim()
"""


def register(folder: Path, specification: str) -> None:
    entry = f'[claim.mine]\nspecification = "{specification}"\nregistered = "before"\n'
    (folder / "register.toml").write_text(entry)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(CLAIM)
    return tmp_path


def registered(folder: Path) -> str:
    return conclude(discover([folder]).claims["mine"], Plan(settings=0), {}, [], None).registered


def test_a_verdict_says_whether_its_rule_was_registered(folder: Path) -> None:
    assert registered(folder) == ""
    register(folder, discover([folder]).claims["mine"].specification)
    assert registered(folder) == "before"
    register(folder, "of another text")
    assert registered(folder) == "unknown"


def test_a_changed_rule_or_another_optimizer_is_not_the_registered_claim() -> None:
    claim = planted_claim()
    claim = replace(claim, registered={claim.specification: "before"})
    assert claim.registration == "before"
    assert replace(claim, predicts=Prediction(above=0.1)).registration == "unknown"
    assert replace(claim, asked_with=("--optimizer", "adam")).registration == "unknown"


def test_a_register_that_cannot_be_read_is_named_and_hides_no_claim(folder: Path) -> None:
    (folder / "register.toml").write_text("[claim")
    found = discover([folder])
    assert "mine" in found.claims
    assert any("register.toml" in reason for reason in found.unreadable.values())


def test_every_shipped_claim_is_in_the_register() -> None:
    assert all(claim.registered for claim in discover().claims.values() if Path(claim.source).parent == BUILT_IN)


def test_two_files_of_one_id_are_both_left_out(folder: Path) -> None:
    """Regression: the second silently took the first one's place, so that a claim that fails could go unjudged."""
    (folder / "one_claim.py").write_text(CLAIM)
    (folder / "one-claim.py").write_text(CLAIM)
    found = discover([folder])
    assert "one-claim" not in found.claims
    assert sorted(Path(name).name for name in found.unreadable) == ["one-claim.py", "one_claim.py"]
    assert (
        "one_claim.py gives a claim of the same id, one-claim; rename" in found.unreadable[str(folder / "one-claim.py")]
    )


def test_a_file_that_leaves_python_is_left_out(folder: Path) -> None:
    """Regression: sys.exit(0) in a claim's file was exit code 0 of whatever command read it."""
    (folder / "gone.py").write_text("import sys\n\nsys.exit(0)\n")
    found = discover([folder])
    assert "mine" in found.claims
    assert found.unreadable[str(folder / "gone.py")].endswith("gone.py: SystemExit: 0 (line 3)")


def test_what_is_wrong_in_a_file_is_said_with_its_line_and_its_value(folder: Path) -> None:
    """Regression: neither, so that "'list' object has no attribute 'rungs'" was all that a user had to go by."""
    (folder / "slip.py").write_text("from spikecheck import Ladder\n\nLadder(1, 1)\n")
    (folder / "many.py").write_text("claim = [1, 2]\n")
    (folder / "torn.py").write_text("claim = (\n")
    said = {Path(name).stem: reason for name, reason in discover([folder]).unreadable.items()}
    assert said["slip"].endswith(
        "slip.py: SettingError: Ladder(1, 1): give at least one rung, each of them once (line 3)"
    )
    assert said["many"].endswith("its claim is [1, 2], and no Claim; give it a module-level `claim = Claim(...)`")
    assert said["torn"].endswith("(torn.py, line 1)")


def test_what_a_file_prints_goes_to_standard_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "loud.py").write_text("print('reading')\n" + CLAIM)
    assert "loud" in discover([folder]).claims
    assert capsys.readouterr() == ("", "reading\n")
