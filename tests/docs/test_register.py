"""The register of claims says of planted histories what was planted, and the committed one is what the history says."""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

NAMES = ("register", "register_entries", "register_git", "register_page", "register_parts")
ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "studies" / "register.py"

REFERENCE = """
from spikecheck.core.setting import Setting
from spikecheck.harness.domain import Domain, Ladder

SETTING_A = Setting(width=20)
SETTING_B = SETTING_A.but(width=50)


def paper_domain() -> Domain:
    return Domain(SETTING_A, lr=Ladder(0.1, 0.2))
"""
CLAIM = '''"""A claim."""

import numpy as np

from spikecheck import SETTING_B, Claim, Control, Prediction, Trial, paper_domain

LAST = -1
HALF = 2


def end(trial: Trial) -> float:
    """The loss at the end."""
    start = LAST
    return _loss(trial, start)


def _loss(trial: Trial, at: int) -> float:
    return float(trial["run"].loss[at])


def start(trial: Trial) -> float:
    return _loss(trial, 0)


claim = Claim(
    says="the loss falls",
    where="folklore",
    kind="law",
    domain=paper_domain(),
    beside={"setting B": SETTING_B},
    applies=lambda trial: True,
    measure=end,
    unit="loss",
    predicts=Prediction(below=0.5, of_seeds=0.8, level=0.95),
    control=Control(says="at the start", measure=start),
    cutoffs={"half": HALF},
)
'''
THRESHOLD = ("below=0.5", "below=0.6")


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The script's module, imported as it imports its own."""
    yield import_module("studies.register")
    for name in NAMES:
        sys.modules.pop(f"studies.{name}", None)


@dataclass
class Repository:
    """A small git repository with a claim `falls` in the working tree; a commit a day."""

    folder: Path
    days: int = 0

    def git(self, *arguments: str) -> str:
        date = f"2026-01-{max(self.days, 1):02}T12:00:00+00:00"
        environment = {
            **os.environ,
            "GIT_AUTHOR_DATE": date,
            "GIT_COMMITTER_DATE": date,
            "GIT_CONFIG_GLOBAL": os.devnull,
        }
        line = ["git", "-c", "user.name=x", "-c", "user.email=x@x.x", "-c", "init.defaultBranch=main", *arguments]
        done = subprocess.run(line, cwd=self.folder, env=environment, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def write(self, path: str, text: str) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text, encoding="utf-8")

    def edit(self, path: str, *replacements: tuple[str, str]) -> None:
        text = (self.folder / path).read_text(encoding="utf-8")
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        self.write(path, text)

    def judge(self, file: str = "reproduction", /, **specifications: str) -> None:
        """A report in the working tree; commits with nothing else new have another `seconds`."""
        claims = [{"id": name.replace("_", "-"), "specification": digest} for name, digest in specifications.items()]
        report = {"schema": "spikecheck/report@1", "seconds": self.days, "claims": claims}
        self.write(f"reports/{file}.json", json.dumps(report))

    def commit(self, subject: str) -> str:
        self.days += 1
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", subject)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "repository")
    made.write("spikecheck/harness/paper_settings.py", REFERENCE)
    made.write("claims/falls.py", CLAIM)
    made.git("init", "-q")
    return made


def claims(register: ModuleType, repository: Repository) -> Mapping[str, Any]:
    """The table for programs, by the ids of the claims; commits by their ids alone."""
    found = tomllib.loads(register.written(repository.folder)["claims/register.toml"])["claim"]
    plain: dict[str, Any] = {
        claim: {key: value["commit"] if isinstance(value, dict) else value for key, value in entry.items()}
        for claim, entry in found.items()
    }
    return plain


def falls(register: ModuleType, repository: Repository) -> Mapping[str, Any]:
    found: Mapping[str, Any] = claims(register, repository)["falls"]
    return found


def page(register: ModuleType, repository: Repository) -> str:
    return str(register.written(repository.folder)["docs/register.md"])


