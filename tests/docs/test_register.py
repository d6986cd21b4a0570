"""The register says of planted histories when a claim was written, judged and changed; the committed one is the history's."""

import os
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from types import ModuleType

from tests.docs.planted_history import THRESHOLD, Repository, falls, page

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "studies" / "register.py"


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


def test_a_new_digest_of_the_same_text_is_no_new_start(register: ModuleType, repository: Repository) -> None:
    repository.judge(falls="aa")
    both = repository.commit("Written and judged")
    repository.judge(falls="bb")
    repository.commit("Digests of more")
    found = falls(register, repository)
    assert (found["registered"], found["specification"]) == ("with", "bb")
    assert found["first_verdict_on_present_text"] == both
    assert "| same text, new digest: specification `bb`, reports/reproduction.json |" in page(register, repository)


def test_decisions_that_name_a_claim_are_linked(register: ModuleType, repository: Repository) -> None:
    repository.write("docs/decisions.md", "# Decisions\n\n## Why `falls` is at 0.5, and not lower\n\nNo.\n\n## Else\n")
    repository.write("docs/decisions/one.md", "# One more\n\nOf `falls`.\n")
    repository.commit("Written")
    assert (
        "Decisions that name it: [Why `falls` is at 0.5, and not lower](decisions.md#why-falls-is-at-05-and-not-lower); "
        "[One more](decisions/one.md#one-more)." in page(register, repository)
    )


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
