"""How often the gate alarms at nothing, and how often it names what is worse, on planted scores."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from spikecheck.core.count import Count
from spikecheck.core.scorecard import Row, Scores
from spikecheck.gate.gate import COST
from spikecheck.gate.judge import rows
from spikecheck.gate.rows import MEASURES, MEMORY, TIME
from spikecheck.stats.counts import counted

PLACES = ("one", "two", "three")
SEEDS = 16
ROW = "final loss"
(MARGIN,) = (measure.margin for measure in MEASURES if measure.name == ROW)
_SPREAD = 0.2
"""Standard deviation of a seed's score, in the row's unit."""


@dataclass(frozen=True)
class World:
    """By how much one row is worse there, what is counted, and the most that is promised."""

    says: str
    shift: float
    seen: str
    happened: Callable[[tuple[Row, ...]], bool]
    promised: float | None = None


def planted_scores(generator: np.random.Generator, shift: float = 0.0, row: str = ROW, state: float = 1.0) -> Scores:
    """Three settings' scores: every row is noise, one of them shifted; `state` is the memory an optimizer takes."""
    values: dict[str, dict[str, tuple[float | None, ...]]] = {}
    for measure in MEASURES:
        moved = shift if measure.name == row else 0.0
        values[measure.name] = {p: tuple(generator.normal(moved, _SPREAD, SEEDS).tolist()) for p in PLACES}
    values[TIME[0]] = {COST: tuple(generator.normal(0.0, _SPREAD / 2, 24).tolist())}
    values[MEMORY[0]] = {COST: (state,)}
    return Scores(values=values)


def gates_counted(rounds: int, seed: int, ticked: Callable[[], None]) -> Iterator[Count]:
    """Every world's gates; `ticked` after every one."""
    generator = np.random.default_rng(seed)
    for world in WORLDS:
        times = 0
        for _ in range(rounds):
            times += world.happened(rows(planted_scores(generator, world.shift), planted_scores(generator)))
            ticked()
        yield counted(f"gate: {world.says}", world.seen, times, rounds, world.promised)


def _alarms(found: tuple[Row, ...]) -> bool:
    return any(row.fails for row in found)


def _named(found: tuple[Row, ...]) -> bool:
    return any(row.fails and row.name == ROW for row in found)


WORLDS = (
    World("the same optimizer twice", 0.0, "any regression", _alarms, 0.05),
    World(f"{ROW} worse by its margin, {MARGIN:g}", MARGIN, "any regression", _alarms, 0.05),
    World(f"{ROW} worse by three margins", 3 * MARGIN, "named as a regression", _named),
)
