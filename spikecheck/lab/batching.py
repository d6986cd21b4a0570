"""How runs share a computation: members of one signature, in tiles of a fixed size.

A member's bits depend on the size of its batch (kernels differ), not on its companions or its place. So every tile of a
signature has the same size, padded where there are fewer members, and the size follows from the setting and the probe alone: a
run trained today in a full tile is the run replayed tomorrow by itself. An accelerator's memory decides with them, and is in
its digests.
"""

import math
from collections.abc import Iterable, Sequence
from itertools import groupby

from spikecheck.core.import_path import BUILT_IN
from spikecheck.core.intervention import steps_of
from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.lab.forks import departure
from spikecheck.lab.memory_estimate import footprint, parameters, training_points
from spikecheck.lab.probes import measurement
from spikecheck.models.conv import shapes
from spikecheck.objective.objective import should_compile
from spikecheck.tensors.compile import compiler
from spikecheck.training.gradients import exact

_LARGEST, _USUAL, _SWIFT, _SMALLEST, _FEWEST = 64, 32, 16, 8, 2
# Up to so many activations of a member a step is all dispatch, and a tile twice as large takes no longer.
_TINY = 2**7
# Activations of a tile's forward pass, in numbers: 512 KiB in float64. More members would cost in proportion; far fewer would
# leave the dispatch of operations as the larger part of a step.
_ACTIVATIONS = 2**16
# A convolution's patches, and the graph of a product with the Hessian, hold some fifteen times as many numbers as its
# activations. Tiles of 8 whose activations were above this, 32 MiB, took gigabytes and twice the time of tiles of 2.
_CONV_ACTIVATIONS = 2**22
# An accelerator computes thousands of numbers at once: its tiles grow to so many members, as long as their footprint takes no
# more than half of its memory. The rest is for torch's context, its libraries' room to work and gaps between tensors.
LARGEST_OF_ALL = 1_024
SHARE = 0.5
_GIB = 2**30
# Parameters of a tile's members. Of large nets a member is all arithmetic, eight take eight times as long, and until a tile is
# done nothing of it is kept when a budget is spent.
_PARAMETERS = 2**20
_OVERHEAD = 400
"""What the dispatch of a step costs, as activations of a member."""
_OF_MACHINE_CODE = 0.4
"""The cost of an activation where many updates are one call; 1 is its cost where every update is dispatched from Python.
Measured: 0.3 at setting A, 0.55 at B."""
_PRODUCT = 0.025
"""What a product of a weight with a number takes, there and back, as activations."""
_NAMED = 3_000
"""What an optimizer from torch or elsewhere takes more than one of ours in a step, as activations of a member."""
_A_SECOND = 8e7
"""Activations that a usual core computes in a second."""


def tile_size(setting: Setting) -> int:
    """Members a tile of this setting holds: the largest power of two in [8, 32] whose activations stay in cache.

    Of the tiniest models 64, of large convolutional nets as few as 2, of nets with more than half a million parameters 1. A
    block of search seeds fills a tile of 32, and two such tiles of fresh seeds keep two cores busy.
    """
    size = _by_activations(setting)
    while size > 1 and setting.model in BUILT_IN["model"] and size * parameters(setting) > _PARAMETERS:
        size //= 2
    return size


def cut_short(setting: Setting) -> str:
    """For digests: a tile's size where its members' many parameters make it smaller than it once was; else empty."""
    size = tile_size(setting)
    return f"tile {size}" if size < _by_activations(setting) else ""


def _by_activations(setting: Setting) -> int:
    activations = _activations(setting)
    size = _LARGEST if activations <= _TINY else _USUAL
    while size > _SMALLEST and size * activations > _ACTIVATIONS:
        size //= 2
    while setting.model == "conv" and size > _FEWEST and size * activations > _CONV_ACTIVATIONS:
        size //= 2
    return size


def size_of(recipe: Recipe, memory: int = 0) -> int:
    """Members a tile of such recipes holds: one where it is a picture of one run, whose companions nobody looks at, and of
    models of the user's own on a CPU.

    With an accelerator's `memory`, in GiB, the largest power of two whose footprint fits its share, between `tile_size` and
    1,024; 0 is the CPU.
    """
    if measurement(recipe.probe).alone or (not memory and _own(recipe)):
        return 1
    size = tile_size(recipe.setting)
    if not memory and _swift(recipe):
        size = min(size, _SWIFT)
    while memory and size < LARGEST_OF_ALL and footprint(recipe, 2 * size) <= SHARE * memory * _GIB:
        size *= 2
    return size


def filled_size(tile: Sequence[Recipe], memory: int = 0) -> int:
    """Members that a tile's recipes are trained as: `size_of` them on the CPU.

    On an accelerator the smallest power of two that holds them, but no fewer than a tile of the CPU: thirty-two seeds are not
    worth a thousand copies. Two such sizes may round differently where torch's operations do.
    """
    size = size_of(tile[0], memory)
    return min(size, max(tile_size(tile[0].setting), 1 << (len(tile) - 1).bit_length())) if memory else size


