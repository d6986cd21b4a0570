"""Which recipes start from which: a training, its forks and probes, and the probes of its forks."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from spikecheck.core.recipe import Recipe
from spikecheck.core.run import Run
from spikecheck.lab.fork_traits import fork_step
from spikecheck.lab.probe_traits import probe_traits


def generation(recipe: Recipe) -> int:
    """0 for trainings, 1 for their forks and probes, 2 for probes of forks."""
    return 0 if recipe == recipe.parent() else 1 + generation(recipe.parent())


def generations(recipes: Iterable[Recipe]) -> Iterator[list[Recipe]]:
    """The recipes, parents before children: whether a child can be trained depends on its parent."""
    for _, group in groupby(sorted(recipes, key=generation), key=generation):
        yield list(group)


def starts(recipe: Recipe) -> list[Recipe]:
    """The recipes that this one starts from; a plain training starts from itself."""
    return [start for start in (recipe.parent(), recipe.partner()) if start is not None]


def with_ancestors(wanted: Iterable[Recipe]) -> list[Recipe]:
    """The recipes and all recipes that must be trained before them, each once."""
    needed: dict[Recipe, None] = {}
    left = list(wanted)
    while left:
        needed.update(dict.fromkeys(left))
        before = [start for recipe in left for start in starts(recipe)]
        left = [recipe for recipe in dict.fromkeys(before) if recipe not in needed]
    return list(needed)


def can_start(recipe: Recipe, trained: Mapping[Recipe, Run]) -> bool:
    """Whether everything that the recipe starts from exists: its parents' runs and, for forks and dissections of a spike, the
    spike."""
    if generation(recipe) == 0:
        return True
    run, partner, probe = trained.get(recipe.parent()), recipe.partner(), recipe.probe
    if run is None or (partner is not None and trained[partner].diverged):
        return False
    if recipe.setting.intervention is not None and not (probe and probe.reads_ends):
        return fork_step(recipe, run) is not None
    return probe_traits(probe).has_subject(run)
