"""The examination of `spikecheck diagnose --workload` on planted causes: asks for answers, and writes docs/causes.md.

    python studies/causes.py --first-seed 300 --keep reports/causes/tested-benign.json.gz [--workload gpt ...]
    python studies/causes.py --page-only

Every answer is kept in the store as soon as it is there, under a digest of the rules and of the plants: what was stopped goes
on, and a rule that was changed is examined anew. `--keep` adds the answers that the store has for the present rules to a file,
and refuses a file with answers of other rules. The page is written from the files in reports/causes: the answers of the first
rules, of the changed rules with the detector of that time and with the present one, of the rules that compare an arm with the
placebo, of those by which a spike is benign by a test, of those by which the fall before a return is judged, and those at
rises that no arm can remove.
"""

import argparse
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from spikecheck.core.errors import UsageError
from spikecheck.core.why import Answer
from spikecheck.lab.execution.worker_process import end_with_parent
from spikecheck.lab.store import default_folder
from spikecheck.report import atomic_write
from spikecheck.watch.runs import Order
from spikecheck.watch.workload import Workload
from spikecheck.why.explain import explain_order
from spikecheck.why.question import Question
from studies import causes_kept as kept
from studies.causes_cells import Asked, Cell, read
from studies.causes_page import Examinations, page
from studies.causes_rules import rules
from studies.planted_causes import CAUSES, SHIPPED, STEPS, WITHIN, onset_of

ROOT = Path(__file__).resolve().parents[1]
_PAGE = ROOT / "docs" / "causes.md"
_KEPT = (
    "first-rules",
    "changed-rules",
    "present-detector",
    "compared-with-placebo",
    "tested-benign",
    "returns",
    "falls",
    "uncaused",
    "uncaused-compared-with-placebo",
    "uncaused-returns",
)
"""Files in reports/causes, in the order of `Examinations`."""


def judged(asked: Asked) -> Cell:
    """Ask why this training spiked, as a user would: without saying where, unless there is nothing to be seen."""
    torch.set_num_threads(1)
    onset = onset_of(asked.seed)
    if asked.cause == "none":
        return Cell(asked=asked, onset=onset, spikes=True, answer=_answered(asked, onset))
    answer = _answered(asked, None)
    assert answer is not None
    onsets = [*([] if answer.spike is None else [answer.spike.onset]), *answer.others]
    near = [step for step in sorted(onsets) if onset <= step <= onset + WITHIN]
    explained = None if answer.spike is None else answer.spike.onset
    if near and explained is not None and explained not in near:  # an earlier spike was explained
        answer = _answered(asked, near[0])
    return Cell(asked=asked, onset=onset, spikes=bool(near), answer=answer)


def _answered(asked: Asked, at: int | None) -> Answer | None:
    """None where no loss rises at the step."""
    workload = Workload.of(f"studies.{asked.module}:{asked.workload}", {"cause": asked.cause})
    try:
        return explain_order(Order(workload, asked.seed, STEPS), None, Question(at), workers=1)
    except UsageError:
        return None


def _begin_worker() -> None:
    """A worker ends with its parent, also where that is killed: it would else hold its memory for ever."""
    threading.Thread(target=end_with_parent, daemon=True).start()


def answered(cells: Sequence[Asked], folder: Path, workers: int) -> Iterator[Cell]:
    """Ask for the answers that the folder lacks; each is written as soon as it is there."""
    folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_begin_worker) as pool:
        waiting = [pool.submit(judged, asked) for asked in cells if not (folder / asked.file).exists()]
        for future in as_completed(waiting):
            cell = future.result()
            atomic_write.write(cell.model_dump_json(by_alias=True).encode(), folder / cell.asked.file, "the store")
            yield cell


def shown(cells: Iterable[Cell], total: int) -> None:
    """Print answers as they come, under a bar."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns) as progress:
        task = progress.add_task("answers", total=total)
        for cell in cells:
            progress.console.print(cell.line, highlight=False)
            progress.advance(task)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=10, help="seeds of every cause and workload")
    parser.add_argument("--first-seed", type=int, default=0, help="a rule that was changed is judged on fresh ones")
    parser.add_argument("--workers", type=int, default=2, help="processes at once")
    parser.add_argument("--cause", action="append", choices=CAUSES, help="this cause; may be repeated")
    parser.add_argument("--workload", action="append", choices=SHIPPED, help="this workload; may be repeated")
    parser.add_argument("--store", type=Path, default=default_folder() / "causes", help="the folder of all answers")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="add the answers of the present rules to this file")
    parser.add_argument("--page-only", action="store_true", help="ask for no answer, and write the page")
    return parser.parse_args()


def main() -> None:
    """Ask for what is not stored yet, keep the answers, and write the page."""
    asked = _asked()
    folder = asked.store / rules(ROOT)
    if not asked.page_only:
        _examine(asked, folder)
    if asked.keep is not None:
        kept.add(folder.name, read(folder), asked.keep)
    before = _PAGE.read_text(encoding="utf-8").split("<!-- tables -->")[0]
    tables = page(examined())
    atomic_write.write(f"{before}<!-- tables -->\n{tables}".encode(), _PAGE, "docs/causes.md")


def examined() -> Examinations:
    """What the repository keeps."""
    return Examinations(*(kept.read(ROOT / "reports" / "causes" / f"{name}.json.gz") for name in _KEPT))


def _examine(asked: argparse.Namespace, folder: Path) -> None:
    seeds = range(asked.first_seed, asked.first_seed + asked.seeds)
    chosen = product(seeds, asked.workload or SHIPPED, asked.cause or CAUSES)
    cells = [
        Asked(workload=name, cause=cause, seed=seed) for seed, name, cause in chosen if name in CAUSES[cause].workloads
    ]
    missing = sum(not (folder / one.file).exists() for one in cells)
    shown(answered(cells, folder, asked.workers), missing)


if __name__ == "__main__":
    main()
