"""Where spikes condense, and what decides it: `python studies/twins.py` writes reports/twins.md and its figure (half an hour).

All trainings are stored: after a stop, or when `--minutes` are over, the next run resumes the work.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from spikecheck import Laboratory, Store
from spikecheck.core.errors import BudgetSpent
from spikecheck.core.events import Event, TileStored
from spikecheck.lab.store import default_folder
from studies.twins_cells import ROWS, Cell, Row, cells
from studies.twins_report import figure, text


def table(lab: Laboratory, rows: Sequence[Row], seeds: int) -> Iterator[Cell]:
    """Yield the cells row by row, until the laboratory's time is over."""
    for row in rows:
        began = time.monotonic()
        try:
            row_cells = cells(lab, row, seeds)
        except BudgetSpent:
            print(f"\r{row.name}: the minutes are over", file=sys.stderr)
            return
        lab.forget()
        twins, spent = sum(len(cell.twins) for cell in row_cells), time.monotonic() - began
        print(f"\r{row.name}: {twins} twins, {spent:.0f} s           ", file=sys.stderr, flush=True)
        yield from row_cells


def _told(event: Event) -> None:
    if isinstance(event, TileStored):
        print(f"\r  {time.strftime('%H:%M:%S')} {event.runs} runs stored", end="", file=sys.stderr, flush=True)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--store", type=Path, default=default_folder(), help="the folder that stores all trainings")
    parser.add_argument("--seeds", type=int, default=64, help="seeds per cell")
    parser.add_argument("--minutes", type=float, default=45.0, help="rows not trained by then are left out, and named")
    parser.add_argument(
        "--out", type=Path, default=Path("reports/twins.md"), help="the report; its figure lies next to it"
    )
    return parser.parse_args()


def main() -> None:
    """Train what is not stored yet, and write the report."""
    asked = _asked()
    lab = Laboratory(Store(asked.store), observe=_told, deadline=time.monotonic() + 60.0 * asked.minutes)
    table_cells = list(table(lab, ROWS, asked.seeds))
    picture = asked.out.with_suffix(".png")
    asked.out.write_text(text(table_cells, asked.seeds, picture.name), encoding="utf-8")
    figure(table_cells).savefig(picture, dpi=130, metadata={"Software": None})


if __name__ == "__main__":
    main()
