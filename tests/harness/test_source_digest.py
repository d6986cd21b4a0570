"""A claim's specification follows whatever decides it, and nothing else."""

from pathlib import Path

import pytest

from spikecheck.harness.discover import read

CLAIM = '''
"""A claim."""
from functools import partial
from spikecheck import Claim, Control, Domain, Ladder, Prediction, Setting, Trial

LIMIT = 3.0
UNUSED = 1

def tallest(loss):
    return max(loss)

def ratio(trial: Trial, power: int = 1) -> float:
    """A ratio."""
    return min((tallest(trial["run"].loss) / LIMIT) ** power for _ in range(1))

def slower(setting: Setting) -> Setting:
    """Half the rate."""
    return setting.but(lr=setting.lr / 2)

claim = Claim(
    says="it falls", where="folklore", kind="law", unit="times",
    domain=Domain(Setting(width=10, steps=200), width=Ladder(10, 20)),
    applies=lambda trial: True, measure=partial(ratio, power=2), arms={"run": slower},
    predicts=Prediction(below=1.0), control=Control(says="upside down", measure=lambda trial: 1 / ratio(trial)),
)
'''


def specification(folder: Path, text: str) -> str:
    folder.mkdir()
    file = folder / "falls.py"
    file.write_text(text, encoding="utf-8")
    return read(file).specification


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('kind="law"', 'kind="tendency"'),
        ("max(loss)", "min(loss)"),
        ("LIMIT = 3.0", "LIMIT = 4.0"),
        ("power=2", "power=3"),
        ("setting.lr / 2", "setting.lr * (0.25 if setting.width > 15 else 0.5)"),
        ("1 / ratio(trial)", "2 / ratio(trial)"),
        ("below=1.0", "below=2.0"),
    ],
)
def test_what_decides_changes_it(before: str, after: str, tmp_path: Path) -> None:
    """Regression: a helper that the measure calls, a constant that it reads, and the kind could change unnoticed."""
    assert before in CLAIM
    own = specification(tmp_path / "a", CLAIM)
    assert own == specification(tmp_path / "b", CLAIM)
    assert own != specification(tmp_path / "c", CLAIM.replace(before, after))


@pytest.mark.parametrize(("before", "after"), [("UNUSED = 1", "UNUSED = 2"), ('"""A claim."""', '"""That claim."""')])
def test_what_does_not_leaves_it(before: str, after: str, tmp_path: Path) -> None:
    assert specification(tmp_path / "a", CLAIM) == specification(tmp_path / "b", CLAIM.replace(before, after))
