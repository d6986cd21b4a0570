"""The register on histories that are no line: branches, renamed and copied claims, reports of other names."""

import json
from types import ModuleType

from tests.docs.planted_history import CLAIM, THRESHOLD, Repository, claims, falls, page


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
