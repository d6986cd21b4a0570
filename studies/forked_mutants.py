"""Tries the mutants that mutmut has made: every test once on the unchanged code, then for each mutant those that reach it.

    python studies/forked_mutants.py RESULTS PATTERN TEST [TEST ...]

`systematic_mutants` calls it in mutmut's folder `mutants`, by an interpreter that finds mutmut. Tests are collected once; each
mutant is then tried in a fork of this process, so that a mutant that is noticed costs hundredths of a second. What the
package's functions have cached is forgotten in the fork: the unchanged code has computed it. A test of more than one second
is left out. RESULTS is a JSON file that is gone on from, and PATTERN of the names that are tried, such as
`*`; a survivor is tried again.
"""

import functools
import importlib
import json
import os
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

sys.path.append(str(Path(__file__).resolve().parents[1]))
from studies.unshrunk import Unshrunk

_LEAST, _TIMES = 2.0, 5.0
"""Seconds of the processor that a mutant's tests may take, at least, and in those that they take on the unchanged code."""
_LONGEST = 1.0
"""Seconds of the processor that a test may take on the unchanged code; one that takes longer is left out."""
_WHICH = "MUTANT_UNDER_TEST"
"""The variable by which mutmut's functions know whether they are changed."""
_HERE = str(Path.cwd())
SETTLED = ("killed", "timeout")
"""Results of mutants that are not tried again."""


@dataclass
class Reach:
    """A test's seconds of the processor, and the functions that it reaches, by mutmut's names."""

    item: pytest.Item
    seconds: float = 0.0
    functions: set[str] = field(default_factory=set)


class Mutants:
    """A plugin of pytest that runs the tests of this session for every mutant in place of once."""

    def __init__(self, names: Sequence[str], results: Path) -> None:
        self._names, self._results = names, results

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Take the place of pytest's own loop."""
        if not session.testsfailed:
            reached = [test for test in map(_reached, session.items) if test.seconds <= _LONGEST]
            tests, caches = sorted(reached, key=lambda test: test.seconds), _caches()
            for name in self._names:
                self._keep(name, _fate(name, tests, caches))
        return True

    def _keep(self, name: str, result: str) -> None:
        known = read(self._results)
        draft = self._results.with_suffix(".draft")
        draft.write_text(json.dumps(known | {name: result}, indent=1) + "\n", encoding="utf-8")
        draft.replace(self._results)
        print(f"{result}: {name}", flush=True)


def read(results: Path) -> dict[str, str]:
    """Results by the mutants' names."""
    known: dict[str, str] = json.loads(results.read_text(encoding="utf-8")) if results.exists() else {}
    return known


def made(folder: Path) -> Iterator[str]:
    """The names of all mutants that mutmut has made in a folder."""
    for file in sorted((folder / "spikecheck").rglob("*.py.meta")):
        yield from json.loads(file.read_text(encoding="utf-8"))["exit_code_by_key"]


def _reached(item: pytest.Item) -> Reach:
    """Run a test on the unchanged code.

    Raises:
        RuntimeError: it does not pass.
    """
    test = Reach(item)
    # Found only in mutmut's environment; the name that the module uses itself.
    trampoline = importlib.import_module("mutmut.mutation.trampoline")
    trampoline.__dict__["record_trampoline_hit"] = lambda function, **_: test.functions.add(function)
    os.environ[_WHICH] = "stats"
    began = time.process_time()
    if not _passes(item):
        raise RuntimeError(f"{item.nodeid}: fails without a mutant")
    test.seconds = time.process_time() - began
    os.environ[_WHICH] = ""
    return test


def _passes(item: pytest.Item) -> bool:
    return all(report.outcome != "failed" for report in runtestprotocol(item, log=False, nextitem=None))


def _caches() -> list[Any]:
    """Functions of modules in this folder that remember what they have returned."""
    modules = [one for one in list(sys.modules.values()) if str(getattr(one, "__file__", None)).startswith(_HERE)]
    values = [value for module in modules for value in vars(module).values()]
    return [value for value in values if isinstance(value, functools._lru_cache_wrapper)]


def _fate(name: str, tests: Sequence[Reach], caches: Sequence[Any]) -> str:
    """What becomes of a mutant: the quickest test that reaches it comes first."""
    function = name.rpartition("__mutmut_")[0]
    reaching = [test for test in tests if function in test.functions]
    if not reaching:
        return "no tests"
    child = os.fork()
    if not child:
        for cached in caches:
            cached.cache_clear()
        _try(name, reaching)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return {0: "survived", 1: "killed"}.get(code, "timeout" if code < 0 else "suspicious")


def _try(name: str, tests: Sequence[Reach]) -> None:
    """In the fork: exit with 1 at the first test that fails, with 0 if none does."""
    most = int(max(_LEAST, _TIMES * sum(test.seconds for test in tests)))
    resource.setrlimit(resource.RLIMIT_CPU, (most, most))
    os.environ[_WHICH] = name
    code = 2
    try:
        code = int(not all(_passes(test.item) for test in tests))
    finally:
        os._exit(code)


def main() -> None:
    """Try what is not settled, of the names that fit."""
    results, pattern, tests = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    known = read(results)
    names = [name for name in made(Path()) if fnmatch(name, pattern) and known.get(name) not in SETTLED]
    line = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", *tests]
    raise SystemExit(int(pytest.main(line, plugins=[Mutants(names, results), Unshrunk()])))


if __name__ == "__main__":
    main()