def test_a_text_committed_before_its_verdict_is_registered(register: ModuleType, repository: Repository) -> None:
    written = repository.commit("Written")
    repository.judge(falls="aa")
    judged = repository.commit("Judged")
    assert falls(register, repository) == {
        "written": written,
        "first_verdict": judged,
        "first_verdict_on_present_text": judged,
        "specification": "aa",
        "registered": "before",
        "changed_before_first_verdict": [],
        "changed_after_first_verdict": [],
    }
    text = page(register, repository)
    assert f"| `{written[:7]}` 2026-01-01 | `{judged[:7]}` 2026-01-02 | `{judged[:7]}` 2026-01-02 | yes |  |  |" in text
    assert f"| `{written[:7]}` 2026-01-01 | written | Written |" in text
    assert f"| threshold | `{written[:7]}` 2026-01-01 | `{written[:7]}` 2026-01-01 |" in text
    assert "Registered before their data: 1 of 1 claims; 1 of these are unchanged since their first verdict." in text


def test_text_and_verdict_in_one_commit_are_not_shown_to_be_in_order(
    register: ModuleType, repository: Repository
) -> None:
    repository.judge(falls="aa")
    both = repository.commit("Written and judged")
    found = falls(register, repository)
    assert (found["registered"], found["written"], found["first_verdict"]) == ("with", both, both)
    assert "| in one commit with it: not shown to be before |" in page(register, repository)


def test_a_change_in_one_commit_with_the_first_verdict_came_neither_before_nor_after(
    register: ModuleType, repository: Repository
) -> None:
    repository.commit("Written")
    repository.edit("claims/falls.py", THRESHOLD)
    repository.judge(falls="aa")
    both = repository.commit("Changed and judged")
    found = falls(register, repository)
    assert (found["registered"], found["written"], found["first_verdict"]) == ("with", both, both)
    assert not found["changed_before_first_verdict"] and not found["changed_after_first_verdict"]


def test_a_claim_without_a_verdict_is_not_judged(register: ModuleType, repository: Repository) -> None:
    written = repository.commit("Written")
    found = falls(register, repository)
    assert (found["registered"], found["written"]) == ("not judged", written)
    assert "first_verdict" not in found and "specification" not in found
    assert "No report holds a verdict on it." in page(register, repository)


def test_a_text_changed_after_its_verdict_is_not_judged(register: ModuleType, repository: Repository) -> None:
    repository.commit("Written")
    repository.judge(falls="aa")
    judged = repository.commit("Judged")
    repository.edit("claims/falls.py", THRESHOLD)
    changed = repository.commit("It did not hold at 0.5")
    found = falls(register, repository)
    assert (found["registered"], found["written"], found["first_verdict"]) == ("not judged", changed, judged)
    assert found["changed_after_first_verdict"] == ["threshold"]
    assert "first_verdict_on_present_text" not in found
    assert f"| `{changed[:7]}` 2026-01-03 | threshold | It did not hold at 0.5 |" in page(register, repository)


def test_a_changed_threshold_judged_anew_is_registered_and_said_to_be_changed(
    register: ModuleType, repository: Repository
) -> None:
    repository.commit("Written")
    repository.judge(falls="aa")
    first = repository.commit("Judged")
    repository.edit("claims/falls.py", THRESHOLD)
    changed = repository.commit("A threshold | of 0.6")
    repository.judge(falls="bb")
    again = repository.commit("Judged anew")
    found = falls(register, repository)
    assert (found["registered"], found["written"]) == ("before", changed)
    assert (found["first_verdict"], found["first_verdict_on_present_text"]) == (first, again)
    assert (found["specification"], found["changed_after_first_verdict"]) == ("bb", ["threshold"])
    text = page(register, repository)
    assert "1 of 1 claims; 0 of these are unchanged since their first verdict." in text
    assert r"| threshold | A threshold \| of 0.6 |" in text
    assert "| verdict on the changed text: specification `bb`, reports/reproduction.json | Judged anew |" in text


def test_a_change_between_writing_and_first_verdict_is_named(register: ModuleType, repository: Repository) -> None:
    repository.commit("Written")
    repository.edit("claims/falls.py", THRESHOLD)
    changed = repository.commit("Changed")
    repository.judge(falls="aa")
    repository.commit("Judged")
    found = falls(register, repository)
    assert (found["registered"], found["written"]) == ("before", changed)
    assert found["changed_before_first_verdict"] == ["threshold"] and not found["changed_after_first_verdict"]


