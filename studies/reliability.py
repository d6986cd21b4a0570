"""Stated and measured error rates, interrupted runs and fuzzed inputs side by side: writes docs/reliability.md.

    python studies/reliability.py [--part selftest|crashes|starts|fuzz] [--rounds 200] [--inputs 10000] [--seconds 600]

Each part keeps its results in reports/reliability/ and goes on from them; without --part all of them run. A part that was
interrupted loses at most the round that it was in. The section on memory is made by studies/soak.py.
"""

import argparse
import json
import math
import signal
import tempfile
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from spikecheck.gate import selftest as gates
from spikecheck.harness import selftest as verdicts
from spikecheck.harness.plan import plan_of
from studies.crashes import crashes
from studies.fuzz import fuzz
from studies.reliability_page import RESULTS, write_page, write_text
from studies.starts import starts

PARTS = {"selftest": ("world", "seen"), "crashes": ("number",), "starts": ("number",), "fuzz": ("parser",)}
"""With the fields that tell a part's rows apart."""

Rows = list[dict[str, Any]]


def main() -> None:
    """Run the parts, then write the page from whatever results there are."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--part", choices=(*PARTS, "page"), action="append", help="repeatable; default: all")
    parser.add_argument("--rounds", type=int, default=200, help="interrupted runs, and verdicts for each world")
    parser.add_argument("--inputs", type=int, default=10_000, help="inputs for each fuzzed parser")
    parser.add_argument("--seconds", type=float, default=math.inf, help="for each fuzzed parser, about")
    options = parser.parse_args()
    # A shell starts what runs in the background with Ctrl-C ignored, and the commands that are ended here would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for part in options.part or PARTS:
        print(part, flush=True)
        if part != "page":
            _run(part, options)
    write_page()


def _run(part: str, options: argparse.Namespace) -> None:
    """Add the part's rows to its results. One of the same parser, or of the same event in the same world, is replaced."""
    results = _read(part)
    for row in {"selftest": _selftest, "crashes": _crashes, "starts": _starts, "fuzz": _fuzz}[part](results, options):
        results = [*(known for known in results if any(known[name] != row[name] for name in PARTS[part])), row]
        write_text(RESULTS / f"{part}.json", json.dumps(results, indent=1) + "\n")
        print(f"  {len(results)}: {json.dumps(row)}", flush=True)


def _selftest(already: Rows, options: argparse.Namespace) -> Iterable[dict[str, Any]]:
    done = {(row["of"], row["rounds"]) for row in already}

    def unheard() -> None:
        return

    for world in verdicts.WORLDS:
        if (world.says, options.rounds) not in done:
            for count in verdicts.verdicts_counted(plan_of("ci", 0), options.rounds, unheard, [world]):
                yield {"of": world.says, **asdict(count)}
    if ("gate", options.rounds) not in done:
        for count in list(gates.gates_counted(options.rounds, 0, unheard)):  # all of them or none
            yield {"of": "gate", **asdict(count)}


def _crashes(already: Rows, options: argparse.Namespace) -> Iterable[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="spikecheck-crashes-", ignore_cleanup_errors=True) as where:
        yield from crashes(Path(where), options.rounds, already)


def _starts(already: Rows, options: argparse.Namespace) -> Iterable[dict[str, Any]]:
    yield from starts(options.rounds, len(already))


def _fuzz(already: Rows, options: argparse.Namespace) -> Iterable[dict[str, Any]]:
    yield from fuzz(options.inputs, options.seconds, already)


def _read(part: str) -> Rows:
    file = RESULTS / f"{part}.json"
    rows: Rows = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    return rows


if __name__ == "__main__":
    main()
