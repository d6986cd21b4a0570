"""Verifies, gates and watches in turn in one process over one store, and measures memory, open files and the store's size.

    python studies/soak.py [--minutes 15]

Every cycle has seeds of its own, so it trains anew, and the store, whose limit is less than three cycles write, removes
what was used least recently. What is promised, written down before the first run:

- resident memory in the last fifth of the cycles exceeds that in the second fifth by at most 32 MiB, by medians;
- open file descriptors, threads and child processes are as many in the last fifth as in the second;
- the store is never larger after a command than its limit and a sixteenth: it checks its size each time it has written so
  much;
- records were removed in every fifth but the first, without which the size would say nothing;
- the first cycle's claim, verified again after its runs were removed, trains them again and has the same scores of every
  seed.

Writes reports/reliability/soak.json and, with it, docs/reliability.md.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import torch

import spikecheck
from studies.called import called
from studies.crash_tasks import claims_in
from studies.crashes import scores
from studies.reliability_page import RESULTS, write_page, write_text

LIMIT = 2 * 2**20
"""Bytes of the store: a cycle writes about 0.77 MiB, so that the third one fills it."""
OVER = 1 + 1 / 16
GROWTH = 32 * 2**20
"""Bytes by which resident memory may grow: what is kept by mistake in every cycle soon takes more."""
_STEPS = 300

Row = dict[str, float]


def main() -> None:
    """Run cycles until the time is over, then write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--minutes", type=float, default=15.0)
    minutes = parser.parse_args().minutes
    os.environ["SPIKECHECK_STORE_LIMIT"] = str(LIMIT)
    with tempfile.TemporaryDirectory(prefix="spikecheck-soak-") as place:
        rows = list(_cycles(Path(place), time.monotonic() + 60 * minutes))
        again = _replayed(Path(place))
    document = {"rows": rows, "limit": LIMIT, "again": again, "judged": judged(rows) | again}
    write_text(RESULTS / "soak.json", json.dumps(document, indent=1) + "\n")
    write_page()


def judged(rows: Sequence[Row]) -> dict[str, bool]:
    """What was promised, and whether it was kept.

    >>> one = {"memory": 1e8, "files": 9, "threads": 1, "children": 0, "largest": 1e6}
    >>> flat = [one | {"removed": 40 * cycle} for cycle in range(50)]
    >>> all(judged(flat).values())
    True
    >>> leaking = [row | {"memory": 1e8 + 2e6 * cycle, "files": 9 + cycle} for cycle, row in enumerate(flat)]
    >>> [name for name, kept in judged(leaking).items() if not kept]
    ['memory', 'files']
    >>> full = [row | {"largest": 1e5 * cycle, "removed": 0} for cycle, row in enumerate(flat)]
    >>> [name for name, kept in judged(full).items() if not kept]
    ['store', 'removed']
    """
    fifth = len(rows) // 5
    early, late = rows[fifth : 2 * fifth], rows[-fifth:]
    grown = {name: _median(late, name) - _median(early, name) for name in ("memory", "files", "threads", "children")}
    kept = {name: by <= (GROWTH if name == "memory" else 0) for name, by in grown.items()}
    ends = [rows[fifth * part - 1]["removed"] for part in range(1, 5)] + [rows[-1]["removed"]]
    return kept | {
        "store": max(row["largest"] for row in rows) <= OVER * LIMIT,
        "removed": all(after > before for before, after in pairwise(ends)),
    }


def _median(rows: Sequence[Row], name: str) -> float:
    return median(row[name] for row in rows)


def _cycles(place: Path, until: float) -> Iterator[Row]:
    claims, began, cycle, entries = claims_in(place), time.monotonic(), 0, _Entries(place / "store")
    while time.monotonic() < until:
        verdict = _cycle(place, claims, cycle, entries.note)
        if cycle == 0:
            (place / "first.json").write_text(json.dumps(verdict), encoding="utf-8")
        row = _measured() | entries.measured() | {"seconds": time.monotonic() - began, "trained": verdict["trained"]}
        print(f"  cycle {cycle}: {json.dumps(row)}", flush=True)
        yield row
        cycle += 1


def _replayed(place: Path) -> dict[str, bool]:
    """Whether the first cycle's claim is trained anew, as its runs were removed, and comes to the same scores."""
    first = json.loads((place / "first.json").read_text(encoding="utf-8"))
    again = _verified(place, place / "claims", 0)
    return {"trained again": again["trained"] == first["trained"], "same scores": again["scores"] == first["scores"]}


class _Entries:
    """The records of a store: their size after every command, and how many were there after one and are no more."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self._seen: set[Path] = set()
        self._largest = 0

    def note(self) -> int:
        """Their size in bytes."""
        sizes = {path: path.stat().st_size for path in self._store.rglob("*.safetensors")}
        self._seen |= sizes.keys()
        self._largest = max(self._largest, sum(sizes.values()))
        return sum(sizes.values())

    def measured(self) -> Row:
        """The size now, the largest after a command since the last call, and the number removed so far."""
        row: Row = {
            "store": self.note(),
            "largest": self._largest,
            "removed": sum(not path.exists() for path in self._seen),
        }
        self._largest = 0
        return row


def _cycle(place: Path, claims: Path, cycle: int, note: Callable[[], object]) -> dict[str, Any]:
    """Verify, gate an ensemble and a training, train under a watch, and read its log; the verdict's scores.

    Raises:
        RuntimeError: a command ended otherwise than with an answer.
    """
    store = _store(place, cycle)
    rates = ("--optimizer", "adam", "--set", "lr=0.003", "--against", "gd", "--against-set", "lr=0.1", "--seeds", "2")
    rows = ("--rows", "diverged,final loss,best loss")
    log = place / "watch.jsonl"
    verdict = _verified(place, claims, cycle)
    note()
    _watched(log, cycle)
    for words in (
        ("gate", *rates, "--dataset", "few-digits", "--at", "steps=100", *rows, *store),
        ("gate", *rates, "--workload", "mlp", "--at", "steps=30", *rows, *store),
        ("watch", str(log)),
    ):
        _answered(words)
        note()
    return verdict


def _store(place: Path, cycle: int) -> tuple[str, ...]:
    return ("--store", str(place / "store"), "--seed", str(cycle), "--executor", "local")


def _verified(place: Path, claims: Path, cycle: int) -> dict[str, Any]:
    """The scores of every seed, and how many runs were trained for them."""
    report = place / "report.json"
    _answered(("verify", "small", "--claims-path", str(claims), *_store(place, cycle), "--json", str(report)))
    (verdict,) = json.loads(report.read_text(encoding="utf-8"))["claims"]
    return {"trained": verdict["runs_trained"], "scores": scores(report)}


def _answered(words: Sequence[str]) -> None:
    failure, code = called(words)
    if failure or code not in (0, 1, 3):
        raise RuntimeError(f"{' '.join(words)}: exit code {code}: {failure}")


def _watched(log: Path, seed: int) -> None:
    """A small training under a watch."""
    log.unlink(missing_ok=True)
    torch.manual_seed(seed)
    model = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    x = torch.randn(64, 4)
    with spikecheck.Watch(model, optimizer, log=log) as watch:
        for _ in range(_STEPS):
            optimizer.zero_grad()
            loss = (model(x) - x.sum(1, keepdim=True)).square().mean()
            loss.backward()
            optimizer.step()
            watch.step(loss)


def _measured() -> Row:
    process = psutil.Process()
    return {
        "memory": process.memory_info().rss,
        "files": process.num_fds(),
        "threads": process.num_threads(),
        "children": len(process.children(recursive=True)),
    }


if __name__ == "__main__":
    main()
