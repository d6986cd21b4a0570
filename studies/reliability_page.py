"""Writes docs/reliability.md from the results in reports/reliability/ and from the pages of other studies."""

import json
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

from spikecheck.core.whole_file import write_whole
from studies.reliability_rates import rates
from studies.starts import FAULT, LATEST, LINE, PYTHONS, SILENT

HERE = Path(__file__).resolve().parents[1]
RESULTS, PAGE = HERE / "reports" / "reliability", HERE / "docs" / "reliability.md"

_HEAD = """# How reliable spikecheck is

Stated error rates beside measured ones, interrupted runs, inputs that nobody should write, and memory over time. This page is
written by

```console
python studies/reliability.py
python studies/soak.py
python studies/environments.py --part threads
python studies/environments.py --part versions --python PATH
python studies/environments.py --part torch --python PATH
```

How well each claim's check notices that it was broken on purpose is in [mutants](mutants.md), and which test notices a
mistake in the code in [mutants of the code](code-mutants.md).
"""


_MENDED = (
    "Tracebacks that were found, and are mended since: Ctrl-C inside scipy's `_sobol`, which Cython compiled, printed",
    "one before the command's own line, and so did Ctrl-C while spikecheck was being imported (both in",
    "`tests/test_cli.py`).",
    "",
)

_FUZZ_MENDED = (
    "Found by these inputs, and mended since: a curve in a report with more steps than numbers, a count in a baseline that",
    "was neither 0 nor 1, a step beyond what a float holds in a report or a watch's log, and a log whose losses lie further",
    "apart than the largest float ended in an internal error (the regressions are in `tests/report/test_picture.py`,",
    "`tests/gate/test_baseline.py`, `tests/watch/test_log.py` and `tests/report/test_curves.py`). With 10,000 inputs each:",
    "a report in which more seeds held than applied, or with a share beyond 1, ended in an internal error in 6 of 10,000",
    "inputs of `report`, and Python's own warning stood before the one line on `--set lr=0.015in` (2 of `--set`, 1 of `--at`;",
    "`tests/core/test_judgement.py`, `tests/core/test_reach.py` and `tests/gate/test_config.py`). These parsers were begun",
    "again after that.",
    "",
)
_WITHOUT_TORCH = (
    "Everything else on this page ran under Python 3.11 with a CPU build of torch 2.13.0. What needs no torch was run under",
    "the versions of this table: every verdict of the reproduction recomputed from its counts (`recheck`), printed whole",
    "(`report`) and compared with itself (`compare`), each of which must be the same text as under 3.11; and the tests of the",
    "statistics.\n",
    "| Python | NumPy | SciPy | `recheck` alike | `report` alike | `compare` alike | tests/stats |",
    "| --- | --- | --- | --- | --- | --- | --- |",
)
_OTHER_TORCH = (
    "With another torch, trainings differ in their last digits, and chaos makes more of that. So claims were verified from an",
    "empty store, `--profile quick`, there and with 2.13.0 (*here*), and compared by verdict, by the share of seeds that held",
    "(Fisher's exact test) and by the effects of all seeds (Kolmogorov and Smirnov's). The seeds are the same, so that these",
    "tests for independent samples are conservative. Builds from the package index, for CUDA, on the CPU.\n",
    "| Python | torch | claim | verdict here | there | held here | there | p, shares | p, effects |",
    "| --- | --- | --- | --- | --- | ---: | ---: | ---: | ---: |",
)
_THREADS = (
    "Trainings on the CPU use one thread of torch whatever the process has. Claims are verified from an empty store with",
    "`OMP_NUM_THREADS` 1 and 2: every score, bound and p-value of the verdict must be the same number.\n",
    "| claim | numbers compared | the same |",
    "| --- | ---: | --- |",
)


def write_page() -> None:
    """The page, from the results of the parts that have any."""
    parts = {name: _read(name) for name in ("selftest", "crashes", "starts", "fuzz", "soak", "environments")}
    sections = [
        _of_worlds(parts["selftest"]),
        _of_trainings(),
        _of_crashes(parts["crashes"]),
        _of_starts(parts["starts"]),
        _of_fuzz(parts["fuzz"]),
        _of_soak(parts["soak"]),
        _of_environments(parts["environments"]),
    ]
    write_text(PAGE, "\n".join([_HEAD, *(line for section in sections for line in section)]))


