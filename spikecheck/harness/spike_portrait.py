"""Trains one run, measures its first spike step by step, and trains its twins."""

from collections import Counter
from collections.abc import Callable, Iterable

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
from spikecheck.core.spike import Spike, SpikeDefinition
from spikecheck.core.work import Work, total
from spikecheck.harness.evidence import Trainer
from spikecheck.lab.batching import tiles, work_of
from spikecheck.measures import alignment, cosines
from spikecheck.measures.ascent import growth
from spikecheck.measures.spikes import spikes
from spikecheck.objective.objective import numbers_of
from spikecheck.optimizers.thresholds import threshold_of

PAIRS = 12
HORIZON = 1_000
"""Steps that the twins go on for."""
SEEDS = 32
"""Seeds tried where none is given: as many as are trained in one go anyway."""
_BEFORE, _AFTER = 150, 60
"""Steps measured before the onset and after the recovery; more where the definition of a spike needs more."""
_LONGEST = 1_500
"""Steps measured in all: each costs `PAIRS` eigenpairs."""
_CALM = "did not spike"
Stored = Callable[[Recipe], bool]
"""Whether a recipe's run is there already."""


def spiking_seed(lab: Trainer, setting: Setting, definition: SpikeDefinition, seed: int | None) -> int:
    """The seed, or the first whose run spikes and recovers, with room for twins to part before.

    Raises:
        UsageError: when it does not, or none does.
    """
    tried = range(SEEDS) if seed is None else [seed]
    recipes = [Recipe(setting=setting, seed=one) for one in tried]
    runs = lab.runs(recipes)
    lacking = {recipe.seed: _lacks(runs[recipe], definition) for recipe in recipes}
    fit = [one for one, what in lacking.items() if not what]
    if fit:
        return fit[0]
    if seed is not None:
        raise UsageError(
            f"--seed {seed}: its run {lacking[seed]}; leave --seed out to search for one that can be shown"
        )
    raise UsageError(f"none of {len(tried)} seeds has a spike that can be shown: {_remedy(setting, lacking.values())}")


def _remedy(setting: Setting, lacking: Iterable[str]) -> str:
    """What the runs lack, and a learning rate to try: a lower one where most spike, only not so that it can be shown."""
    counted = Counter(lacking)
    calm = counted[_CALM] * 2 >= counted.total()
    said = "; ".join(f"{count} {what}" for what, count in counted.most_common())
    return f"{said}; try another learning rate, such as --at lr={setting.lr * (1.5 if calm else 0.5):.2g}"


def expected_work(setting: Setting, seed: int | None, definition: SpikeDefinition, stored: Stored) -> Work:
    """Expected work of the search and of the measurements; stored runs take none."""
    tried = [Recipe(setting=setting, seed=one) for one in (range(SEEDS) if seed is None else [seed])]
    near, twins = _looks(setting, seed or 0, definition)
    lacking = [recipe for recipe in (*tried, near, *twins.values()) if not stored(recipe)]
    return total(*map(work_of, tiles(lacking)))


def portray(lab: Trainer, setting: Setting, seed: int, definition: SpikeDefinition) -> Portrait:
    """The first spike of a run that has one."""
    near, twins = _looks(setting, seed, definition)
    runs = lab.runs([near, *twins.values()])
    run = runs[near]
    record = run.records["anatomy"]
    spike = spikes(run.loss, definition)[0]
    through = _through(lab, setting, seed, spike, definition)
    before, after = (through.snapshots[name].input_weights for name in ("start", "end"))
    peak = int(np.searchsorted(record["steps"], spike.peak))
    swing = np.abs(record["swing"][min(peak, len(record["swing"]) - 1)])
    return Portrait(
        setting=setting,
        seed=seed,
        spike=spike,
        before=through.start,
        after=_over(spike, definition),
        threshold=threshold_of(setting),
        steps=record["steps"],
        loss=record["loss"],
        sharpness=record["sharpness"],
        growth=growth(record["swing"][:, 0], record["next_swing"][:, 0]),
        swing=swing / max(float(swing.max()), 1e-300),
        cosines=_ordered(before, after),
        alignment=(alignment(before), alignment(after)),
        twins=tuple(_twin(name, runs[recipe]) for name, recipe in twins.items()),
        fit=_fit(setting, record["outputs"]),
    )


def _looks(setting: Setting, seed: int, definition: SpikeDefinition) -> tuple[Recipe, dict[str, Recipe]]:
    """The run measured step by step, and its twins by name."""
    probe = Anatomy(
        alone=True,
        before=max(_BEFORE, definition.lead),
        after=max(_AFTER, definition.settle),
        longest=_LONGEST,
        pairs=PAIRS,
        outputs=True,
        definition=definition,
    )
    forks = {
        "through the spike": Continue(horizon=HORIZON, definition=definition),
        "calm twin, lr / 4": LowerRate(factor=0.25, horizon=HORIZON, definition=definition),
    }
    twins = {name: Recipe(setting=setting.but(intervention=fork), seed=seed) for name, fork in forks.items()}
    return Recipe(setting=setting, seed=seed, probe=probe), twins


def _through(lab: Trainer, setting: Setting, seed: int, spike: Spike, definition: SpikeDefinition) -> Run:
    """The run from where its twins part to where the spike is over: its ends are the states before and after."""
    horizon = _over(spike, definition) - (spike.onset - definition.lead)
    fork = Continue(horizon=horizon, definition=definition)
    recipe = Recipe(setting=setting.but(intervention=fork), seed=seed)
    return lab.runs([recipe])[recipe]


def _over(spike: Spike, definition: SpikeDefinition) -> int:
    """The first step at which the spike counts as over.

    The recovery is only the first of the `settle` low steps: the loss may still be almost `factor` times its minimum there.
    """
    assert spike.recovery is not None
    return spike.recovery + definition.settle - 1


def has_curve(setting: Setting) -> bool:
    """Whether its networks are functions of one number."""
    numbers = numbers_of(setting)
    return (numbers.x_test.shape[1], numbers.y_test.shape[1]) == (1, 1)


def _lacks(run: Run, definition: SpikeDefinition) -> str:
    """Why the first spike cannot be shown with twins that part before it; empty where it can."""
    first = next(iter(spikes(run.loss, definition)), None)
    if first is None:
        return _CALM
    if first.onset < definition.lead:
        return f"spiked before step {definition.lead}, where twins would part"
    if first.recovery is None:
        return "spiked and did not recover"
    room = _LONGEST - max(_BEFORE, definition.lead)
    return "" if _over(first, definition) - first.onset < room else f"spiked for more than {room:,} steps"


def _twin(name: str, run: Run) -> Twin:
    steps = run.start + np.arange(len(run.loss), dtype=np.float64)
    weights = None if run.diverged else run.snapshots["end"].input_weights
    aligned = alignment(weights) if weights is not None and len(weights) else None
    return Twin(name, steps, run.loss, aligned, run.diverged)


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
