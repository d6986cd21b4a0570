"""The pytest plugin in every way in which pytest is run: the same six answers, and nothing in runs that have no claims."""

import sys
from collections.abc import Callable
from typing import NamedTuple
from xml.etree import ElementTree

import pytest

TEST_EXTRA = (
    *("beartype", "build", "check_jsonschema", "hatchling", "jsonschema", "pytest_benchmark", "pytest_randomly"),
    *("xdist", "yaml", "triton", "distributed", "submitit"),
)

BLOCKED = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocked())

def pytest_sessionfinish():
    assert not set({names!r}) & set(sys.modules)
"""


class Way(NamedTuple):
    """How pytest is run."""

    options: tuple[str, ...] = ()
    alone: bool = False
    """Whether no plugin is loaded but the named ones."""
    blocked: tuple[str, ...] = ()
    """Packages that cannot be imported."""


WAYS = {
    "serial": Way(("-p", "no:randomly")),
    "two workers": Way(("-p", "no:randomly", "-n", "2")),
    "two workers, grouped": Way(("-p", "no:randomly", "-n", "2", "--dist", "loadgroup")),
    "random order": Way(("-p", "randomly", "-p", "no:xdist")),
    "importlib": Way(("-p", "no:randomly", "--import-mode=importlib")),
    "autoload disabled": Way(("-p", "_spikecheck_pytest"), alone=True),
    "without the test extra": Way(("-p", "_spikecheck_pytest"), alone=True, blocked=TEST_EXTRA),
}


@pytest.fixture
def project(all_imported: None, pytester: pytest.Pytester, small_claim: Callable[..., str]) -> pytest.Pytester:
    """A project with a true claim and a false one."""
    pytester.makeini("[pytest]\nspikecheck_store = store\n")
    (pytester.path / "claims").mkdir()
    (pytester.path / "claims" / "lowers.py").write_text(small_claim())
    (pytester.path / "claims" / "nought.py").write_text(small_claim(below=1e-6))
    return pytester


def block(project: pytest.Pytester, *names: str) -> None:
    project.makeconftest(BLOCKED.format(names=names))


@pytest.mark.parametrize("name", WAYS)
def test_each_way_gives_the_same_six_answers(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    way = WAYS[name]
    if way.alone:
        monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    if way.blocked:
        block(project, *way.blocked)
    result = project.runpytest_subprocess("claims", "--junitxml=out.xml", *way.options)
    result.assert_outcomes(passed=4, failed=2)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    cases = list(ElementTree.parse(project.path / "out.xml").iter("testcase"))
    answers = {
        (str(case.get("classname")).rpartition(".")[2], case.get("name"), prop.get("value"))
        for case in cases
        for prop in case.iter("property")
        if prop.get("name") == "outcome"
    }
    assert answers == {
        ("lowers", "replicates", "holds"),
        ("lowers", "generalises", "holds"),
        ("lowers", "control", "fails"),
        ("nought", "replicates", "fails"),
        ("nought", "generalises", "fails"),
        ("nought", "control", "fails"),
    }
    assert sum(case.find("failure") is not None for case in cases) == 2


@pytest.mark.parametrize("mode", ["prepend", "append", "importlib"])
def test_collecting_lists_every_question_and_trains_and_imports_nothing(project: pytest.Pytester, mode: str) -> None:
    block(project, "torch")
    result = project.runpytest_subprocess(
        "claims", "--collect-only", "-q", f"--import-mode={mode}", "-p", "no:randomly"
    )
    expected = [f"claims/{c}.py::{q}" for c in ("lowers", "nought") for q in ("replicates", "generalises", "control")]
    assert [line for line in result.outlines if "::" in line] == expected
    assert result.ret == 0
    assert not (project.path / "store").exists()


def test_without_torch_other_tests_pass_and_a_claim_fails_in_one_line(project: pytest.Pytester) -> None:
    block(project, "torch")
    project.makepyfile(test_plain="def test_it():\n    pass\n")
    result = project.runpytest_subprocess("test_plain.py", "claims/lowers.py", "-p", "no:randomly", "-rN")
    result.assert_outcomes(passed=1, failed=3)
    result.stdout.fnmatch_lines(["No module named 'torch': claims are judged on trained models; pip install torch"])
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*_spikecheck_pytest.py:*")


def test_the_first_failure_ends_the_run_and_the_failed_items_run_first(project: pytest.Pytester) -> None:
    serial = ("-p", "no:randomly", "-v")
    first = project.runpytest_inprocess("claims", "-x", *serial)
    first.assert_outcomes(passed=3, failed=1)
    again = project.runpytest_inprocess("claims", "--lf", *serial)
    again.assert_outcomes(failed=1)
    before = project.runpytest_inprocess("claims", "--ff", "-k", "replicates or control", *serial)
    before.assert_outcomes(passed=3, failed=1)
    assert "nought.py::replicates FAILED" in next(line for line in before.outlines if ".py::" in line)


def test_a_plugin_that_is_switched_off_collects_nothing_and_breaks_nothing(project: pytest.Pytester) -> None:
    project.makepyfile(test_plain="def test_it():\n    pass\n")
    project.makeini("[pytest]\n")
    result = project.runpytest_inprocess("-p", "no:spikecheck", "-p", "no:randomly")
    result.assert_outcomes(passed=1)


def test_a_project_without_claims_imports_nothing_of_it_whatever_it_collects(pytester: pytest.Pytester) -> None:
    """Modules, packages, doctests and a folder of claims that are somebody else's."""
    heavy = {"torch", "numpy", "spikecheck", "pydantic", "scipy"}
    pytester.makeconftest(f"import sys\ndef pytest_sessionfinish():\n    assert not {heavy!r} & set(sys.modules)\n")
    (pytester.path / "claims").mkdir()
    (pytester.path / "claims" / "insured.py").write_text('"""Claims of the insured."""\nclaim = 3\n')
    pytester.makepyfile(
        test_it="def test_it():\n    pass\n",
        module="def double(x):\n    '>>> double(2)\\n4'\n    return 2 * x\n",
    )
    off = [
        word
        for name in ("hypothesispytest", "jaxtyping", "randomly", "xdist", "benchmark")
        for word in ("-p", f"no:{name}")
    ]
    result = pytester.runpytest_subprocess("--doctest-modules", *off)
    result.assert_outcomes(passed=2)
    assert result.ret == 0


def test_the_plugin_is_what_is_tested_here() -> None:
    """The entry point names the module beside this checkout's package."""
    assert "_spikecheck_pytest" in sys.modules
