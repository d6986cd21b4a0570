"""Makes mistakes in a copy of the package, one at a time, and shows which named test notices each.

    python studies/code_mutants.py

Every named test must pass on the unchanged copy and fail on its mutant. Writes docs/code-mutants.md; exits with 1 if a mutant
survives a test that should notice it. What was tried is kept in reports/code-mutants.json, and is tried again where that file
is removed. Mistakes in what claims measure are in docs/mutants.md.
"""

import argparse
import importlib
import json
import os
import shutil
import signal
import sys
import tempfile
import traceback
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from spikecheck.core.whole_file import write_whole
from studies.code_mutants_further import FURTHER
from studies.code_mutants_kinds import MUTANTS as FIRST
from studies.code_mutants_kinds import CodeMutant
from studies.unshrunk import Unshrunk

MUTANTS = (*FIRST, *FURTHER)

HERE = Path(__file__).resolve().parents[1]
PAGE, TRIED = HERE / "docs" / "code-mutants.md", HERE / "reports" / "code-mutants.json"
SYSTEMATIC = HERE / "reports" / "systematic-mutants.json"
"""What `systematic_mutants` has found."""
_SYSTEMATIC_HEAD = """
## Every mutant of the modules that decide a gate, a spike or a cause

What mutmut makes of these modules: one operator, constant or argument is changed at a time. A mutant survives if none of
the quick tests of its group of modules notices it, in

```console
python studies/systematic_mutants.py --python PATH --group NAME
```

| module | made | noticed | survived | not tried | survivors, by function and mutmut's number |
| --- | ---: | ---: | ---: | ---: | --- |"""
_LOOKED_AT = """The first run killed 577 of the 658 mutants that it tried; 18 were met by no test, and 63 survived.
Found among those, and noticed by tests since: the column of the candidate was nowhere compared with the candidate's own
numbers; two trainings counted as the same if only the last row agreed; the first level of Holm's method, the digest of a
baseline, a row or a setting that one side lacks, a gate of which only the time of a step, the memory or a description is
left, and a difference of just the margin had no quick test. Survivors were then tried again with the new tests, though not
all of them: the table counts a mutant as survived until it has been killed. Known to be no hole: `<` for `<=` where a
p-value would have to equal a level exactly, a search for seeds that goes on to 100, a digest's placeholder that is left out
of the digest, and the mode of pydantic's dump, which gives the same text.

No survivor among the modules of `why` that rank, count and time forks (`sequential`, `ranking`, `inquiry`, `scene`) changes
what is found: `strict` of a `zip` over lists that are made of one, a level that no p-value equals (5 % is no whole number of
arms times 4^-n), a clock that reads the deadline exactly, a sign that is read only where it is 3 or more, half of 64, the
interval of no fork, and a limit before the placebo has forks. Before, no quick test noticed that Holm's correction over arms,
the cost of an arm, the rules of a benign spike or the forks after a stop were wrong, nor that the arms of a cause were left
out of the answer.

Of `thresholds` and `tail`, `lasts` and `rises` were at first reached by tests of the detector only, and `Tail.append` by no
example long enough. What survived the tests written since: the length of a buffer, a partition two places below the middle,
which leaves only one number between, and a loop that no test drew long enough or of the right scale; `memory` had no test
of losses that repeat themselves, and there was a mistake in it: losses that a log repeats until there is a new one counted as
independent. Tests of these are written.

Of `detector`, one test compares it with the same rules over plain lists, and others have closed forms of when a single loss is
a spike, of what is forgotten and of what recurs. That comparison found a mistake: a new level late in a training was not
forgotten, so that losses from its start were the level again. Survivors that are no hole: numbers that are overwritten before
they are read, a height where there is no spread, a height that equals a threshold exactly, a count that runs downwards where
only multiples of it count, `strict` of a `zip` over lists that are made of one, and an edge that a second condition covers.
Two were left open: the window of the lasting rule cut short (`_lasting 16`), which the record nearly always decides as well,
and an excursion when just twice its length is known, less one (`_is_record 13`). `_lasted 25` differs only where no loss of
the history lies a whole spread from its level.

Of `comparison`, survivors are `{}` for a row that one side lacks, which counts as nothing either way, `strict` of a `zip` over
equal lengths, a level or a margin that no number equals exactly, the type of an array that is made of floats, and a name of
which only the number counts. A setting that only the reference has, p-values above 1 and the mark of a row that counts either
way had no test, and have one now; these few were not tried again since.

Of `heights`, `excursion` and `spikes`, 50 survived at first, against 3 now. No test had the edges of the steps in which an
excursion is looked for, what parts two of them, its numbers where the losses before it do not vary, or a spike that begins
where its fork does. What survives cannot change an answer: of five losses from a peak on the first is never calm, one loss
has no mean of five, and of the steps before a fork only that they lie before it is read.

In the rooms of statistics and of a gate's plan the first run overstated the survivors: `looks` keeps what it has computed, so
that its mutants were not asked, until caches were forgotten in each fork. Real holes were these, and have tests since: a
control on the other side of the limits' middle than was tested, limits of which one is 0, a control just twice as far from
the middle, the half of the error that each of two comparisons has, p-values and bounds of one another where effects are
skewed, how many seeds skewed effects need, which differences and counts are detectable, what a tuned rate costs, and all of
the comparison of two scorecards, which only tests outside the group had met. One condition of `excursion` and two of `paired`
could decide nothing, and are gone. (One of the two did, as was seen later: differences below 1e-162 have no spread, and then
0 was divided by 0. They are judged as coins now, with a test.)
What survives there cannot change an answer, or does so only where a computed bound or p-value equals a limit to the last bit:
numbers that are overwritten or never read, the count of seeds that held where an average decides, the level of an interval of
which only the estimate is read, `strict` of a `zip` over equal lengths, a type of array that numbers have anyway, one more
standard deviation beyond 8 in an integral, the axis of an array's last dimension, a search that begins before what it can
find, a spiking training that no test names alone, another way to write UTF-8, an address in an error of which only the
message is read, and a suite of just two settings, which there is none of. One was left open: that a significant difference of
counts has its upper bound at most at 0 (`Counts.high 15`); no case was found among all counts of 4, 6 and 8 trainings a side,
where Newcombe's bound was there by itself."""
Known = dict[str, dict[str, bool]]
"""For each mutant, which of its tests fail."""
UNCHANGED = "unchanged"
"""The name under which it is kept whether a test fails on the unchanged copy."""
_COPIED = ("spikecheck", "tests", "claims", "workloads", "studies", "pyproject.toml", "_spikecheck_pytest.py")
_OWN = ("spikecheck", "_spikecheck_pytest", "tests", "claims", "workloads", "studies")
"""Modules that are imported from the copy."""
_HEAVY = (
    "torch",
    "scipy.stats",
    "scipy.optimize",
    "pydantic",
    "beartype",
    "sklearn.datasets",
    "sklearn.model_selection",
)
"""What takes longest to import, and is the same for every mutant; no plugin of pytest, which imports those itself."""
_LONGEST = 1_200
"""Seconds after which a run of pytest is ended."""

