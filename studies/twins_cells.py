"""The cells of studies/twins.py: their settings, and the measurements on every seed's twins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikecheck import (
    SETTING_A,
    SETTING_B,
    Anatomy,
    Continue,
    Hold,
    Laboratory,
    LowerRate,
    Recipe,
    Run,
    Setting,
    SpikeDefinition,
)
from spikecheck.measures import alignment, effective_ratio

Numbers = NDArray[np.float64]

FIRST_SEED = 2_000
"""No seed from here on was used before: the claims' first results come from seeds 0 to 63 and 1,000 to 1,063."""
HORIZON = 3_000
RATES = (0.05, 0.075, 0.1, 0.125, 0.15)
ENOUGH = 16
"""Fewest applicable seeds with which a cell takes part in the explanation."""
DEFINITION = SpikeDefinition()
ASCENT = Anatomy(before=DEFINITION.lead, after=0, longest=300, pairs=1, definition=DEFINITION)
"""The first spike from the fork to its recovery, at every step: a sample every fifty steps misses the largest sharpness."""


class Seen(NamedTuple):
    """The first results in a cell, from planning: the seeds that gained, and the number of seeds."""

    gained: int
    of: int


@dataclass(frozen=True)
class Row:
    """One setting at several learning rates."""

    name: str
    setting: Setting
    rates: tuple[float, ...] = RATES
    seen: Mapping[float, Seen] | None = None


_A, _B = SETTING_A, SETTING_B
ROWS = (
    Row("A", _A, seen={0.05: Seen(15, 29), 0.075: Seen(14, 32), 0.1: Seen(23, 25), 0.125: Seen(23, 23)}),
    Row(
        "A, sin x + sin 4x",
        _A.but(target="sin x + sin 4x"),
        seen={0.075: Seen(0, 1), 0.1: Seen(3, 6), 0.125: Seen(13, 13)},
    ),
    Row(
        "A, half the initial std",
        _A.but(init_scale=0.5),
        seen={0.05: Seen(15, 30), 0.075: Seen(16, 32), 0.1: Seen(17, 32), 0.125: Seen(21, 31)},
    ),
    Row("A, width 50 (std 0.14)", _A.but(width=50), seen={0.05: Seen(0, 16), 0.1: Seen(16, 16)}),
    Row("A, GELU", _A.but(activation="gelu")),
    Row("A, x tanh x", _A.but(activation="xtanh"), rates=(0.02, 0.03, 0.04, 0.05, 0.075)),
    Row("A, depth 2", _A.but(depth=2)),
    Row("B", _B, seen={0.1: Seen(12, 14), 0.15: Seen(14, 14)}),
    Row("B from std 0.1, 0.1", _B.but(input_std=0.1, output_std=0.1), seen={0.1: Seen(0, 12), 0.15: Seen(5, 12)}),
    Row(
        "B, ReLU", _B.but(activation="relu"), rates=(*RATES, 0.2), seen={0.1: Seen(3, 11), 0.2: Seen(11, 16)}
    ),
    Row("A, width 100", _A.but(width=100), rates=(0.03, 0.04)),
    Row("A, width 200", _A.but(width=200), rates=(0.03, 0.04)),
    Row("A, width 500", _A.but(width=500), rates=(0.04,)),
    Row("A, width 1,000", _A.but(width=1_000), rates=(0.04,)),
)  # fmt: skip


@dataclass(frozen=True)
class Twins:
    """One cell's applicable seeds, an array [S] each; alignments and ratios are measured at the ends of the arms."""

    gain: Numbers
    """Mean |cos| between input weights: spiking minus calm."""
    weighted: Numbers
    """The gain with pairs weighted by amplitude."""
    fewer: Numbers
    """Effective ratio: calm minus spiking, so that more condensed is positive here too."""
    held_gain: Numbers
    """Mean |cos|: spiking minus held."""
    height: Numbers
    """Log10 of the first spike's height."""
    highest: Numbers
    """Log10 of the largest height within the horizon."""
    overshoot: Numbers
    """Largest lr x sharpness from the fork to the first spike's recovery, minus 2."""
    spikes: Numbers
    """Number of spikes in the spiking arm."""
    start: Numbers
    """Mean |cos| at the fork."""
    loss: Numbers
    """Log10 of the loss at the fork."""
    fork: Numbers
    """Step of the fork."""
    calm_rise: Numbers
    """Mean |cos| of the calm twin: its end minus the fork."""

    def __len__(self) -> int:
        return len(self.gain)

    @property
    def edge(self) -> Numbers:
        """Mean |cos|: held minus calm, the effect of the larger learning rate without a spike."""
        return self.gain - self.held_gain