def smallest(recipe: Recipe) -> int:
    """Members below which no tile of such recipes goes, however little memory there is."""
    usual = (
        1
        if measurement(recipe.probe).alone or _own(recipe)
        else _FEWEST
        if recipe.setting.model == "conv"
        else _SMALLEST
    )
    return min(usual, tile_size(recipe.setting))


def _own(recipe: Recipe) -> bool:
    """Whether it trains a module of the user's own as an ordinary loop does, member by member.

    Measured on a CPU (`nox -s bench`, test_modules.py): batches of 8 by `vmap` make no more steps a second than that. Compiled
    ones, of long trainings, do.
    """
    return recipe.setting.model not in BUILT_IN["model"] and not should_compile(recipe.setting)


def compiles(recipe: Recipe) -> bool:
    """Whether its derivatives are compiled, where there is a compiler; a rule of the recipe alone, to be digested.

    Not where one run's checkpoints are looked at and nothing is trained: 8 s of compiling when nothing is there yet, for looks
    of 0.2 s. A fork is trained by the recipe that looks at it.
    """
    setting = recipe.setting
    return should_compile(setting) and not (measurement(recipe.probe).only_looks and setting.intervention is None)


def _swift(recipe: Recipe) -> bool:
    """Whether many of its updates are one call (`training.segment`): 16 members then take half of what 32 do."""
    setting = recipe.setting
    plain = (setting.intervention is None or departure(setting.intervention).plain_updates) and exact(setting)
    steady = setting.optimizer in ("gd", "heavy-ball", "nesterov") and setting.schedule == "constant"
    # Without a compiler bits depend on the size of a tile, which then has to stay as it was.
    compiled = setting.model in BUILT_IN["model"] and should_compile(setting) and bool(compiler())
    return recipe.probe is None and plain and steady and compiled


def _activations(setting: Setting) -> int:
    """Numbers that a member's hidden layers put out on all training points; where its model is the user's own, a guess."""
    points = training_points(setting)
    if setting.model == "conv":
        return points * sum(math.prod(shape) for shape in shapes(setting)[1:])
    return points * (setting.width * setting.depth if setting.model != "linear" else 1)


def tiles(recipes: Iterable[Recipe], memory: int = 0) -> list[tuple[Recipe, ...]]:
    """The recipes as tiles: each of one signature and one probe, none larger than `size_of` its recipes."""

    def shared(recipe: Recipe) -> tuple[str, str]:
        return recipe.setting.signature, recipe.probe.canonical() if recipe.probe else ""

    groups = (list(group) for _, group in groupby(sorted(recipes, key=shared), key=shared))
    return [tile for group in groups for tile in _cut(group, size_of(group[0], memory))]


def _cut(group: list[Recipe], size: int) -> list[tuple[Recipe, ...]]:
    return [tuple(group[first : first + size]) for first in range(0, len(group), size)]


def member_steps(tile: Sequence[Recipe], memory: int = 0) -> int:
    """Updates a tile makes, padding included; those of a probe's window are a guess, since the window depends on the spike."""
    setting, size = tile[0].setting, max(len(tile), filled_size(tile, memory))
    if setting.intervention is not None:
        return size * steps_of(setting.intervention)
    return size * measurement(tile[0].probe).member_steps(setting.steps)


def work(tile: Sequence[Recipe]) -> float:
    """A tile's cost on the CPU, in activations computed: for ordering, and for deciding what is worth a process."""
    recipe, setting = tile[0], tile[0].setting
    products = 0 if setting.model == "conv" else _PRODUCT * training_points(setting) * parameters(setting)
    computed = _activations(setting) + products
    if _swift(recipe):
        return float(member_steps(tile)) * computed * _OF_MACHINE_CODE
    measured = measurement(recipe.probe)
    overhead = _OVERHEAD + (_NAMED if setting.named and measured.updates else 0)
    steps = setting.steps if setting.intervention is None else steps_of(setting.intervention)
    plain_steps = measured.plain_steps(steps, fork=setting.intervention is not None)
    return max(len(tile), size_of(recipe)) * plain_steps * (computed + overhead)


def seconds(tile: Sequence[Recipe]) -> float:
    """What a tile takes on a usual core, about: a weight for progress, which is set right by how long things then take."""
    return work(tile) / _A_SECOND


def padded(tile: Sequence[Recipe], size: int | None = None) -> list[Recipe]:
    """The tile filled up to `size`, or to its size on the CPU, with copies of its first member."""
    missing = (size_of(tile[0]) if size is None else size) - len(tile)
    return [*tile, *[tile[0]] * missing]