_HEAD = """# Mutants of the code

Mistakes that would change what spikecheck finds, made in a copy of the package one at a time. Each is noticed by the tests
named beside it: they pass on the unchanged copy and fail on the mutant. The page is written by

```console
python studies/code_mutants.py
```

Mistakes in what a claim measures or is controlled by are in [mutants](mutants.md), where claims notice them.

| what is wrong | where | noticed by |
| --- | --- | --- |
"""


def main() -> None:
    """Try what has not been tried, and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--part", choices=("mutants", "unchanged", "page"), help="only this; default: all")
    part = parser.parse_args().part
    with tempfile.TemporaryDirectory(prefix="spikecheck-mutants-") as place:
        copy = _copied(Path(place))
        if part in (None, "mutants"):
            for mutant in MUTANTS:
                with mutated(copy, mutant):
                    _try(mutant.wrong, mutant.tests, copy, "-x")
        if part in (None, "unchanged"):
            _try(UNCHANGED, tuple(sorted({test for mutant in MUTANTS for test in mutant.tests})), copy)
    _conclude()


def _conclude() -> None:
    """Write the page; exit with 1 where a mutant survives, or a test fails without one."""
    known = _read()
    lines = [_line(mutant, known) for mutant in MUTANTS]
    write(PAGE, _HEAD + "\n".join([*lines, *systematic_lines()]) + "\n")
    named = {test for mutant in MUTANTS for test in mutant.tests}
    survivors = [
        f"{one.wrong}: survives {test}"
        for one in MUTANTS
        for test in one.tests
        if known.get(one.wrong, {}).get(test) is False
    ]
    sick = [f"fails without a mutant: {test}" for test in sorted(named) if known.get(UNCHANGED, {}).get(test)]
    if survivors or sick:
        raise SystemExit("\n".join([*survivors, *sick]))


def systematic_lines() -> list[str]:
    """The section on mutants made by mutmut."""
    if not SYSTEMATIC.exists():
        return []
    lines = [_SYSTEMATIC_HEAD]
    for module, one in json.loads(SYSTEMATIC.read_text(encoding="utf-8")).items():
        results, made = one["results"], sum(one["results"].values())
        killed, untried = results.get("killed", 0) + results.get("timeout", 0), results.get("not checked", 0)
        left = ", ".join(f"`{_named(name)}`" for name in one["left"]) or "none"
        lines.append(
            f"| `spikecheck/{module}.py` | {made} | {killed} | {made - killed - untried} | {untried} | {left} |"
        )
    return [*lines, "", _LOOKED_AT]


def _named(mutant: str) -> str:
    """A mutant's function and number.

    >>> _named("x__digest__mutmut_2"), _named("xǁ_Knownǁp_above__mutmut_2")
    ('_digest 2', '_Known.p_above 2')
    """
    return mutant.replace("__mutmut_", " ").removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")


def _try(what: str, tests: tuple[str, ...], copy: Path, *options: str) -> None:
    """Keep which of the tests fail on the copy, unless that is known; with -x, each in a run of its own."""
    left = [test for test in tests if test not in _read().get(what, {})]
    for some in [[test] for test in left] if options else [left] if left else []:
        noticed = failed(copy, [*options, *some])
        known = _read()
        kept = known.get(what, {}) | {test: test in noticed for test in some}
        print("\n".join(f"{'fails' if test in noticed else 'passes'}, {what}: {test}" for test in some), flush=True)
        write(TRIED, json.dumps({**known, what: kept}, indent=1) + "\n")


def _read() -> Known:
    known: Known = json.loads(TRIED.read_text(encoding="utf-8")) if TRIED.exists() else {}
    return known


def write(path: Path, text: str) -> None:
    """Write a file whole."""
    write_whole(path, text.encode(), drafts=path.parent, prefix=f".{path.name}-")


@contextmanager
def mutated(copy: Path, mutant: CodeMutant) -> Iterator[None]:
    """The copy with the mistake in it.

    Raises:
        ValueError: the text to exchange does not stand in the file once.
    """
    path = copy / "spikecheck" / mutant.file
    text = path.read_text(encoding="utf-8")
    if text.count(mutant.right_text) != 1:
        raise ValueError(f"{mutant.file}: {mutant.right_text!r} is there {text.count(mutant.right_text)} times")
    _exchange(path, text.replace(mutant.right_text, mutant.wrong_text))
    try:
        yield
    finally:
        _exchange(path, text)


def _exchange(path: Path, text: str) -> None:
    """Write a module and remove its bytecode, which Python would reuse for a text of the same length and the same second."""
    path.write_text(text, encoding="utf-8")
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        compiled.unlink()


def failed(copy: Path, words: Sequence[str]) -> set[str]:
    """The tests that fail on the copy, by node id without parameters, of those that these words for pytest name.

    Raises:
        RuntimeError: pytest ran none of them.
    """
    report = copy / "report.xml"
    report.unlink(missing_ok=True)
    line = ["-q", "-p", "no:cacheprovider", f"--junitxml={report}", "-o", "junit_family=xunit1", *words]
    code = _in_a_fork(copy, line)
    if code not in (0, 1):
        raise RuntimeError(f"pytest exits with {code}: {_said(copy)[-4000:]}")
    return {_node(case) for case in ET.parse(report).iter("testcase") if _fails(case)}


def _in_a_fork(copy: Path, line: Sequence[str]) -> int:
    """The exit code of pytest in a fork of this process, which has imported the heavy packages; modules come from the copy."""
    for name in _HEAVY:
        importlib.import_module(name)
    child = os.fork()
    if not child:
        code = 3
        try:
            signal.alarm(_LONGEST)
            _enter(copy)
            code = int(pytest.main(list(line), plugins=[Unshrunk()]))
        except BaseException:  # print it here: no exception may leave the fork, or both processes would go on
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _enter(copy: Path) -> None:
    """Change to the copy: later imports come from it, and output goes into a file there."""
    said = os.open(copy / "said.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(said, 1)
    os.dup2(said, 2)
    os.chdir(copy)
    os.environ |= {"PYTHONPATH": str(copy), "OMP_NUM_THREADS": "1"}
    for name in [name for name in sys.modules if name.partition(".")[0] in _OWN]:
        del sys.modules[name]
    sys.path[:] = [str(copy), *(place for place in sys.path if Path(place).resolve() != HERE)]


def _said(copy: Path) -> str:
    return (copy / "said.txt").read_text(encoding="utf-8", errors="replace")


def _fails(case: ET.Element) -> bool:
    return case.find("failure") is not None or case.find("error") is not None


def _node(case: ET.Element) -> str:
    return f"{case.get('file')}::{str(case.get('name')).partition('[')[0]}"


def _copied(place: Path) -> Path:
    for name in _COPIED:
        source = HERE / name
        if source.is_dir():
            shutil.copytree(source, place / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, place / name)
    return place


def _line(mutant: CodeMutant, known: Known) -> str:
    tests = ", ".join(_noticed(mutant, test, known) for test in mutant.tests)
    return f"| {mutant.wrong} | `spikecheck/{mutant.file}` | {tests} |"


def _noticed(mutant: CodeMutant, test: str, known: Known) -> str:
    """The test, with a remark unless it fails on the mutant and passes on the unchanged copy."""
    on_mutant, on_unchanged = (known.get(what, {}).get(test) for what in (mutant.wrong, UNCHANGED))
    if on_mutant is None or on_unchanged is None:
        return f"`{test}` (to be tried)"
    return f"`{test}`" if on_mutant and not on_unchanged else f"**not** by `{test}`"


if __name__ == "__main__":
    main()
