"""Claims made wrong on purpose, which must then no longer hold: `python studies/mutants.py` writes docs/mutants.md.

All trainings are stored, so a stopped run can be resumed.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from spikecheck import Claim, Laboratory, Store, discover
from spikecheck.harness.discover import select
from spikecheck.lab.store import default_folder
from studies.mutants_judged import Judged, with_mutants
from studies.mutants_kinds import MUTATIONS
from studies.mutants_meanings import needless
from studies.mutants_page import page


def judged(claims: Sequence[Claim], lab: Laboratory, seeds: int) -> Iterator[Judged]:
    """Yield every claim with its mutants, as it is judged."""
    for claim in claims:
        began = time.monotonic()
        one = with_mutants(claim, lab, seeds, MUTATIONS)
        lab.forget()
        print(_line(one, time.monotonic() - began), file=sys.stderr, flush=True)
        yield one


def _line(one: Judged, spent: float) -> str:
    survivors = ", ".join(mutant.mutation.name for mutant in one.survivors) or "none"
    rest = f"{len(one.kept)} mutants, survivors: {survivors}" if one.mutants else "nothing to kill"
    return f"{one.claim.id}: {one.answer.outcome}, {rest} ({spent:.0f} s)"


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--claim", nargs="*", default=[], help="ids, with * for anything; by default all claims")
    parser.add_argument("--seeds", type=int, default=32, help="seeds per claim")
    parser.add_argument("--store", type=Path, default=default_folder(), help="the folder that stores all trainings")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "docs" / "mutants.md")
    return parser.parse_args()


def main() -> None:
    """Judge claims and mutants, and write the page."""
    asked = _asked()
    claims = select(discover(), asked.claim)
    judgements = list(judged(claims, Laboratory(Store(asked.store)), asked.seeds))
    asked.out.write_text(page(judgements, MUTATIONS, asked.seeds), encoding="utf-8")
    for said in needless(judgements):
        print(f"no longer needed: what is said of {said.claim}, {said.mutation}", file=sys.stderr)
    if broken := [
        f"{one.claim.id}, {m.mutation.name}: {m.reason}" for one in judgements for m in one.mutants if m.broken
    ]:
        raise SystemExit("\n".join(["mutations that could not be carried out:", *broken]))


if __name__ == "__main__":
    main()