def write_text(path: Path, text: str) -> None:
    """Write a file whole, in a folder that is made where there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text.encode(), drafts=path.parent, prefix=f".{path.name}-")


def _read(part: str) -> Any:
    file = RESULTS / f"{part}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def _of_worlds(rows: Any) -> list[str]:
    if not rows:
        return []
    lines = [
        "## Error rates of verdicts and gates in simulated worlds\n",
        "What `spikecheck selftest` counts. A rate is stated where the third column names one, else it is only reported.",
        "The interval is two-sided, 95 %. A statement counts as broken where a rate that is kept would show the count once",
        "in 1,000.\n",
        "| world | what was counted | stated, at most | measured | interval | broken |",
        "| --- | --- | ---: | ---: | ---: | --- |",
    ]
    for row in rows:
        stated = "" if row["promised"] is None else f"{100 * row['promised']:.3g} %"
        measured = f"{row['times']} of {row['rounds']}, {100 * row['times'] / row['rounds']:.1f} %"
        interval = f"{100 * row['low']:.1f} to {100 * row['high']:.1f} %"
        lines.append(f"| {row['world']} | {row['seen']} | {stated} | {measured} | {interval} | {_yes(row['broken'])} |")
    return [*lines, ""]


def _of_trainings() -> list[str]:
    lines = [
        "## Error rates of gates, detector, causes and warnings on trainings and noise\n",
        "From the tables of the pages in the last column, which say how each was measured. A statement counts as broken",
        "where the whole interval lies beyond it.\n",
        "| what | error | stated | measured | interval, 95 % | broken | page |",
        "| --- | --- | --- | ---: | ---: | --- | --- |",
    ]
    for one in rates():
        page = f"[{one.page}]({one.page}.md)"
        cells = (one.of, one.error, one.stated, one.measured, one.interval, _yes(one.broken), page)
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


def _of_crashes(rows: Any) -> list[str]:
    if not rows:
        return []
    sound, missed = sum(not row["faults"] for row in rows), sum(row["missed"] for row in rows)
    lines = [
        "## Interrupted runs\n",
        f"{len(rows)} runs were ended at a random moment; after {sound} of them the store was whole, no process and no",
        "temporary file was left, and the next run came to the same verdict with the same scores of every seed. Ctrl-C",
        "reaches the whole group of processes, as from a terminal; SIGTERM and SIGKILL the one process that was started.",
        f"{missed} more runs had finished before their moment came, and were begun again. Moments are uniform over the time",
        "of a whole run. All but the runs *from the interpreter's start* are forks of a process that has imported spikecheck,",
        "so that their moments lie in training, measuring and storing. One folder that stays is not counted: the empty",
        "`torchinductor_USER` that torch makes for its cache in every program that uses torch.optim.\n",
        "| task | ended by | runs | ended before anything was stored | same scores and nothing left behind |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for task, end in sorted({(row["task"], row["end"]) for row in rows}):
        some = [row for row in rows if (row["task"], row["end"]) == (task, end)]
        early, whole = sum(not row["stored"] for row in some), sum(not row["faults"] for row in some)
        lines.append(f"| {task} | {end} | {len(some)} | {early} | {whole} |")
    pythons = sum(row.get("pythons", False) for row in rows)
    own = f"{pythons} of them ended with a traceback of Python's own start, in which no line is spikecheck's.\n"
    faults = Counter(fault for row in rows for fault in row["faults"])
    return [
        *lines,
        "",
        *([own] if pythons else []),
        *_MENDED,
        *(f"- {fault}: {times} times" for fault, times in faults.most_common()),
        "",
    ]


def _of_starts(rows: Any) -> list[str]:
    if not rows:
        return []
    times = Counter(row["ended"] for row in rows)
    return [
        "A Ctrl-C in the first hundredths of a second meets Python's own start, before the first line of spikecheck, and can",
        f"be Python's traceback. `spikecheck list` was ended {len(rows)} times at moments that are uniform in the first",
        f"{LATEST:.1f} s (`python studies/reliability.py --part starts`). A fault is a traceback with a line of",
        "spikecheck's, or a command that goes on. Found so, and mended since: while the package imported `typing`, it was",
        "Python's traceback, and in a callback of an import the Ctrl-C was lost (both in `tests/cli/test_main.py`).\n",
        *(f"- {how}: {times[how]}" for how in (SILENT, PYTHONS, LINE, FAULT)),
        "",
    ]


def _of_fuzz(rows: Any) -> list[str]:
    if not rows:
        return []
    lines = [
        "## Fuzzed inputs\n",
        "Real files and option texts, mutated in structure, in bytes and by single digits, and option texts from a grammar.",
        "A failure is an internal error, a traceback, an error of several lines, an escape sequence in what is printed, more",
        "than ten seconds of the processor, or more than 500 MiB of memory beyond the start. Nothing is trained: `gate` is",
        "given inputs up to its plan, and a baseline also up to the scorecard, against numbers that are at hand. Baselines",
        "mostly have a digest that fits what was changed, without which every change is refused for the same reason.",
        "*Figures not drawn*: every figure of a report is made, and only matplotlib's drawing of it is left out. Reports with",
        "drawn figures take a quarter of a second and more an input, and have fewer inputs for that.\n",
        "| what reads it | inputs | accepted | refused in one line | failures | longest, processor |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in sorted(rows, key=lambda row: row["parser"].lstrip("-")):
        counts = " | ".join(f"{row[name]:,}" for name in ("inputs", "accepted", "refused"))
        lines.append(f"| {row['parser']} | {counts} | {len(row['failures'])} | {row['longest']:.2f} s |")
    return [*lines, "", *_FUZZ_MENDED]


def _of_environments(document: Any) -> list[str]:
    """What `studies/environments.py` found of each part that it has run."""
    if not document:
        return []
    lines = ["## Versions of Python and torch, and threads\n", *_WITHOUT_TORCH]
    for row in document.get("versions", ()):
        same, tests = " ".join("yes" if each else "**no**" for each in row["same"]), row["tests"]
        lines.append(f"| {' | '.join((*row['python'].split(), *same.split(), tests))} |")
    lines += ["", *_of_torch(document.get("torch", ())), *_THREADS]
    for row in document.get("threads", ()):
        lines.append(f"| {row['claim']} | {row['numbers']:,} | {'yes' if row['same'] else '**no**'} |")
    return [*lines, ""]


def _of_torch(rows: Any) -> list[str]:
    lines = list(_OTHER_TORCH) if rows else []
    for row in rows:
        python, _, _, torch = row["python"].split()
        for claim, each in row["claims"].items():
            shares = [f"{held} of {of}" for held, of in zip(each["held"], each["applicable"], strict=True)]
            chances = ["" if each[p] is None else f"{each[p]:.2g}" for p in ("p_shares", "p_effects")]
            lines.append(f"| {' | '.join((python, torch, claim, *each['verdicts'], *shares, *chances))} |")
    for row in rows:
        python, _, _, torch = row["python"].split()
        lines.append(
            f"\ntests/second, tests/optimizers and tests/curvature under Python {python}, torch {torch}: {row['tests']}."
        )
    return [*lines, ""] if rows else []


def _of_soak(document: Any) -> list[str]:
    if not document:
        return []
    rows, broken = document["rows"], [name for name, kept in document["judged"].items() if not kept]
    limit = document["limit"] / 2**20
    outcome = f"Not kept: {', '.join(broken)}" if broken else "All of it was kept"
    lines = [
        "## Memory, open files and the store over time\n",
        f"{len(rows)} cycles in {rows[-1]['seconds'] / 60:.0f} minutes, in one process over one store of at most",
        f"{limit:.3g} MiB: each verifies a claim, gates an optimizer on ensembles and on a training, trains under a Watch and",
        "reads its log, with seeds of its own. The store checks its size each time it has written a sixteenth of its limit,",
        f"so that it may grow to {limit * 17 / 16:.4g} MiB; its size is measured after every command. At the end the first",
        "cycle's claim is verified again, whose runs were removed long ago: it trains them again, and the scores of all",
        "seeds must be the same. Medians of each fifth of the cycles; `studies/soak.py` says what was promised before.",
        f"{outcome}.\n",
        "| cycles | memory, MiB | open files | threads | child processes | store, MiB | largest, MiB | removed records |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    before = 0.0
    for part in range(5):
        first, last = len(rows) * part // 5, len(rows) * (part + 1) // 5
        some = rows[first:last]
        middle = {name: median(row[name] for row in some) for name in rows[0]}
        largest, removed = max(row["largest"] for row in some) / 2**20, some[-1]["removed"] - before
        before = some[-1]["removed"]
        counts = " | ".join(f"{middle[name]:.0f}" for name in ("files", "threads", "children"))
        memory, store = middle["memory"] / 2**20, middle["store"] / 2**20
        cells = (f"{first + 1} to {last}", f"{memory:.0f}", counts, f"{store:.2f}", f"{largest:.3f}", f"{removed:,.0f}")
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


def _yes(broken: bool) -> str:
    return "**yes**" if broken else ""
