"""How runs share a computation: members of one signature are trained together, in tiles of a fixed size.

A member's bits depend on the size of its batch, because kernels differ with size, but not on the other members or its place
among them. So every tile of a signature has the same size, padded where there are fewer members; only where spikecheck's own
machine code computes every gradient, a tile is as large as its members need. The size follows from the setting and the probe
alone. A run trained in a full tile therefore equals the same run replayed alone. On an accelerator the size also depends on
its memory, which is part of its digests.
"""

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import groupby

from spikecheck.core.import_path import BUILT_IN
from spikecheck.core.intervention import Hold, steps_of
from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.core.work import TRAINING, Work
from spikecheck.lab.fork_traits import fork_traits
from spikecheck.lab.memory_estimate import footprint, parameters, training_points
from spikecheck.lab.probe_traits import probe_traits
from spikecheck.models.sizes import shapes
from spikecheck.objective.compiles import should_compile
from spikecheck.tensors.compiler import compiler

_LARGEST, _USUAL, _SWIFT, _SMALLEST, _FEWEST = 64, 32, 16, 8, 2
# With at most so many activations per member, a step is all dispatch: a tile twice as large takes no longer.
_TINY = 2**7
# Activations of a tile's forward pass, in numbers: 512 KiB in float64. With more, cost grows in proportion to the members.
# With far fewer, the dispatch of operations takes most of a step.
_ACTIVATIONS = 2**16
# A convolution's patches, and the graph of a product with the Hessian, hold some fifteen times as many numbers as its
# activations. Tiles of 8 whose activations were above this, 32 MiB, took gigabytes and twice the time of tiles of 2.
_CONV_ACTIVATIONS = 2**22
# An accelerator computes thousands of numbers at once: its tiles grow up to so many members while their footprint takes no
# more than half of its memory. The rest is left to torch's context, the workspaces of its libraries and fragmentation.
LARGEST_OF_ALL = 1_024
SHARE = 0.5
_GIB = 2**30
# Parameters of all members of a tile. Large nets are all arithmetic, so eight members take eight times as long as one; and
# when the budget runs out, an unfinished tile is lost.
_PARAMETERS = 2**20
_OVERHEAD = 400
"""The cost of dispatching a step, in activations of a member."""
_OF_MACHINE_CODE = 0.4
"""The cost of an activation where one call makes many updates; 1 is its cost where Python dispatches every update.
Measured: 0.3 at setting A, 0.55 at B."""
_PRODUCT = 0.025
"""The cost of multiplying by one weight, forward and backward, in activations."""
_NAMED = 3_000
"""The extra cost per step of an optimizer from torch or elsewhere over a built-in one, in activations of a member."""
_HELD = 2.5
"""The cost of an update under `Hold` over that of a plain one: it follows a curvature. Measured: 2.5 to 4 times as long as
updates with the same expected cost."""
_A_SECOND = 8e7
"""Activations that a typical core computes in a second."""
A_TILE = 0.1
"""Seconds that a tile takes besides its steps, however few these are: handing it over, measuring, storing."""


@lru_cache(maxsize=4096)  # a plan asks it of every seed
def tile_size(setting: Setting) -> int:
    """Members per tile of this setting: the largest power of two in [8, 32] whose activations stay in cache.

    The tiniest models get 64, large convolutional nets as few as 2, and nets with more than half a million parameters 1. A
    block of search seeds fills a tile of 32, and two such tiles of fresh seeds keep two cores busy.
    """
    size = _by_activations(setting)
    while size > 1 and setting.model in BUILT_IN["model"] and size * parameters(setting) > _PARAMETERS:
        size //= 2
    return size


def cut_short(setting: Setting) -> str:
    """The part of a digest that names a tile size reduced by the number of parameters; empty where it is not reduced.

    Tiles of settings with few parameters keep the digests they had before this limit existed.
    """
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
    """Members per tile of such recipes: 1 where the probe draws a picture of one run, and for a user's model on a CPU.

    `memory` is an accelerator's memory in GiB, 0 on a CPU. On an accelerator the size is the largest power of two between
    `tile_size` and 1,024 whose footprint fits into `SHARE` of that memory.
    """
    if probe_traits(recipe.probe).alone or (not memory and _own(recipe)):
        return 1
    size = tile_size(recipe.setting)
    if not memory and _swift(recipe):
        size = min(size, _SWIFT)
    while memory and size < LARGEST_OF_ALL and footprint(recipe, 2 * size) <= SHARE * memory * _GIB:
        size *= 2
    return size


