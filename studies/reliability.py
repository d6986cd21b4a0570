"""Stated and measured error rates, interrupted runs and fuzzed inputs side by side: writes docs/reliability.md.

    python studies/reliability.py [--part selftest|crashes|fuzz] [--rounds 200] [--inputs 10000]

Each part keeps its results in reports/reliability/ and goes on from them; without --part all of them run. A part that was
interrupted loses at most the round that it was in.
"""

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from spikecheck.core.whole_file import write_whole
from spikecheck.gate import selftest as gates
from spikecheck.harness import selftest as verdicts
from spikecheck.harness.plan import plan_of
from studies.crashes import crashes
from studies.fuzz import fuzz

HERE = Path(__file__).resolve().parents[1]
RESULTS, PAGE = HERE / "reports" / "reliability", HERE / "docs" / "reliability.md"
PARTS = ("selftest", "crashes", "fuzz")

Rows = list[dict[str, Any]]


def main() -> None:
    """Run the parts, then write the page from whatever results there are."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--part", choices=PARTS, action="append", help="repeatable; default: all")
    parser.add_argument("--rounds", type=int, default=200, help="interrupted runs, and verdicts for each world")
    parser.add_argument("--inputs", type=int, default=10_000, help="inputs for each fuzzed parser")
    options = parser.parse_args()
    for part in options.part or PARTS:
        print(part, flush=True)
        _run(part, options)
    _write(PAGE, page())


def _run(part: str, options: argparse.Namespace) -> None:
    results = _read(part)
    rows = {"selftest": _selftest, "crashes": _crashes, "fuzz": _fuzz}[part](results, options)
    for row in rows:
        results.append(row)
        _write(RESULTS / f"{part}.json", json.dumps(results, indent=1) + "\n")
        print(f"  {len(results)}: {json.dumps(row)}", flush=True)


def _selftest(already: Rows, options: argparse.Namespace) -> Iterable[dict[str, Any]]:

    def unheard() -> None:
        return

    seen = {(row["world"], row["seen"]) for row in already}
    for world in verdicts.WORLDS:
        if all((row["of"], row["rounds"]) != (world.says, options.rounds) for row in already):
            for count in verdicts.verdicts_counted(plan_of("ci", 0), options.rounds, unheard, [world]):
                yield {"of": world.says, **asdict(count)}
    for count in gates.gates_counted(options.rounds, 0, unheard):
        if (count.world, count.seen) not in seen:
            yield {"of": "gate", **asdict(count)}


def _crashes(already: Rows, options: argparse.Namespace) -> Iterable[dict[str, Any]]:

    with tempfile.TemporaryDirectory(prefix="spikecheck-crashes-", ignore_cleanup_errors=True) as where:
        yield from crashes(Path(where), options.rounds, already)


def _fuzz(already: Rows, options: argparse.Namespace) -> Iterable[dict[str, Any]]:

    seen = {row["parser"] for row in already if row["inputs"] >= options.inputs}
    yield from fuzz(options.inputs, leave_out=seen)


def page() -> str:
    """The page, from the results of the parts that have any."""
    return "\n".join([_HEAD, *_rates(_read("selftest")), *_of_crashes(_read("crashes")), *_of_fuzz(_read("fuzz"))])


_HEAD = """# How reliable spikecheck is

Stated error rates beside measured ones, interrupted runs, and inputs that nobody should write. This page is written by

```console
python studies/reliability.py
```

How well each claim's check notices that it was broken on purpose is in [mutants](mutants.md); false alarms and finds of the
detector beside other tools' in [detectors](detectors.md); planted regressions of real trainings in [gates](gates.md).
"""


def _rates(rows: Rows) -> list[str]:
    if not rows:
        return []
    lines = [
        "## Error rates in simulated worlds\n",
        "A rate is promised where the third column names one, else it is only reported. The interval",
        "is two-sided, 95 %. A promise is broken where one that is kept would show the count once in 1,000.\n",
        "| world | what was counted | promised at most | measured | interval | broken |",
        "| --- | --- | ---: | ---: | ---: | --- |",
    ]
    for row in rows:
        promised = "" if row["promised"] is None else f"{100 * row['promised']:.3g} %"
        measured = f"{row['times']}/{row['rounds']}, {100 * row['times'] / row['rounds']:.1f} %"
        interval = f"{100 * row['low']:.1f} to {100 * row['high']:.1f} %"
        broken = "**yes**" if row["broken"] else ""
        lines.append(f"| {row['world']} | {row['seen']} | {promised} | {measured} | {interval} | {broken} |")
    return [*lines, ""]


def _of_crashes(rows: Rows) -> list[str]:
    if not rows:
        return []
    ended = [row for row in rows if row["ended_by"] not in (0, 1)]
    sound = sum(not row["faults"] for row in ended)
    lines = [
        "## Interrupted runs\n",
        f"{len(ended)} runs were ended at a random moment; after {sound} of them the store was whole, no process and no",
        "temporary file was left, and the next run came to the same verdict with the same scores of every seed. Ctrl-C",
        "reaches the whole group of processes, as from a terminal; SIGTERM and SIGKILL the one process that was started.",
        f"{len(rows) - len(ended)} more runs had finished before their moment came, and are not counted.\n",
        "| task | ended by | runs | ended before anything was stored | same scores and nothing left behind |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for task, end in sorted({(row["task"], row["end"]) for row in ended}):
        some = [row for row in ended if (row["task"], row["end"]) == (task, end)]
        early, whole = sum(not row["stored"] for row in some), sum(not row["faults"] for row in some)
        lines.append(f"| {task} | {end} | {len(some)} | {early} | {whole} |")
    faults = Counter(fault for row in rows for fault in row["faults"])
    return [*lines, "", *(f"- {fault}: {times} times" for fault, times in faults.most_common()), ""]


def _of_fuzz(rows: Rows) -> list[str]:
    if not rows:
        return []
    lines = [
        "## Fuzzed inputs\n",
        "Real files and option texts, mutated in structure and in bytes. A failure is an internal error, a traceback,",
        "more than ten seconds, or more than 500 MiB of memory beyond the start.\n",
        "| what reads it | inputs | accepted | refused in one line | failures | longest |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        counts = " | ".join(f"{row[name]:,}" for name in ("inputs", "accepted", "refused"))
        lines.append(f"| {row['parser']} | {counts} | {len(row['failures'])} | {row['longest']:.2f} s |")
    return [*lines, ""]


def _read(part: str) -> Rows:
    file = RESULTS / f"{part}.json"
    rows: Rows = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    return rows


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text.encode(), drafts=path.parent, prefix=f".{path.name}-")


if __name__ == "__main__":
    main()
