"""Verdicts under other versions of Python and torch, and with one thread of torch and two.

    python studies/environments.py --part threads
    python studies/environments.py --part versions --python PATH [--python PATH ...]
    python studies/environments.py --part torch --python PATH [--python PATH ...]

Threads: three claims are verified from an empty store, with one thread of torch and with two; the scores of every seed and all
bounds must be the same numbers. Versions: what needs no torch is run by another interpreter, and must print what this one
prints: `recheck` and `report` of the reproduction, which recompute every verdict from its counts, and the tests of the
statistics. Torch: claims are verified by interpreters that have another torch, on the same seeds. Trainings are not the same
to the last digit; verdicts must be, and the effects of all seeds must look drawn from one distribution. Writes
reports/reliability/environments.json and, with it, docs/reliability.md.
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

import numpy as np
from scipy import stats

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
UNDER_TORCH = (*CLAIMS, "ascent-rate", "catapult", "condensation", "edge-of-stability", "initial-condensation")
TESTS_UNDER_TORCH = ("tests/second", "tests/optimizers", "tests/curvature")
"""The second implementations of trajectories and eigenvalues, torch's optimizers, and eigenpairs."""
_ANSWERS = (0, 1, 3)


def main() -> None:
    """Run a part, then write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--part", choices=("threads", "versions", "torch"), required=True)
    parser.add_argument("--python", action="append", default=[], help="an interpreter with all that spikecheck needs")
    options = parser.parse_args()
    rows = {"threads": lambda _: of_threads(), "versions": of_versions, "torch": of_torch}[options.part](options.python)
    file = RESULTS / "environments.json"
    known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    write_text(file, json.dumps(known | {options.part: together(known.get(options.part, []), rows)}, indent=1) + "\n")
    write_page()


def together(known: Sequence[dict[str, Any]], rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows that stand and those just found, which replace earlier ones of the same interpreter or claim.

    >>> together([{"python": "3.12", "tests": "1 failed"}, {"python": "3.13"}], [{"python": "3.12", "tests": "1 passed"}])
    [{'python': '3.13'}, {'python': '3.12', 'tests': '1 passed'}]
    """

    def of(row: dict[str, Any]) -> object:
        return row.get("python", row.get("claim"))

    found = {of(row) for row in rows}
    return [*(row for row in known if of(row) not in found), *rows]


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


def of_torch(pythons: Sequence[str]) -> list[dict[str, Any]]:
    """For each interpreter and claim, the verdict there and here, and whether the seeds' effects can be told apart."""
    rows = []
    ours = {claim: _reference(sys.executable, claim) for claim in UNDER_TORCH}
    for python in pythons:
        claims = {claim: compared(ours[claim], _reference(python, claim)) for claim in UNDER_TORCH}
        rows.append({"python": _version(python, "torch"), "claims": claims, "tests": _tests(python, TESTS_UNDER_TORCH)})
        print(f"  {json.dumps(rows[-1])}", flush=True)
    return rows


def _reference(python: str, claim: str) -> dict[str, Any]:
    """The verdict on a claim at its reference by an interpreter, from an empty store."""
    with tempfile.TemporaryDirectory(prefix="spikecheck-torch-") as place:
        report, claims = Path(place) / "report.json", claims_in(Path(place))
        found = ("--claims-path", str(claims)) if claim in ("small", "compiled") else ()
        words = ("verify", claim, *found, "--profile", "quick", "--no-store", "--quiet", "--json", str(report))
        told(python, words)
        (verdict,) = json.loads(report.read_text(encoding="utf-8"))["claims"]
        return {"verdict": verdict["replicates"], **verdict["reference"]}


def compared(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Two verdicts on one claim: p-values of the shares by Fisher's test and of the effects by Kolmogorov and Smirnov's.

    The seeds are mostly the same, so that tests for independent samples are conservative: what they tell apart is different.
    Looks in batches may end earlier in one than in the other.
    """
    table = [[each["held"], each["applicable"] - each["held"]] for each in (one, other)]
    here, there = ([float(score) for score in each["scores"] if score is not None] for each in (one, other))
    return {
        "verdicts": [each["verdict"] for each in (one, other)],
        "held": [each["held"] for each in (one, other)],
        "applicable": [each["applicable"] for each in (one, other)],
        "p_shares": float(stats.fisher_exact(np.array(table)).pvalue),
        "p_effects": float(stats.ks_2samp(here, there).pvalue) if here and there else None,
    }


def told(python: str, words: Sequence[str], **environment: str) -> str:
    """What `spikecheck` prints under an interpreter.

    Raises:
        RuntimeError: it ends otherwise than with an answer.
    """
    ran = _run(python, "spikecheck", *words, **environment)
    if ran.returncode not in _ANSWERS:
        raise RuntimeError(f"{python}: {' '.join(words)}: exit code {ran.returncode}: {ran.stderr[-500:]}")
    return ran.stdout


def _tests(python: str, tests: Sequence[str] = TESTS) -> str:
    """The last line of pytest, without its time."""
    options = ("-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir=.", "--import-mode=importlib")
    lines = _run(python, "pytest", *options, *tests).stdout.splitlines()
    return lines[-1].partition(" in ")[0] if lines else "none"


def _version(python: str, *further: str) -> str:
    modules = ("numpy", "scipy", *further)
    texts = ", ".join(f"{module}.__version__" for module in modules)
    code = f"import sys, {', '.join(modules)}; print(sys.version.split()[0], {texts})"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def _run(python: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(HERE), "COLUMNS": "100", **environment}
    return subprocess.run([python, "-m", *words], cwd=HERE, env=environ, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    main()