def filled_size(tile: Sequence[Recipe], memory: int = 0) -> int:
    """Members that are trained when the tile holds these recipes.

    On the CPU that is `size_of`; where machine code of our own computes derivatives, it is the smallest multiple of 8 that
    holds them, since a member's bits do not depend on the size of the batch there (`tests/lab/test_filled.py`).

    On an accelerator it is the smallest power of two that holds them, but no fewer than a CPU's tile: thirty-two seeds are not
    worth a thousand copies. Two such sizes may round differently where torch's operations do.
    """
    size = size_of(tile[0], memory)
    if memory:
        return min(size, max(tile_size(tile[0].setting), 1 << (len(tile) - 1).bit_length()))
    return min(size, -(-len(tile) // _SMALLEST) * _SMALLEST) if _of_any_size(tile[0]) else size


def smallest(recipe: Recipe) -> int:
    """The fewest members that a tile of such recipes may have, however little memory there is."""
    usual = (
        1
        if probe_traits(recipe.probe).alone or _own(recipe)
        else _FEWEST
        if recipe.setting.model == "conv"
        else _SMALLEST
    )
    return min(usual, tile_size(recipe.setting))


def _own(recipe: Recipe) -> bool:
    """Whether the recipe trains a user's module as an ordinary loop does, one member at a time.

    Measured on a CPU (`nox -s bench`, test_modules.py): batches of 8 by `vmap` make no more steps per second than one member
    at a time. Compiled batches do, where the training is long.
    """
    return recipe.setting.model not in BUILT_IN["model"] and not should_compile(recipe.setting)


def compiles(recipe: Recipe) -> bool:
    """Whether the recipe's derivatives are compiled where there is a compiler.

    It depends on the recipe alone, as digests must. Derivatives are not compiled where the checkpoints of one run are measured
    and nothing is trained: compiling takes 8 s the first time, such measurements 0.2 s. A probe of a fork trains the fork, so
    its derivatives are compiled.
    """
    setting = recipe.setting
    return should_compile(setting) and not (probe_traits(recipe.probe).only_looks and setting.intervention is None)


def _swift(recipe: Recipe) -> bool:
    """Whether one call makes many of its updates (`training.segment`): 16 members then take half as long as 32."""
    setting = recipe.setting
    plain = (setting.intervention is None or fork_traits(setting.intervention).plain_updates) and setting.exact
    steady = setting.optimizer in ("gd", "heavy-ball", "nesterov") and setting.schedule == "constant"
    # Without a compiler, bits depend on the size of a tile, which must then stay what it was when runs were stored.
    return recipe.probe is None and plain and steady and _of_any_size(recipe)


def _of_any_size(recipe: Recipe) -> bool:
    """Whether a member's bits are the same in a batch of any size: no gradient of its training is torch's own."""
    setting = recipe.setting
    torchs = setting.model not in BUILT_IN["model"] or setting.named or setting.batch is not None
    return not torchs and probe_traits(recipe.probe).of_any_size and compiles(recipe) and bool(compiler())


def _activations(setting: Setting) -> int:
    """Activations of a member's hidden layers on all training points; a guess where the model is the user's own."""
    points = training_points(setting)
    if setting.model == "conv":
        return points * sum(math.prod(shape) for shape in shapes(setting)[1:])
    return points * (setting.width * setting.depth if setting.model != "linear" else 1)


def tiles(recipes: Iterable[Recipe], memory: int = 0) -> list[tuple[Recipe, ...]]:
    """Group the recipes into tiles of one signature and one probe each, none larger than `size_of` its recipes."""

    def shared(recipe: Recipe) -> tuple[str, str]:
        return recipe.setting.signature, recipe.probe.canonical() if recipe.probe else ""

    groups = (list(group) for _, group in groupby(sorted(recipes, key=shared), key=shared))
    return [tile for group in groups for tile in _cut(group, size_of(group[0], memory))]


def _cut(group: list[Recipe], size: int) -> list[tuple[Recipe, ...]]:
    return [tuple(group[first : first + size]) for first in range(0, len(group), size)]


def member_steps(tile: Sequence[Recipe], memory: int = 0) -> int:
    """Updates that a tile makes, padding included. A probe's window depends on the spike, so its updates are a guess."""
    setting, size = tile[0].setting, max(len(tile), filled_size(tile, memory))
    if setting.intervention is not None:
        return size * steps_of(setting.intervention)
    return size * probe_traits(tile[0].probe).member_steps(setting.steps)


def work(tile: Sequence[Recipe]) -> float:
    """A tile's cost on the CPU, in activations computed: used to order tiles and to decide what is worth a process."""
    recipe, setting = tile[0], tile[0].setting
    products = 0 if setting.model == "conv" else _PRODUCT * training_points(setting) * parameters(setting)
    computed = _activations(setting) + products
    if _swift(recipe):
        return float(member_steps(tile)) * computed * _OF_MACHINE_CODE
    measured = probe_traits(recipe.probe)
    overhead = _OVERHEAD + (_NAMED if setting.named and measured.updates else 0)
    steps = setting.steps if setting.intervention is None else steps_of(setting.intervention)
    plain_steps = measured.plain_steps(steps, fork=setting.intervention is not None)
    if isinstance(setting.intervention, Hold) and recipe.probe is None:
        plain_steps *= _HELD
    return max(len(tile), filled_size(tile)) * plain_steps * (computed + overhead)


def seconds(tile: Sequence[Recipe]) -> float:
    """Estimated seconds for a tile on a typical core: a weight for progress, which is corrected by measured times."""
    return work(tile) / _A_SECOND + A_TILE


def kind_of(recipe: Recipe) -> str:
    """The kind of work that the recipe is: a training, or a kind of fork or probe. See `core.work`.

    Under a user's optimizer it is a kind of its own: in a gate, measuring its trainings took sixteen times as long as
    measuring those of the reference, with the same expected time.
    """
    kind = recipe.probe.kind if recipe.probe is not None else _of_setting(recipe.setting)
    return f"{kind}, {recipe.setting.optimizer}" if recipe.setting.named else kind


def _of_setting(setting: Setting) -> str:
    return TRAINING if setting.intervention is None else setting.intervention.kind


def work_of(tile: Sequence[Recipe]) -> Work:
    """The expected work of a tile."""
    return {kind_of(tile[0]): seconds(tile)}


def padded(tile: Sequence[Recipe], size: int | None = None) -> list[Recipe]:
    """The tile filled up with copies of its first member, to `size` or, without it, to its size on the CPU."""
    missing = (size_of(tile[0]) if size is None else size) - len(tile)
    return [*tile, *[tile[0]] * missing]
