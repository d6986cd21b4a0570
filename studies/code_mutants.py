"""Makes mistakes in a copy of the package, one at a time, and shows which named test notices each.

    python studies/code_mutants.py

Every named test must pass on the unchanged copy and fail on its mutant. Writes docs/code-mutants.md; exits with 1 if a mutant
survives a test that should notice it. What was tried is kept in reports/code-mutants.json, and is tried again where that file
is removed. Mistakes in what claims measure are in docs/mutants.md.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from spikecheck.core.whole_file import write_whole
from studies.code_mutants_kinds import MUTANTS, CodeMutant

HERE = Path(__file__).resolve().parents[1]
PAGE, TRIED = HERE / "docs" / "code-mutants.md", HERE / "reports" / "code-mutants.json"
UNCHANGED = "unchanged"
"""The name under which it is kept whether a test fails on the unchanged copy."""
_COPIED = ("spikecheck", "tests", "claims", "workloads", "studies", "pyproject.toml", "_spikecheck_pytest.py")
_LONGEST = 1_200.0

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
    """Try all mutants, and write the page."""
    with tempfile.TemporaryDirectory(prefix="spikecheck-mutants-") as place:
        copy = _copied(Path(place))
        for mutant in MUTANTS:
            for test in mutant.tests:
                with mutated(copy, mutant):
                    _try(mutant.wrong, test, copy)
        for test in sorted({test for mutant in MUTANTS for test in mutant.tests}):
            _try(UNCHANGED, test, copy)
    known = _read()
    _write(PAGE, _HEAD + "\n".join(_line(mutant, known) for mutant in MUTANTS) + "\n")
    named = {(mutant.wrong, test) for mutant in MUTANTS for test in mutant.tests}
    survivors = [f"{wrong}: survives {test}" for wrong, test in sorted(named) if not known[wrong][test]]
    sick = [f"fails without a mutant: {test}" for test in sorted({test for _, test in named}) if known[UNCHANGED][test]]
    if survivors or sick:
        raise SystemExit("\n".join([*survivors, *sick]))


def _try(what: str, test: str, copy: Path) -> None:
    """Keep whether the test fails on the copy, unless that is known."""
    known = _read()
    if test not in known.get(what, {}):
        fails = bool(failed(copy, (test,)))
        print(f"{'noticed' if fails else 'passed'}: {what}: {test}", flush=True)
        _write(TRIED, json.dumps({**known, what: {**known.get(what, {}), test: fails}}, indent=1) + "\n")


def _read() -> dict[str, dict[str, bool]]:
    known: dict[str, dict[str, bool]] = json.loads(TRIED.read_text(encoding="utf-8")) if TRIED.exists() else {}
    return known


def _write(path: Path, text: str) -> None:
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
    path.write_text(text.replace(mutant.right_text, mutant.wrong_text), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(text, encoding="utf-8")


def failed(copy: Path, tests: Sequence[str]) -> set[str]:
    """Those of the tests that fail on the copy, by node id without parameters.

    Raises:
        RuntimeError: pytest ran none of them.
    """
    report = copy / "report.xml"
    report.unlink(missing_ok=True)
    words = [
        "-m",
        "pytest",
        "-qx",
        "-p",
        "no:cacheprovider",
        f"--junitxml={report}",
        "-o",
        "junit_family=xunit1",
        *tests,
    ]
    environ = {**os.environ, "PYTHONPATH": str(copy), "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(
        [sys.executable, *words], cwd=copy, env=environ, capture_output=True, text=True, timeout=_LONGEST, check=False
    )
    if ran.returncode not in (0, 1):
        raise RuntimeError(f"pytest exits with {ran.returncode}: {ran.stdout[-2000:]}{ran.stderr[-2000:]}")
    return {_node(case) for case in ET.parse(report).iter("testcase") if _fails(case)}


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


def _line(mutant: CodeMutant, known: dict[str, dict[str, bool]]) -> str:
    names = [f"`{test}`" if known[mutant.wrong][test] else f"**not** by `{test}`" for test in mutant.tests]
    return f"| {mutant.wrong} | `spikecheck/{mutant.file}` | {', '.join(names)} |"


if __name__ == "__main__":
    main()