def test_comments_and_wording_change_nothing(register: ModuleType, repository: Repository) -> None:
    repository.commit("Written")
    repository.judge(falls="aa")
    repository.commit("Judged")
    before = falls(register, repository)
    repository.edit(
        "claims/falls.py", ('"""A claim."""', '"""Another."""\n# With a comment.'), ("the loss falls", "it falls")
    )
    changed = repository.commit("In other words")
    assert falls(register, repository) == before
    assert f"| `{changed[:7]}` 2026-01-03 | wording | In other words |" in page(register, repository)


def test_shared_settings_count_where_the_domain_uses_them(register: ModuleType, repository: Repository) -> None:
    repository.commit("Written")
    repository.judge(falls="aa")
    repository.commit("Judged")
    repository.edit("spikecheck/harness/paper_settings.py", ("but(width=50)", "but(width=60)"))
    repository.commit("What stands beside")
    assert falls(register, repository)["registered"] == "before"
    repository.edit("spikecheck/harness/paper_settings.py", ("Setting(width=20)", "Setting(width=30)"))
    moved = repository.commit("What the domain starts from")
    found = falls(register, repository)
    assert (found["registered"], found["written"]) == ("not judged", moved)
    assert found["changed_after_first_verdict"] == ["domain"]


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


def test_a_new_digest_of_the_same_text_is_no_new_start(register: ModuleType, repository: Repository) -> None:
    repository.judge(falls="aa")
    both = repository.commit("Written and judged")
    repository.judge(falls="bb")
    repository.commit("Digests of more")
    found = falls(register, repository)
    assert (found["registered"], found["specification"]) == ("with", "bb")
    assert found["first_verdict_on_present_text"] == both
    assert "| same text, new digest: specification `bb`, reports/reproduction.json |" in page(register, repository)


def test_a_verdict_that_was_there_before_the_text_does_not_count_for_it(
    register: ModuleType, repository: Repository
) -> None:
    repository.commit("Written")
    repository.judge(falls="aa")
    judged = repository.commit("Judged")
    repository.edit("claims/falls.py", THRESHOLD)
    repository.commit("Changed")
    repository.judge(falls="aa", other="cc")
    repository.commit("A report with the old verdict in it")
    found = falls(register, repository)
    assert (found["registered"], found["first_verdict_on_present_text"]) == ("after", judged)


def test_a_text_taken_up_again_was_known_to_hold(register: ModuleType, repository: Repository) -> None:
    repository.commit("Written")
    for digest, replacement in (("aa", THRESHOLD), ("bb", THRESHOLD[::-1])):
        repository.judge(falls=digest)
        repository.commit("Judged")
        repository.edit("claims/falls.py", replacement)
        repository.commit("Changed")
    repository.judge(falls="aa")
    repository.commit("Judged once more")
    assert falls(register, repository)["registered"] == "after"


def test_a_first_report_of_another_name_counts(register: ModuleType, repository: Repository) -> None:
    repository.commit("Written")
    repository.judge("first", falls="aa")
    repository.write("reports/bench.json", json.dumps({"claims": 3}))
    repository.write("reports/broken.json", "{")
    first = repository.commit("Judged")
    (repository.folder / "reports" / "first.json").unlink()
    repository.judge(falls="aa")
    repository.commit("The reports have one name now")
    assert falls(register, repository)["first_verdict"] == first


def test_a_report_that_a_commit_leaves_alone_is_not_of_that_commit(
    register: ModuleType, repository: Repository
) -> None:
    repository.commit("Written")
    repository.judge("first", falls="aa")
    repository.judge(falls="aa")
    repository.commit("Judged")
    repository.edit("claims/falls.py", THRESHOLD)
    repository.commit("Changed")
    (repository.folder / "reports" / "first.json").unlink()
    repository.commit("One report is enough")
    assert falls(register, repository)["registered"] == "not judged"


