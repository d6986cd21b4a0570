"""Verdicts under other versions of Python, and with one thread of torch and two.

    python studies/environments.py --part threads
    python studies/environments.py --part versions --python PATH [--python PATH ...]

Threads: three claims are verified from an empty store, with one thread of torch and with two; the scores of every seed and all
bounds must be the same numbers. Versions: what needs no torch is run by another interpreter, and must print what this one
prints: `recheck` and `report` of the reproduction, which recompute every verdict from its counts, and the tests of the
statistics. Writes reports/reliability/environments.json and, with it, docs/reliability.md.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from studies.crash_tasks import claims_in
from studies.crashes import scores
from studies.reliability_page import RESULTS, write_page, write_text

HERE = Path(__file__).resolve().parents[1]
CLAIMS = ("small", "compiled", "stability-law")
"""A small claim trained by torch's operations, one by compiled kernels, and one of those that are shipped."""
THREADS = (1, 2)
REPORT = "reports/reproduction.json.gz"
COMMANDS = (("recheck", REPORT), ("report", REPORT, "--strict"), ("compare", REPORT, REPORT))
TESTS = ("tests/stats",)
_ANSWERS = (0, 1, 3)


def main() -> None:
    """Run a part, then write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--part", choices=("threads", "versions"), required=True)
    parser.add_argument("--python", action="append", default=[], help="for versions: an interpreter with all but torch")
    options = parser.parse_args()
    rows = of_threads() if options.part == "threads" else of_versions(options.python)
    file = RESULTS / "environments.json"
    known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    write_text(file, json.dumps(known | {options.part: rows}, indent=1) + "\n")
    write_page()


def of_threads() -> list[dict[str, Any]]:
    """For each claim, whether its scores are the same with one thread and with two."""
    return [_row(claim, [_verified(claim, threads) for threads in THREADS]) for claim in CLAIMS]


def _row(claim: str, found: Sequence[Any]) -> dict[str, Any]:
    row = {"claim": claim, "same": found[0] == found[1], "numbers": _numbers(found[0])}
    print(f"  {json.dumps(row)}", flush=True)
    return row


def _numbers(part: Any) -> int:
    """How many numbers a verdict has, so that nobody takes two empty ones for equal.

    >>> _numbers({"scores": [0.5, 1.0], "of": {"low": 2, "passed": True, "why": "x"}})
    3
    """
    if isinstance(part, Mapping):
        return sum(map(_numbers, part.values()))
    if isinstance(part, list):
        return sum(map(_numbers, part))
    return int(isinstance(part, int | float) and not isinstance(part, bool))


def _verified(claim: str, threads: int) -> Any:
    """What decides in a verdict from an empty store."""
    with tempfile.TemporaryDirectory(prefix="spikecheck-threads-") as place:
        report, claims = Path(place) / "report.json", claims_in(Path(place))
        found = () if claim == "stability-law" else ("--claims-path", str(claims))
        words = ("verify", claim, *found, "--no-store", "--executor", "local", "--quiet", "--json", str(report))
        told(sys.executable, words, OMP_NUM_THREADS=str(threads))
        return scores(report)


def of_versions(pythons: Sequence[str]) -> list[dict[str, Any]]:
    """For each interpreter, whether it prints what this one prints, and how many tests passed under it."""
    ours = [told(sys.executable, words) for words in COMMANDS]
    rows = []
    for python in pythons:
        theirs = [told(python, words) for words in COMMANDS]
        row = {"python": _version(python), "same": [a == b for a, b in zip(ours, theirs, strict=True)]}
        rows.append(row | {"lines": [text.count("\n") for text in ours], "tests": _tests(python)})
        print(f"  {json.dumps(rows[-1])}", flush=True)
    return rows


def told(python: str, words: Sequence[str], **environment: str) -> str:
    """What `spikecheck` prints under an interpreter.

    Raises:
        RuntimeError: it ends otherwise than with an answer.
    """
    ran = _run(python, "spikecheck", *words, **environment)
    if ran.returncode not in _ANSWERS:
        raise RuntimeError(f"{python}: {' '.join(words)}: exit code {ran.returncode}: {ran.stderr[-500:]}")
    return ran.stdout


def _tests(python: str) -> str:
    """The last line of pytest, without its time."""
    lines = _run(
        python, "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir=.", *TESTS
    ).stdout.splitlines()
    return lines[-1].partition(" in ")[0] if lines else "none"


def _version(python: str) -> str:
    code = "import sys, numpy, scipy; print(sys.version.split()[0], numpy.__version__, scipy.__version__)"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def _run(python: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(HERE), "COLUMNS": "100", **environment}
    return subprocess.run([python, "-m", *words], cwd=HERE, env=environ, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    main()
