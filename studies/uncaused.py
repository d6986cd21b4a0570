"""Whether forks name a cause at rises that no arm can remove: asks for answers, and keeps them for docs/causes.md.

    python studies/uncaused.py --first-seed 200 --keep reports/causes/uncaused-compared-with-placebo.json.gz
    python studies/causes.py --page-only

Answers are kept in the store as those of `studies/causes.py`, in a folder of their own.
"""

import argparse
from itertools import product
from pathlib import Path

from spikecheck.lab.store import default_folder
from studies import causes_kept as kept
from studies.causes import ROOT, answered, shown
from studies.causes_cells import Asked, read
from studies.causes_rules import rules
from studies.uncaused_worlds import WORLDS


def main() -> None:
    """Ask for what is not stored yet, and keep the answers."""
    asked = _asked()
    digest = rules(ROOT, "studies/uncaused_worlds.py")
    folder = asked.store / digest
    seeds = range(asked.first_seed, asked.first_seed + asked.seeds)
    cells = [Asked(workload="mlp", cause=cause, seed=seed) for seed, cause in product(seeds, asked.cause or WORLDS)]
    shown(answered(cells, folder, asked.workers), sum(not (folder / one.file).exists() for one in cells))
    if asked.keep is not None:
        kept.add(digest, read(folder), asked.keep)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5, help="seeds of every reason")
    parser.add_argument("--first-seed", type=int, default=100, help="as in studies/causes.py")
    parser.add_argument("--workers", type=int, default=2, help="processes at once")
    parser.add_argument("--cause", action="append", choices=WORLDS, help="this reason; may be repeated")
    parser.add_argument("--store", type=Path, default=default_folder() / "uncaused", help="the folder of all answers")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="add the answers of the present rules to this file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
