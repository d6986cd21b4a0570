"""Verifies, gates and watches in turn in one process over one store, and measures memory, open files and the store's size.

    python studies/soak.py [--minutes 15]

Every cycle has seeds of its own, so it trains anew, and the store, whose limit is small here, removes what was used least
recently. What is promised, written down before the first run:

- resident memory in the last fifth of the cycles exceeds that in the second fifth by at most 32 MiB, by medians;
- open file descriptors, threads and child processes are as many in the last fifth as in the second;
- the store is never larger than its limit and a sixteenth: it looks at its size each time it has written so much.

Writes reports/reliability/soak.json and, with it, docs/reliability.md.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

import psutil
import torch

import spikecheck
from studies.crash_tasks import claims_in
from studies.fuzz import called
from studies.reliability_page import RESULTS, write_page, write_text

LIMIT = 8 * 2**20
"""Bytes of the store: a few cycles fill it."""
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
    document = {"rows": rows, "limit": LIMIT, "judged": judged(rows)}
    write_text(RESULTS / "soak.json", json.dumps(document, indent=1) + "\n")
    write_page()


def judged(rows: Sequence[Row]) -> dict[str, bool]:
    """What was promised, and whether it was kept.

    >>> flat = [{"memory": 1e8, "files": 9, "threads": 1, "children": 0, "store": 1e6}] * 50
    >>> all(judged(flat).values())
    True
    >>> leaking = [row | {"memory": 1e8 + 1e6 * cycle, "files": 9 + cycle} for cycle, row in enumerate(flat)]
    >>> [name for name, kept in judged(leaking).items() if not kept]
    ['memory', 'files']
    """
    fifth = len(rows) // 5
    early, late = rows[fifth : 2 * fifth], rows[-fifth:]
    grown = {name: _median(late, name) - _median(early, name) for name in ("memory", "files", "threads", "children")}
    kept = {name: by <= (GROWTH if name == "memory" else 0) for name, by in grown.items()}
    return kept | {"store": max(row["store"] for row in rows) <= OVER * LIMIT}


def _median(rows: Sequence[Row], name: str) -> float:
    return median(row[name] for row in rows)


def _cycles(place: Path, until: float) -> Iterator[Row]:
    claims, began, cycle = claims_in(place), time.monotonic(), 0
    while time.monotonic() < until:
        trained = _cycle(place, claims, cycle)
        row = _measured(place / "store") | {"seconds": time.monotonic() - began, "trained": trained}
        print(f"  cycle {cycle}: {json.dumps(row)}", flush=True)
        yield row
        cycle += 1


def _cycle(place: Path, claims: Path, cycle: int) -> int:
    """Verify, gate an ensemble and a training, train under a watch, and read its log; how many runs were trained.

    Raises:
        RuntimeError: a command ended otherwise than with an answer.
    """
    store = ("--store", str(place / "store"), "--seed", str(cycle), "--executor", "local")
    rates = ("--optimizer", "adam", "--set", "lr=0.003", "--against", "gd", "--against-set", "lr=0.1", "--seeds", "2")
    rows = ("--rows", "diverged,final loss,best loss")
    report, log = place / "report.json", place / "watch.jsonl"
    _watched(log, cycle)
    for words in (
        ("verify", "small", "--claims-path", str(claims), *store, "--json", str(report)),
        ("gate", *rates, "--dataset", "few-digits", "--at", "steps=100", *rows, *store),
        ("gate", *rates, "--workload", "mlp", "--at", "steps=30", *rows, *store),
        ("watch", str(log)),
    ):
        failure, code = called(words)
        if failure or code not in (0, 1, 3):
            raise RuntimeError(f"{' '.join(words)}: exit code {code}: {failure}")
    verdicts = json.loads(report.read_text(encoding="utf-8"))["claims"]
    return sum(verdict["runs_trained"] for verdict in verdicts)


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


def _measured(store: Path) -> Row:
    process = psutil.Process()
    return {
        "memory": process.memory_info().rss,
        "files": process.num_fds(),
        "threads": process.num_threads(),
        "children": len(process.children(recursive=True)),
        "store": sum(path.stat().st_size for path in store.rglob("*.safetensors")),
    }


if __name__ == "__main__":
    main()
