"""The memory that a tile takes, estimated before it is trained: it decides the size of an accelerator's tiles.

These numbers exist at the same time, per member of P parameters, S slots of the update rule and K eigenpairs:

- for every training point, the inputs of all layers (for a convolution, its patches) and _PASS times their outputs: the
  activations, their derivatives, the backward signals, and workspace. The graph of a gradient, needed for Hessian-vector
  products, takes twice as much;
- for every held-out point that a probe evaluates, as much as for a training point;
- parameters and slots before and after an update, the gradient and the update's own terms: _STATE P (1 + S);
- noise on gradients, drawn for 100 steps at once: 100 P;
- checkpoints, CHECKPOINTED numbers or one state if that is more, and as many for an annealing; one loss per step, and the
  arrays that a probe records;
- for curvature, a search's subspace of up to _DIRECTIONS (K + _GUARDS) vectors of P, in _COPIES copies: basis and images, both
  padded to whole lines, both rotated, and the block being appended. In addition, P^2 numbers three times where the Hessian is
  written out, and a Krylov space of 48 vectors of P (1 + S) three times.

The factors are measured peaks, rounded up; tests/lab/test_memory_estimate.py compares the estimate with measurements.
"""

import math
from functools import lru_cache
from itertools import pairwise

from spikecheck.core.import_path import BUILT_IN
from spikecheck.core.intervention import annealing_steps
from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.curvature.limits import DEPTH, WRITTEN_OUT_UP_TO
from spikecheck.lab.fork_traits import fork_traits
from spikecheck.lab.probe_traits import probe_traits
from spikecheck.lab.trained import CHECKPOINTED, STRIDE
from spikecheck.models import sizes
from spikecheck.models.sizes import kernel, shapes

_BYTES = {"float64": 8, "float32": 4}
_SIZED = ("sines", "few-digits", "mnist1d", "mnist", "fashion-mnist", "cifar10")
"""Problems whose number of training points is the setting's `points`."""
_DIGITS_POINTS = 1_347
_ENDS = {
    "sines": (1, 1),
    "digits": (64, 10),
    "few-digits": (64, 10),
    "mnist1d": (40, 10),
    "mnist": (784, 10),
    "fashion-mnist": (784, 10),
    "cifar10": (3_072, 10),
}
"""Inputs and outputs."""
_HELD_OUT = {"sines": 256, "digits": 450, "few-digits": 1_797, "fashion-mnist": 5_000}
_USUAL_ENDS, _USUALLY_HELD_OUT = (784, 10), 1_000
"""Assumed for a user's problem, whose sizes are not known before its data are loaded."""
_SLOTS = {"gd": 0, "heavy-ball": 1, "nesterov": 1, "rmsprop": 1}
_MOST_SLOTS = 2
_PASS, _STATE, _NOISE = 6, 10, 100
_DIRECTIONS, _GUARDS, _COPIES = 8, 4, 7
_HESSIANS, _KRYLOV_SPACES = 3, 3


def footprint(recipe: Recipe, members: int) -> int:
    """An upper bound on the peak memory of a tile of so many members, in bytes; up to five times the measured peak.

    It depends only on what a tile's recipes share, signature and probe. A user's model is counted as a perceptron of the
    setting's width and depth, so for such a model it is no bound.
    """
    return members * numbers_of_a_member(recipe) * _BYTES[recipe.setting.dtype]


def training_points(setting: Setting) -> int:
    """The number of training points; for a user's problem, whose data are not loaded here, that of the digits."""
    return setting.points if setting.problem in _SIZED else _DIGITS_POINTS


def numbers_of_a_member(recipe: Recipe) -> int:
    """The most numbers of the setting's dtype that exist per member at the same time; see the module's docstring."""
    setting = recipe.setting
    size, slots = parameters(setting), _SLOTS.get(setting.optimizer, _MOST_SLOTS)
    how = None if setting.intervention is None else fork_traits(setting.intervention)
    looks = recipe.probe is not None or (how is not None and how.needs_curvature)
    a_pass, state = _a_pass(setting), size * (1 + slots)
    noisy = setting.gradient_noise > 0 or (how is not None and how.adds_noise)
    kept = max(state, _checkpoints(state, setting.steps)) + _checkpoints(state, _annealing(setting))
    return (
        a_pass * training_points(setting) * (2 if looks else 1)
        + a_pass * _points_seen(recipe)
        + _STATE * state
        + (_NOISE * size if noisy else 0)
        + kept
        + _recorded(recipe)
        + (_looking(recipe, size, state) if looks else 0)
    )


def _checkpoints(state: int, steps: int) -> int:
    """Numbers that the checkpoints of so many steps hold."""
    return min(state * math.ceil(steps / STRIDE), CHECKPOINTED)


def _annealing(setting: Setting) -> int:
    """A fork's annealing steps; its own steps are counted as those of a whole training."""
    return 0 if setting.intervention is None else annealing_steps(setting.intervention)


@lru_cache(maxsize=4096)
def parameters(setting: Setting) -> int:
    """P, the number of parameters; a user's model counts as a perceptron of the setting's width and depth."""
    known = setting if setting.model in BUILT_IN["model"] else setting.but(model="mlp")
    return sizes.parameters(known, *_ENDS.get(setting.problem, _USUAL_ENDS))


def _a_pass(setting: Setting) -> int:
    """Numbers that a forward and backward pass keeps for one point."""
    inputs, outputs = _ENDS.get(setting.problem, _USUAL_ENDS)
    if setting.model == "linear":
        return inputs + _PASS * outputs
    if setting.model != "conv":
        return inputs + _PASS * (setting.width * setting.depth + outputs)
    layers = list(pairwise(shapes(setting)))
    patches = sum(before[0] * math.prod(kernel(before[1:])) * math.prod(after[1:]) for before, after in layers)
    return inputs + patches + _PASS * (sum(math.prod(after) for _, after in layers) + outputs)


def _points_seen(recipe: Recipe) -> int:
    """Held-out points that the probe evaluates."""
    return _held_out(recipe.setting) if probe_traits(recipe.probe).sees_held_out else 0


def _held_out(setting: Setting) -> int:
    return _HELD_OUT.get(setting.problem, _USUALLY_HELD_OUT)


def _looking(recipe: Recipe, size: int, state: int) -> int:
    """Numbers that computations with the Hessian keep."""
    measured, intervention = probe_traits(recipe.probe), recipe.setting.intervention
    pairs = max(measured.pairs, 0 if intervention is None else fork_traits(intervention).pairs)
    search = _COPIES * min(_DIRECTIONS * (pairs + _GUARDS), size) * size
    written_out = _HESSIANS * size**2 if size <= WRITTEN_OUT_UP_TO else 0
    krylov = _KRYLOV_SPACES * DEPTH * state if measured.searches_krylov_space else 0
    random = measured.random_directions * size
    return search + written_out + krylov + random


def _recorded(recipe: Recipe) -> int:
    """Numbers recorded by a probe. Outputs count twice: they are a list of tensors first, then one tensor."""
    setting = recipe.setting
    _, outputs = _ENDS.get(setting.problem, _USUAL_ENDS)
    seen = 2 * outputs * _points_seen(recipe)
    return probe_traits(recipe.probe).recorded(setting.steps + _annealing(setting), seen)
