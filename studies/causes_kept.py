"""Answers of an examination as the repository keeps them: in one file, without losses, of which the page shows none."""

import gzip
from collections.abc import Sequence
from pathlib import Path

from spikecheck.core.record import Record
from spikecheck.core.why import Answer, ArmResult
from spikecheck.report import atomic_write
from studies.causes_cells import Cell


class Examination(Record):
    """All answers that one set of rules gave."""

    rules: str
    """Digest of the rules and plants."""
    cells: tuple[Cell, ...]

    @property
    def seeds(self) -> str:
        """The seeds that were examined, in words."""
        seeds = sorted({cell.asked.seed for cell in self.cells})
        if len(seeds) < 3:
            return f"seed{'s' * (len(seeds) > 1)} {' and '.join(map(str, seeds))}"
        return f"seeds {seeds[0]} to {seeds[-1]}"


def without_losses(cell: Cell) -> Cell:
    """The answer with the heights and effects of its forks, and without their losses."""
    return cell.model_copy(update={"answer": None if cell.answer is None else _short(cell.answer)})


def write(rules: str, cells: Sequence[Cell], path: Path) -> None:
    """Write an examination; the same answers make the same bytes."""
    whole = Examination(rules=rules, cells=tuple(map(without_losses, cells)))
    path.parent.mkdir(parents=True, exist_ok=True)
    packed = gzip.compress(whole.model_dump_json(by_alias=True).encode(), mtime=0)
    atomic_write.write(packed, path, "--keep")


def add(rules: str, cells: Sequence[Cell], path: Path) -> None:
    """Add answers to an examination by the same rules, or begin one; what is asked again is as answered last.

    Raises:
        SystemExit: when the file has answers by other rules.
    """
    before = read(path) if path.exists() else Examination(rules=rules, cells=())
    if before.rules != rules:
        raise SystemExit(
            f"--keep {path}: has answers by the rules {before.rules}, and these are by {rules}; give another file"
        )
    every = {cell.asked.file: cell for cell in [*before.cells, *cells]}
    write(rules, [every[name] for name in sorted(every)], path)


def read(path: Path) -> Examination:
    """An examination that was written."""
    return Examination.model_validate_json(gzip.decompress(path.read_bytes()))


def _short(answer: Answer) -> Answer:
    signs = answer.signs.model_copy(update={"overshoots": ()})
    return answer.model_copy(update={"losses": (), "signs": signs, "arms": tuple(map(_without, answer.arms))})


def _without(arm: ArmResult) -> ArmResult:
    return arm.model_copy(update={"forks": tuple(fork.model_copy(update={"losses": ()}) for fork in arm.forks)})
