"""How often the gate raises a false alarm, and how often it detects a regression, on simulated scores."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from spikecheck.core.scorecard import Decision, Row, Scores
from spikecheck.gate.comparison import decided, rows
from spikecheck.gate.metrics import DIVERGED, MARGINS, MEASURES, MEMORY, SPIKING, TIME
from spikecheck.gate.run import COST
from spikecheck.stats.counts import Count, counted

PLACES = ("one", "two", "three")
SEEDS = 16
ROW = "final loss"
(MARGIN,) = (measure.margin for measure in MEASURES if measure.name == ROW)
CHANCE = 0.1
"""Probability that a training spikes."""
_SPREAD = 2.0
"""Standard deviation of a seed's score, in margins of its row."""


@dataclass(frozen=True)
class World:
    """A simulated truth, and the event that is counted in its gates."""

    says: str
    shift: float
    """Amount by which one row, `ROW`, is worse."""
    seen: str
    happened: Callable[[tuple[Row, ...]], bool]
    promised: float | None = None
    """Largest rate of the event that is promised; None if nothing is."""
    chance: float = CHANCE
    """Probability that a training of the candidate spikes."""
    seeds: int = SEEDS


def planted_scores(
    generator: np.random.Generator,
    shift: float = 0.0,
    *,
    row: str = ROW,
    state: float = 1.0,
    chance: float = CHANCE,
    seeds: int = SEEDS,
) -> Scores:
    """Scores of three settings: every row is noise, and `row` is shifted by `shift`.

    `state` is the optimizer's memory and `chance` the probability that a training spikes; none diverges.
    """
    values: dict[str, dict[str, tuple[float | None, ...]]] = {}
    for measure in MEASURES:
        moved = shift if measure.name == row else 0.0
        if measure.law == "count":
            likely = 0.0 if measure.name == DIVERGED else chance
            values[measure.name] = {p: tuple((generator.random(seeds) < likely).astype(float)) for p in PLACES}
        else:
            spread = _SPREAD * measure.margin
            values[measure.name] = {p: tuple(generator.normal(moved, spread, seeds).tolist()) for p in PLACES}
    values[TIME[0]] = {COST: tuple(generator.normal(0.0, MARGINS[TIME[0]] / 4, 24).tolist())}
    values[MEMORY[0]] = {COST: (state,)}
    return Scores(values=values)


def gates_counted(rounds: int, seed: int, ticked: Callable[[], None]) -> Iterator[Count]:
    """Count every world's event over `rounds` gates; call `ticked` after each."""
    generator = np.random.default_rng(seed)
    for world in WORLDS:
        times = 0
        for _ in range(rounds):
            worse = planted_scores(generator, world.shift, chance=world.chance, seeds=world.seeds)
            times += world.happened(rows(worse, planted_scores(generator, seeds=world.seeds)))
            ticked()
        yield counted(f"gate: {world.says}", world.seen, times, rounds, world.promised)


def _alarms(table: tuple[Row, ...]) -> bool:
    return any(row.fails for row in table)


def _named(table: tuple[Row, ...]) -> bool:
    return any(row.fails and row.name == ROW for row in table)


def _spiking(table: tuple[Row, ...]) -> bool:
    return any(row.fails and row.name == SPIKING for row in table)


def _not_decided(table: tuple[Row, ...]) -> bool:
    return decided(table, SEEDS)[0] is Decision.NOT_DECIDED


WORLDS = (
    World("the same optimizer twice", 0.0, "any regression", _alarms, 0.05),
    World("the same optimizer twice, 4 seeds", 0.0, "any regression", _alarms, 0.05, seeds=4),
    World("the same optimizer twice", 0.0, "undecided", _not_decided),
    World(f"{ROW} worse by its margin, {MARGIN:g}", MARGIN, "any regression", _alarms, 0.05),
    World(f"{ROW} worse by three margins", 3 * MARGIN, "named as a regression", _named),
    World("spikes in half of the trainings, not in a tenth", 0.0, "named as a regression", _spiking, chance=0.5),
)