def test_a_renamed_claim_keeps_its_history_and_a_copy_has_none(register: ModuleType, repository: Repository) -> None:
    written = repository.commit("Written")
    repository.judge(falls="aa")
    first = repository.commit("Judged")
    repository.git("mv", "claims/falls.py", "claims/sinks_down.py")
    repository.commit("Renamed")
    repository.write("claims/copy.py", CLAIM)
    copied = repository.commit("Copied")
    repository.judge(sinks_down="aa", copy="aa")
    repository.commit("Judged anew")
    found = claims(register, repository)
    assert (found["sinks-down"]["written"], found["sinks-down"]["first_verdict"]) == (written, first)
    assert found["copy"]["written"] == copied
    assert found["copy"]["registered"] == found["sinks-down"]["registered"] == "before"
    text = page(register, repository)
    assert "Judged once and no longer there: none." in text
    assert "## sinks-down\n\nCalled `falls` before. Registered before its data: yes." in text


def test_a_claim_that_was_taken_out_is_named(register: ModuleType, repository: Repository) -> None:
    repository.write("claims/rises.py", CLAIM)
    repository.commit("Written")
    repository.judge(falls="aa", rises="bb")
    repository.commit("Judged")
    (repository.folder / "claims" / "rises.py").unlink()
    repository.commit("It did not hold")
    assert list(claims(register, repository)) == ["falls"]
    assert "Judged once and no longer there: `rises`." in page(register, repository)


def test_a_merged_branch_counts_once_and_where_it_was_committed(register: ModuleType, repository: Repository) -> None:
    repository.commit("Written")
    repository.git("checkout", "-q", "-b", "branch")
    repository.edit("claims/falls.py", THRESHOLD)
    changed = repository.commit("Changed beside")
    repository.git("checkout", "-q", "main")
    repository.judge(falls="aa")
    repository.commit("Judged")
    repository.git("merge", "-q", "--no-ff", "-m", "Merge", "branch")
    repository.judge(falls="bb")
    repository.commit("Judged anew")
    found = falls(register, repository)
    assert (found["written"], found["registered"]) == (changed, "before")
    assert found["changed_after_first_verdict"] == ["threshold"]
    assert " | Merge |" not in page(register, repository)


def test_a_verdict_on_a_branch_whose_files_were_not_taken_over_counts(
    register: ModuleType, repository: Repository
) -> None:
    repository.commit("Written")
    repository.git("checkout", "-q", "-b", "branch")
    repository.judge(falls="aa")
    seen = repository.commit("Judged beside")
    repository.git("checkout", "-q", "main")
    repository.edit("claims/falls.py", THRESHOLD)
    changed = repository.commit("Changed")
    repository.git("merge", "-q", "-s", "ours", "-m", "Merge", "branch")
    found = falls(register, repository)
    assert (found["written"], found["first_verdict"], found["registered"]) == (changed, seen, "not judged")
    assert found["changed_after_first_verdict"] == ["threshold"]


def test_one_change_on_two_branches_is_seen_on_both(register: ModuleType, repository: Repository) -> None:
    repository.commit("Written")
    repository.git("checkout", "-q", "-b", "branch")
    repository.edit("claims/falls.py", THRESHOLD)
    repository.commit("Changed beside")
    repository.git("checkout", "-q", "main")
    repository.edit("claims/falls.py", THRESHOLD)
    repository.commit("Changed")
    repository.git("merge", "-q", "--no-ff", "-m", "Merge", "branch")
    text = page(register, repository)
    assert "| threshold | Changed beside |" in text and "| threshold | Changed |" in text


def test_decisions_that_name_a_claim_are_linked(register: ModuleType, repository: Repository) -> None:
    repository.write("docs/decisions.md", "# Decisions\n\n## Why `falls` is at 0.5, and not lower\n\nNo.\n\n## Else\n")
    repository.write("docs/decisions/one.md", "# One more\n\nOf `falls`.\n")
    repository.commit("Written")
    assert (
        "Decisions that name it: [Why `falls` is at 0.5, and not lower](decisions.md#why-falls-is-at-05-and-not-lower); "
        "[One more](decisions/one.md#one-more)." in page(register, repository)
    )


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


