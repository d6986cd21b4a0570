"""Functions that move from a claim's file into a shared module: no change if the move is recorded, and a change if not."""

from types import ModuleType

import pytest

from tests.docs.planted_history import Repository, falls, page

SHARED = '''"""Effects."""
from spikecheck.effects.parts import at


def end(trial):
    """The loss at the end."""
    return at(trial, -1)


def middle(trial):
    return at(trial, 50)
'''
PARTS = "def at(trial, step):\n    return float(trial['run'].loss[step])\n"
MOVED = """
[[moved]]
claim = "falls"
before = "aa"
after = "bb"
"""


def move(repository: Repository, *, recorded: bool = True) -> str:
    """The effect goes to a shared module, from which the claim imports it; the commit."""
    repository.write("spikecheck/effects/losses.py", SHARED)
    repository.write("spikecheck/effects/parts.py", PARTS)
    repository.edit(
        "claims/falls.py",
        ("import numpy as np\n", "from spikecheck.effects import losses\n"),
        ("measure=end", 'measure=described("The last loss.", losses.end)'),
    )
    if recorded:
        repository.write("claims/moved.toml", MOVED)
    return repository.commit("Moved")


def test_a_recorded_move_is_no_change_and_takes_the_verdict_along(register: ModuleType, repository: Repository) -> None:
    written = repository.commit("Written")
    repository.judge(falls="aa")
    judged = repository.commit("Judged")
    move(repository)
    found = falls(register, repository)
    assert (found["written"], found["first_verdict_on_present_text"]) == (written, judged)
    assert (found["registered"], found["changed_after_first_verdict"]) == ("before", [])
    assert (found["specification"], found["judged_as"]) == ("bb", "aa")
    text = page(register, repository)
    assert "| moved, computes the same | Moved |" in text and "Moved since, it is `bb`." in text
    repository.judge(falls="bb")
    repository.commit("Judged anew")
    found = falls(register, repository)
    assert (found["written"], found["registered"], found["specification"]) == (written, "before", "bb")
    assert "judged_as" not in found
    assert "| same text, new digest: specification `bb`, reports/reproduction.json |" in page(register, repository)


def test_a_move_that_is_not_recorded_is_a_change(register: ModuleType, repository: Repository) -> None:
    repository.commit("Written")
    repository.judge(falls="aa")
    repository.commit("Judged")
    moved = move(repository, recorded=False)
    found = falls(register, repository)
    assert (found["written"], found["registered"]) == (moved, "not judged")
    assert found["changed_after_first_verdict"] == ["effect"]


@pytest.mark.parametrize(
    ("path", "old", "new", "parts"),
    [
        ("spikecheck/effects/losses.py", "at(trial, -1)", "at(trial, -2)", ["effect"]),
        ("spikecheck/effects/parts.py", "loss[step]", "loss[step] + 1", ["effect"]),
        ("claims/falls.py", "below=0.5", "below=0.6", ["threshold"]),
        ("spikecheck/effects/losses.py", "at(trial, 50)", "at(trial, 60)", []),
        ("spikecheck/effects/losses.py", "The loss at the end.", "The last one.", []),
        ("claims/falls.py", "The last loss.", "The loss at last.", []),
    ],
)
def test_what_changes_after_a_move_counts(
    register: ModuleType, repository: Repository, path: str, old: str, new: str, parts: list[str]
) -> None:
    written = repository.commit("Written")
    repository.judge(falls="aa")
    repository.commit("Judged")
    move(repository)
    repository.edit(path, (old, new))
    changed = repository.commit("Changed")
    found = falls(register, repository)
    assert found["written"] == (changed if parts else written)
    assert found["changed_after_first_verdict"] == parts
