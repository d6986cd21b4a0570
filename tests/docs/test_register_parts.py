"""The parts of a claim, to which the register attributes each change of its text."""

from importlib import import_module
from types import ModuleType

import pytest

from tests.docs.planted_history import CLAIM, REFERENCE


def changed(register: ModuleType, *replacements: tuple[str, str]) -> set[str]:
    """The parts that a change of the claim's text, or else of the shared settings', changes."""
    claim, shared = CLAIM, REFERENCE
    for old, new in replacements:
        assert (old in claim) != (old in shared)
        claim, shared = claim.replace(old, new), shared.replace(old, new)
    parts_of = import_module("studies.register_parts").parts_of
    before, after = parts_of(CLAIM, REFERENCE), parts_of(claim, shared)
    return {part for part in {*before, *after} if before.get(part) != after.get(part)}


@pytest.mark.parametrize(
    "replacements",
    [
        pytest.param([('"""A claim."""', '"""Another opening."""\n# and a comment')], id="comments"),
        pytest.param([('    """The loss at the end."""\n', "")], id="docstrings"),
        pytest.param([("below=0.5, of_seeds=0.8", "\n        below=0.50,\n        of_seeds=0.8")], id="layout"),
        pytest.param([('    kind="law",\n', ""), ('    unit="loss"', '    kind="law",\n    unit="loss"')], id="order"),
        pytest.param([("SETTING_B, Claim, Control", "Control, SETTING_B, Claim")], id="order of imports"),
        pytest.param([("import numpy as np\n", "")], id="an import that nothing uses"),
        pytest.param([("LAST = -1", "LAST: int = -1"), ("trial: Trial", "trial: 'Trial'")], id="annotations"),
        pytest.param([('beside={"setting B": SETTING_B}', 'further={"B": SETTING_A}')], id="settings beside"),
        pytest.param([("SETTING_A.but(width=50)", "SETTING_A.but(width=60)")], id="shared settings beside"),
    ],
)
def test_what_is_no_part_of_a_claim_changes_none(register: ModuleType, replacements: list[tuple[str, str]]) -> None:
    assert not changed(register, *replacements)


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("measure=end", "measure=start", {"effect"}),
        ("LAST = -1", "LAST = -2", {"effect"}),
        (".loss[at]", ".loss[at] + 1", {"effect", "controls"}),
        ("level=0.95", "level=0.9", {"threshold"}),
        ('kind="law"', 'kind="tendency"', {"threshold"}),
        ("domain=paper_domain()", "domain=Domain(SETTING_B)", {"domain"}),
        ("0.1, 0.2", "0.1, 0.3", {"domain"}),
        ("measure=start", "measure=end", {"controls"}),
        ("_loss(trial, 0)", "_loss(trial, 1)", {"controls"}),
        ("    unit=", "    positive=Control(plant=end),\n    unit=", {"controls"}),
        ("trial: True", "trial: False", {"precondition"}),
        ("    unit=", '    arms={"run": start},\n    unit=', {"arms"}),
        ("    unit=", "    probe=Trail(),\n    unit=", {"recording"}),
        ("    unit=", "    also=(end,),\n    unit=", {"further conditions"}),
        ("    unit=", "    of_tomorrow=1,\n    unit=", {"other"}),
        ('"half": HALF', '"half": 3', {"cut-offs"}),
        ("    unit=", '    rules="gd",\n    unit=', {"update rules"}),
        ("the loss falls", "it falls", {"wording"}),
        ("at the start", "before", {"wording"}),
    ],
)
def test_a_change_is_of_the_parts_that_use_what_changed(
    register: ModuleType, old: str, new: str, parts: set[str]
) -> None:
    assert changed(register, (old, new)) == parts


@pytest.mark.parametrize("text", ["claim = (", "claim = replace(other, level=0.9)", "claims = []"])
def test_a_file_that_is_read_otherwise_is_one_part(register: ModuleType, text: str) -> None:
    assert import_module("studies.register_parts").parts_of(text, REFERENCE) == {"other": text}