@dataclass(frozen=True)
class Cell:
    """One row at one learning rate."""

    row: Row
    rate: float
    asked: int
    unspiked: int
    """Seeds without a spike."""
    early: int
    """Seeds whose first spike comes too early for a fork."""
    diverged: int
    """Seeds with an arm that diverged."""
    calm_spikes: int
    """Calm twins that spiked within the horizon."""
    held_spikes: int
    twins: Twins

    @property
    def enough(self) -> bool:
        """Whether the cell takes part in the explanation."""
        return len(self.twins) >= ENOUGH


# ---- training ----------------------------------------------------------------------------------------------------------


def cells(lab: Laboratory, row: Row, seeds: int) -> list[Cell]:
    """The row's cells; all its learning rates are trained together."""
    settings = {rate: row.setting.but(lr=rate) for rate in row.rates}
    asked = range(FIRST_SEED, FIRST_SEED + seeds)
    recipes = [Recipe(setting=setting, seed=seed) for setting in settings.values() for seed in asked]
    trunks = lab.runs(recipes)
    spiking = _arm(lab, recipes, Continue(horizon=HORIZON, definition=DEFINITION))
    whole = [recipe for recipe in recipes if recipe in spiking and not spiking[recipe].diverged]
    calm = _arm(lab, whole, LowerRate(factor=0.25, horizon=HORIZON, definition=DEFINITION))
    held = _arm(lab, whole, Hold(horizon=HORIZON, definition=DEFINITION))
    ascents = lab.runs([recipe.model_copy(update={"probe": ASCENT}) for recipe in whole])
    ascent = {Recipe(setting=recipe.setting, seed=recipe.seed): run for recipe, run in ascents.items()}
    row_cells = []
    for rate, setting in settings.items():
        mine = [recipe for recipe in recipes if recipe.setting == setting]
        ended = [r for r in mine if r in calm and not calm[r].diverged and not held[r].diverged]
        row_cells.append(
            Cell(
                row=row,
                rate=rate,
                asked=len(mine),
                unspiked=sum(not trunks[r].has_spike for r in mine),
                early=sum(trunks[r].has_spike and r not in spiking for r in mine),
                diverged=sum(r in spiking for r in mine) - len(ended),
                calm_spikes=sum(calm[r].has_spike for r in ended),
                held_spikes=sum(held[r].has_spike for r in ended),
                twins=_twins([_measured(spiking[r], calm[r], held[r], ascent[r]) for r in ended]),
            )
        )
    return row_cells


def _arm(lab: Laboratory, recipes: Sequence[Recipe], fork: Continue | LowerRate | Hold) -> dict[Recipe, Run]:
    """The forked runs, by the recipe that they are forked from; recipes without a fork are left out."""
    forked = {Recipe(setting=r.setting.but(intervention=fork), seed=r.seed): r for r in recipes}
    return {forked[recipe]: run for recipe, run in lab.runs(forked).items()}


def _measured(spiking: Run, calm: Run, held: Run, ascent: Run) -> dict[str, float]:
    """One seed's numbers, by the names of the fields of `Twins`."""
    start = alignment(spiking.snapshots["start"].input_weights)
    ends = [run.snapshots["end"] for run in (spiking, calm, held)]
    plain = [alignment(end.input_weights) for end in ends]
    weighted = [alignment(end.input_weights, np.linalg.norm(end.output_weights, axis=1)) for end in ends]
    ratios = [effective_ratio(end.input_weights) for end in ends]
    sharpness = ascent.records["anatomy"]["sharpness"][:, 0]
    # An arm does not know the minimum before the fork, so a spike that is small for the whole run may be none for the arm.
    heights = [ascent.spikes[0].height, *(spike.height for spike in spiking.spikes)]
    return {
        "gain": plain[0] - plain[1],
        "weighted": weighted[0] - weighted[1],
        "fewer": ratios[1] - ratios[0],
        "held_gain": plain[0] - plain[2],
        "height": float(np.log10(heights[0])),
        "highest": float(np.log10(max(heights))),
        "overshoot": float(spiking.setting.lr * sharpness.max() - 2.0),
        "spikes": float(max(1, len(spiking.spikes))),
        "start": start,
        "loss": float(np.log10(spiking.loss[0])),
        "fork": float(spiking.start),
        "calm_rise": plain[1] - start,
    }


def _twins(measured: Sequence[Mapping[str, float]]) -> Twins:
    return Twins(**{f.name: np.array([one[f.name] for one in measured]) for f in fields(Twins)})
