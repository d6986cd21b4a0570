"""How runs share a computation: members of one signature, in tiles of a fixed size.

A member's bits depend on the size of its batch (kernels differ), not on its companions or its place. So every tile of a
signature has the same size, padded where there are fewer members, and the size follows from the setting alone: a run
trained today in a full tile is the run replayed tomorrow by itself.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby

from spikecheck.core.intervention import steps_of
from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting

_LARGEST, _SMALLEST = 32, 8
# Activations of a tile's forward pass, in numbers: 512 KiB in float64. More members would cost in proportion; far fewer would
# leave the dispatch of operations as the larger part of a step.
_ACTIVATIONS = 2**16
_DIGITS_POINTS = 1_347
_AUTOPSY = 700
_OVERHEAD = 400
"""What the dispatch of a step costs, as activations of a member."""


def tile_size(setting: Setting) -> int:
    """Members a tile of this setting holds: the largest power of two in [8, 32] whose activations stay in cache."""
    points = _points(setting)
    size = _LARGEST
    while size > _SMALLEST and size * points * setting.width * setting.depth > _ACTIVATIONS:
        size //= 2
    return size


def _points(setting: Setting) -> int:
    """Training points: as many as the setting says, but for the digits, and for a user's problem, which is not asked."""
    return setting.points if setting.problem in ("sines", "mnist1d") else _DIGITS_POINTS


def tiles(recipes: Iterable[Recipe]) -> list[tuple[Recipe, ...]]:
    """The recipes as tiles: each of one signature and one probe, none larger than its setting's tile size."""

    def shared(recipe: Recipe) -> tuple[str, str]:
        return recipe.setting.signature, recipe.probe.canonical() if recipe.probe else ""

    groups = (list(group) for _, group in groupby(sorted(recipes, key=shared), key=shared))
    return [tile for group in groups for tile in _cut(group, tile_size(group[0].setting))]


def _cut(group: list[Recipe], size: int) -> list[tuple[Recipe, ...]]:
    return [tuple(group[first : first + size]) for first in range(0, len(group), size)]


def member_steps(tile: Sequence[Recipe]) -> int:
    """Updates a tile makes, padding included; an autopsy's length is a guess, its window depends on the spike."""
    setting, size = tile[0].setting, len(padded(tile))
    if setting.intervention is not None:
        return size * steps_of(setting.intervention)
    return size * (setting.steps if tile[0].probe is None else _AUTOPSY)


def work(tile: Sequence[Recipe]) -> float:
    """A tile's cost, in activations computed: for ordering, and for deciding what is worth a process."""
    setting = tile[0].setting
    points = _points(setting)
    eigenpairs = 20 if tile[0].probe is not None else 1  # products and dense algebra at every step
    return float(member_steps(tile)) * (points * setting.width * setting.depth + _OVERHEAD) * eigenpairs


def padded(tile: Sequence[Recipe]) -> list[Recipe]:
    """The tile filled up to its size with copies of its first member."""
    missing = tile_size(tile[0].setting) - len(tile)
    return [*tile, *[tile[0]] * missing]