def test_shared_settings_in_a_renamed_file_are_the_same(register: ModuleType, repository: Repository) -> None:
    """Regression: the file's new name alone was looked for, so its rename read as a change of every domain."""
    (repository.folder / "spikecheck/harness/paper_settings.py").rename(
        repository.folder / "spikecheck/harness/reference.py"
    )
    written = repository.commit("Written")
    repository.judge(falls="aa")
    repository.commit("Judged")
    (repository.folder / "spikecheck/harness/reference.py").rename(
        repository.folder / "spikecheck/harness/paper_settings.py"
    )
    repository.commit("Renamed")
    found = falls(register, repository)
    assert (found["written"], found["registered"], found["changed_after_first_verdict"]) == (written, "before", [])


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


def test_what_has_nothing_to_do_with_claims_leaves_the_register_as_it_is(
    register: ModuleType, repository: Repository
) -> None:
    repository.commit("Written")
    before = register.written(repository.folder)
    repository.write("README.md", "# Hello\n")
    repository.commit("README")
    assert register.written(repository.folder) == before


def called(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, str(SCRIPT), "--folder", str(folder)]
    return subprocess.run(line, env={**os.environ, **environment}, capture_output=True, text=True, check=False)


def assert_refused(done: subprocess.CompletedProcess[str], remedy: str) -> None:
    """One plain line, that says what to do."""
    assert done.returncode == 1 and not done.stdout
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1 and remedy in done.stderr


def test_the_script_writes_both_files(register: ModuleType, repository: Repository) -> None:
    repository.commit("Written")
    (repository.folder / "docs").mkdir()
    done = called(repository.folder)
    assert done.returncode == 0, done.stderr
    for path, text in register.written(repository.folder).items():
        assert (repository.folder / path).read_text(encoding="utf-8") == text


def test_a_shallow_clone_is_refused(repository: Repository, tmp_path: Path) -> None:
    repository.commit("Written")
    repository.commit("Nothing")
    repository.git("clone", "-q", "--depth", "1", repository.folder.as_uri(), str(tmp_path / "shallow"))
    assert_refused(called(tmp_path / "shallow"), "git fetch --unshallow")
    assert not (tmp_path / "shallow" / "docs").exists()


def test_without_a_repository_or_git_it_is_refused(repository: Repository, tmp_path: Path) -> None:
    repository.commit("Written")
    assert_refused(called(tmp_path), "run this in a full clone")
    assert_refused(called(repository.folder / "claims"), "run this in a full clone")
    assert_refused(called(repository.folder, PATH=""), "install it")
    (repository.folder / "claims" / "falls.py").unlink()
    repository.commit("No claims")
    assert_refused(called(repository.folder), "run this in a clone of spikecheck")


def test_the_committed_register_is_what_the_history_says(register: ModuleType) -> None:
    """A full clone compares; where there is no full history, the script must say so and leave the files alone."""
    files = {path: (ROOT / path).read_text(encoding="utf-8") for path in ("docs/register.md", "claims/register.toml")}
    newest = tomllib.loads(files["claims/register.toml"])["history"]
    try:
        register.History.of(ROOT)
    except register.NoHistory as error:
        assert_refused(called(ROOT), str(error))
        assert all((ROOT / path).read_text(encoding="utf-8") == text for path, text in files.items())
    else:
        assert register.written(ROOT, newest) == files


def test_page_and_table_agree(register: ModuleType) -> None:
    answers = import_module("studies.register_page").ANSWERS
    text = (ROOT / "docs" / "register.md").read_text(encoding="utf-8")
    table = tomllib.loads((ROOT / "claims" / "register.toml").read_text(encoding="utf-8"))
    assert f"`{table['history'][:7]}`" in text
    for claim, entry in table["claim"].items():
        (row,) = (line for line in text.splitlines() if line.startswith(f"| [`{claim}`](#{claim}) |"))
        assert f"| {answers[entry['registered']]} |" in row and entry["written"]["commit"][:7] in row
        section = text.partition(f"\n## {claim}\n")[2].partition("\n## ")[0]
        assert f"Registered before its data: {answers[entry['registered']]}." in section
