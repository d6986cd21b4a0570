"""Trains one run, looks at its first spike from near, and lets its twins go on."""

from collections.abc import Callable

import numpy as np
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from spikecheck.core.errors import UsageError
from spikecheck.core.intervention import Continue, LowerRate
from spikecheck.core.portrait import Fit, Portrait, Twin
from spikecheck.core.probe import Anatomy
from spikecheck.core.recipe import Recipe
from spikecheck.core.run import Array, Run
from spikecheck.core.setting import Setting
from spikecheck.core.spike import SpikeDefinition
from spikecheck.harness.evidence import Trainer
from spikecheck.lab.batching import seconds, tiles
from spikecheck.measures import alignment, cosines
from spikecheck.measures.ascent import growth
from spikecheck.measures.spikes import spikes
from spikecheck.objective.objective import numbers_of
from spikecheck.training.rule_for import threshold_of

PAIRS = 12
HORIZON = 1_000
"""Steps that the twins go on for."""
SEEDS = 32
"""Seeds tried where none is given: as many as are trained in one go anyway."""
_BEFORE = 150
Stored = Callable[[Recipe], bool]
"""Whether a recipe's run is there already."""


def spiking_seed(lab: Trainer, setting: Setting, definition: SpikeDefinition, seed: int | None) -> int:
    """The seed, or the first whose run spikes and recovers, with room for twins to part before.

    Raises:
        UsageError: when it does not, or none does.
    """
    tried = range(SEEDS) if seed is None else [seed]
    recipes = [Recipe(setting=setting, seed=one) for one in tried]
    found = lab.runs(recipes)
    fit = [recipe.seed for recipe in recipes if _shows(found[recipe], definition)]
    if fit:
        return fit[0]
    if seed is not None:
        raise UsageError(
            f"--seed {seed}: its run has no spike that recovers; leave it out, and one that has is looked for"
        )
    raise UsageError(
        f"none of {len(tried)} seeds spikes and recovers at this setting; give another, such as --at lr=0.15"
    )


def expected_seconds(setting: Setting, seed: int | None, definition: SpikeDefinition, stored: Stored) -> float:
    """What looking for a spike and looking at it will take, in seconds of a usual core; what is stored takes none."""
    tried = [Recipe(setting=setting, seed=one) for one in (range(SEEDS) if seed is None else [seed])]
    near, twins = _looks(setting, seed or 0, definition)
    lacking = [recipe for recipe in (*tried, near, *twins.values()) if not stored(recipe)]
    return sum(map(seconds, tiles(lacking)))


def portray(lab: Trainer, setting: Setting, seed: int, definition: SpikeDefinition) -> Portrait:
    """The first spike of a run that has one."""
    near, twins = _looks(setting, seed, definition)
    found = lab.runs([near, *twins.values()])
    run = found[near]
    record = run.records["anatomy"]
    spike = spikes(run.loss, definition)[0]
    before, after = (run.snapshots[name].input_weights for name in ("onset", "recovery"))
    peak = int(np.searchsorted(record["steps"], spike.peak))
    swing = np.abs(record["swing"][min(peak, len(record["swing"]) - 1)])
    return Portrait(
        setting=setting,
        seed=seed,
        spike=spike,
        threshold=threshold_of(setting),
        steps=record["steps"],
        loss=record["loss"],
        sharpness=record["sharpness"],
        growth=growth(record["swing"][:, 0], record["next_swing"][:, 0]),
        swing=swing / max(float(swing.max()), 1e-300),
        cosines=_ordered(before, after),
        alignment=(alignment(before), alignment(after)),
        twins=tuple(_twin(name, found[recipe]) for name, recipe in twins.items()),
        fit=_fit(setting, record["outputs"]),
    )


def _looks(setting: Setting, seed: int, definition: SpikeDefinition) -> tuple[Recipe, dict[str, Recipe]]:
    """The run from near, and its twins by what they are called."""
    probe = Anatomy(alone=True, before=_BEFORE, pairs=PAIRS, outputs=True, definition=definition)
    forks = {
        "through the spike": Continue(horizon=HORIZON, definition=definition),
        "calm twin, lr / 4": LowerRate(factor=0.25, horizon=HORIZON, definition=definition),
    }
    twins = {name: Recipe(setting=setting.but(intervention=fork), seed=seed) for name, fork in forks.items()}
    return Recipe(setting=setting, seed=seed, probe=probe), twins


def has_curve(setting: Setting) -> bool:
    """Whether its networks are functions of one number."""
    numbers = numbers_of(setting)
    return (numbers.x_test.shape[1], numbers.y_test.shape[1]) == (1, 1)


def _shows(run: Run, definition: SpikeDefinition) -> bool:
    found = spikes(run.loss, definition)
    return bool(found) and found[0].recovery is not None and found[0].onset >= definition.lead


def _twin(name: str, run: Run) -> Twin:
    steps = run.start + np.arange(len(run.loss), dtype=np.float64)
    return Twin(name, steps, run.loss, alignment(run.snapshots["end"].input_weights) if not run.diverged else 0.0)


def _ordered(before: Array, after: Array) -> tuple[Array, Array]:
    """|cos| before and after, both in the order in which the latter fall into clusters."""
    pair = [np.abs(cosines(weights)) for weights in (before, after)]
    if len(pair[1]) < 3 or len(pair[0]) != len(pair[1]):
        return pair[0], pair[1]
    apart = np.clip(1.0 - pair[1], 0.0, None)
    np.fill_diagonal(apart, 0.0)
    order = leaves_list(linkage(squareform(apart, checks=False), "average", optimal_ordering=True))
    return pair[0][np.ix_(order, order)], pair[1][np.ix_(order, order)]


def _fit(setting: Setting, outputs: Array) -> Fit | None:
    if not has_curve(setting):
        return None
    numbers = numbers_of(setting)
    order = np.argsort(numbers.x_test[:, 0])
    return Fit(numbers.x_test[order, 0], numbers.y_test[order, 0], outputs[:, order, 0])
