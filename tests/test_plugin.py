"""`pytest claims` end to end, on real trainings of a small claim."""

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

Write = Callable[..., None]


@pytest.fixture
def claims(all_imported: None, pytester: pytest.Pytester) -> pytest.Pytester:
    # pytest-randomly shuffles items, and the shuffled order would be what is tested.
    pytester.makeini("[pytest]\nspikecheck_store = store\naddopts = -p no:randomly\n")
    (pytester.path / "claims").mkdir()
    return pytester


@pytest.fixture
def write(claims: pytest.Pytester, small_claim: Callable[..., str]) -> Write:
    """Write a claim into the project's folder."""

    def written(name: str, **parts: object) -> None:
        (claims.path / "claims" / f"{name}.py").write_text(small_claim(**parts))

    return written


def test_a_true_claim_passes_as_three_items(claims: pytest.Pytester, write: Write) -> None:
    write("lowers")
    result = claims.runpytest_subprocess("claims", "-v")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines([f"*claims/lowers.py::{q} PASSED*" for q in ("replicates", "generalises", "control")])


@pytest.mark.parametrize("kind", ["law", "tendency"])
def test_a_false_claim_fails_in_words_without_a_traceback(claims: pytest.Pytester, write: Write, kind: str) -> None:
    """A tendency too: a claim that fails at its reference has no edge to be tolerated."""
    write("nought", below=1e-6, kind=kind)
    result = claims.runpytest_inprocess("claims")
    result.assert_outcomes(failed=2, passed=1)
    result.stdout.fnmatch_lines(["nought: FAILS", "held in 0 of 32 applicable*", "effect, ratio: mean *, median *"])
    result.stdout.fnmatch_lines(["decides: the share of seeds, which must be at least 80 %; *", "rule: ratio < 1e-06*"])
    result.stdout.fnmatch_lines(["stops holding at the reference setting: held in 0 of 32 seeds, mean *"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_control_that_holds_fails_its_item_and_makes_the_claim_invalid(claims: pytest.Pytester, write: Write) -> None:
    write("toothless", control="fall")
    result = claims.runpytest_inprocess("claims", "-v")
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(["*::replicates INVALID*", "*::control FAILED*"])
    result.stdout.fnmatch_lines(["Its figures prove nothing*", "toothless: INVALID"])
    result.stdout.fnmatch_lines(["Its negative control*", "toothless: CONTROL DID NOT FAIL"])


@pytest.mark.parametrize(("options", "result"), [([], "passed"), (["--spikecheck-strict"], "failed")])
def test_where_a_tendency_stops_holding_is_told_and_fails_only_if_strict(
    claims: pytest.Pytester, write: Write, options: list[str], result: str
) -> None:
    write("edged", below=0.99, kind="tendency", rung=", 1e-9")
    done = claims.runpytest_inprocess("claims", "-rP", "-k", "generalises", "--junitxml=out.xml", *options)
    done.assert_outcomes(**{result: 1}, deselected=2)
    done.stdout.fnmatch_lines(
        ["*stops holding at lr=1e-09: held in 0 of 32 seeds, mean *", "spikecheck replay edged --at lr=1e-09 *"]
    )
    assert "spikecheck replay edged --at lr=1e-09" in (claims.path / "out.xml").read_text()


def test_a_law_fails_where_it_is_refuted(claims: pytest.Pytester, write: Write) -> None:
    write("refuted", below=0.99, kind="law", rung=", 1e-9")
    result = claims.runpytest_inprocess("claims")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["refuted: FAILS", "stops holding at lr=1e-09*"])


@pytest.mark.parametrize("options", [(), ("--spikecheck-strict",)])
def test_where_it_stops_holding_is_told_once_with_that_settings_figures(
    claims: pytest.Pytester, write: Write, options: tuple[str, ...]
) -> None:
    """Regression: a failing item told it twice, and its figures were the reference's."""
    write("edged", below=0.99, kind="tendency", rung=", 1e-9")
    done = claims.runpytest_inprocess("claims", "-rP", "-k", "generalises", "--junitxml=out.xml", *options)
    assert sum(line.startswith("stops holding at") for line in done.outlines) == 1
    (case,) = ElementTree.parse(claims.path / "out.xml").iter("testcase")
    told = {prop.get("name"): prop.get("value") for prop in case.iter("property")}
    assert told["held"] == "0/32"
    assert (told["estimand"], str(told["mean"]).partition(",")[0]) == ("share", "1")
    assert str(told["interval"]).startswith("0.000..0.1")
    done.stdout.no_fnmatch_line("held in 32 of 32 applicable*")


def test_a_domain_of_one_setting_skips_what_nothing_was_searched_for(claims: pytest.Pytester, write: Write) -> None:
    """Regression: `generalises` passed, and could not have failed."""
    write("alone")
    file = claims.path / "claims" / "alone.py"
    file.write_text(file.read_text().replace(", lr=Ladder(0.02, 0.01)", ""))
    result = claims.runpytest_inprocess("claims", "-rs")
    result.assert_outcomes(passed=2, skipped=1)
    result.stdout.fnmatch_lines(["*no setting but the reference was searched*"])


def test_shuffled_items_give_the_same_answers(claims: pytest.Pytester, write: Write) -> None:
    write("a")
    write("b", below=1e-6)
    result = claims.runpytest_subprocess("claims", "-o", "addopts=")
    result.assert_outcomes(passed=4, failed=2)


def test_k_and_x_and_lf_choose_items(claims: pytest.Pytester, write: Write) -> None:
    write("a")
    write("b", below=1e-6)
    claims.runpytest_inprocess("claims", "-k", "control").assert_outcomes(passed=2, deselected=4)
    claims.runpytest_inprocess("claims", "-x").assert_outcomes(passed=3, failed=1)
    result = claims.runpytest_inprocess("claims", "--lf")
    assert result.parseoutcomes().get("failed", 0) >= 1


def test_workers_agree_and_junit_holds_the_verdicts(claims: pytest.Pytester, write: Write) -> None:
    write("a")
    write("b", below=1e-6)
    result = claims.runpytest_subprocess("claims", "-n", "2", "--junitxml=out.xml")
    result.assert_outcomes(passed=4, failed=2)
    assert result.ret == 1
    cases = ElementTree.parse(claims.path / "out.xml").iter("testcase")
    told = {
        (case.get("name"), prop.get("value"))
        for case in cases
        for prop in case.iter("property")
        if prop.get("name") == "outcome"
    }
    assert ("replicates", "holds") in told
    assert ("replicates", "fails") in told


def test_a_broken_file_fails_in_one_line_and_the_others_still_run(claims: pytest.Pytester, write: Write) -> None:
    write("good")
    broken = "import nowhere\nfrom spikecheck import Claim\n\nclaim = Claim()\n"
    (claims.path / "claims" / "broken.py").write_text(broken)
    result = claims.runpytest_inprocess("claims")
    result.assert_outcomes(passed=3, failed=3)
    result.stdout.fnmatch_lines(["*broken.py: ModuleNotFoundError*nowhere*"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_another_package_may_have_claims_of_its_own(claims: pytest.Pytester) -> None:
    (claims.path / "claims" / "insured.py").write_text("from insurance import Claim\n\nclaim = Claim()\n")
    assert claims.runpytest_inprocess("claims").ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_every_file_that_is_listed_is_collected(claims: pytest.Pytester, write: Write) -> None:
    """One made from another by `replace`, one with a typo in its import, one that defines no claim: none passes unseen."""
    write("good")
    folder = claims.path / "claims"
    made = "from dataclasses import replace\nfrom importlib.util import module_from_spec, spec_from_file_location\n"
    made += f"spec = spec_from_file_location('good', {str(folder / 'good.py')!r})\n"
    made += "module = module_from_spec(spec)\nspec.loader.exec_module(module)\nclaim = replace(module.claim, says='again')\n"
    (folder / "again.py").write_text(made)
    (folder / "typo.py").write_text("from spikechek import Claim\n\nclaim = Claim()\n")
    (folder / "empty.py").write_text("nothing = 1\n")
    result = claims.runpytest_inprocess("claims")
    result.assert_outcomes(passed=6, failed=6)
    result.stdout.fnmatch_lines_random(["*typo.py: ModuleNotFoundError*spikechek*", "*empty.py: defines no claim*"])


def test_a_claim_is_collected_however_its_name_is_bound(claims: pytest.Pytester, write: Write) -> None:
    """Regression: outside ./claims a file whose claim was bound by a condition or a decorator was passed over."""
    write("lowers")
    text = (claims.path / "claims" / "lowers.py").read_text().replace("claim = Claim(", "made = Claim(")
    bindings = {
        "condition": "if True:\n    claim = made",
        "handler": "try:\n    import nowhere\nexcept ImportError:\n    claim = made",
        "loop": "for claim in [made]:\n    pass",
        "decorator": "@lambda function: made\ndef claim(): ...",
    }
    (claims.path / "elsewhere").mkdir()
    for name, bound in bindings.items():
        (claims.path / "elsewhere" / f"{name}.py").write_text(f"{text}\n{bound}\n")
    result = claims.runpytest_inprocess("elsewhere", "--collect-only", "-q")
    result.stdout.fnmatch_lines_random([f"elsewhere/{name}.py::replicates" for name in bindings])
    result.stdout.fnmatch_lines(["12 tests collected*"])


def test_two_files_of_one_id_fail_both(claims: pytest.Pytester, write: Write) -> None:
    write("one_claim")
    write("one-claim")
    result = claims.runpytest_inprocess("claims")
    result.assert_outcomes(failed=6)
    result.stdout.fnmatch_lines(["*one-claim.py: one_claim.py gives a claim of the same id, one-claim; rename*"])


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("--spikecheck-profile=fast", "*no profile is called 'fast'*"),
        ("--spikecheck-seed=x", "spikecheck_seed='x': give an integer*"),
        ("--spikecheck-store=/proc/nope", "store /proc/nope*"),
    ],
)
def test_an_option_that_cannot_be_used_is_one_line(
    claims: pytest.Pytester, write: Write, option: str, told: str
) -> None:
    write("good")
    result = claims.runpytest_inprocess("claims", "-k", "control", option)
    result.assert_outcomes(failed=1, deselected=2)
    result.stdout.fnmatch_lines([told])
    result.stdout.no_fnmatch_line("*_spikecheck_pytest.py:*")


def test_known_counterexamples_are_judged_first(claims: pytest.Pytester, write: Write) -> None:
    write("edged", below=0.99, kind="tendency")
    known = '[[counterexample]]\nclaim = "edged"\nat = {lr = 1e-9}\n'
    (claims.path / "claims" / "counterexamples.toml").write_text(known)
    result = claims.runpytest_inprocess("claims", "-k", "generalises", "--spikecheck-strict")
    result.assert_outcomes(failed=1, deselected=2)
    result.stdout.fnmatch_lines(["stops holding at lr=1e-09*"])


def test_strict_takes_no_path_for_its_value_and_false_in_the_ini_file_is_false(
    claims: pytest.Pytester, write: Write
) -> None:
    write("edged", below=0.99, kind="tendency", rung=", 1e-9")
    claims.makeini("[pytest]\nspikecheck_store = store\nspikecheck_strict = false\n")
    claims.runpytest_inprocess("claims", "-k", "generalises").assert_outcomes(passed=1, deselected=2)
    result = claims.runpytest_inprocess("--spikecheck-strict", "claims", "-k", "generalises")
    result.assert_outcomes(failed=1, deselected=2)


def test_ordinary_test_files_are_not_claims(claims: pytest.Pytester) -> None:
    claims.makepyfile(test_plain="from x import Claim\nclaim = Claim()\n")
    result = claims.runpytest_inprocess("test_plain.py")
    result.stdout.no_fnmatch_line("*::replicates*")


def test_an_unrelated_run_pays_nothing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_it="import sys\ndef test_it():\n"
        "    assert not {'torch', 'numpy', 'spikecheck', 'pydantic'} & set(sys.modules)\n"
    )
    result = pytester.runpytest_subprocess("-p", "no:hypothesispytest", "-p", "no:jaxtyping", "-p", "no:randomly")
    result.assert_outcomes(passed=1)


def test_the_papers_claims_are_collected() -> None:
    from spikecheck.harness.discover import BUILT_IN

    names = {path.stem for path in Path(BUILT_IN).glob("*.py")}
    assert {"slas", "threshold_two_sided", "ascent_rate", "stabilisation", "condensation"} <= names
