"""Arms that change what an optimizer's step does. Hooks around the step set the change and undo it, so that a scheduler
inside the user's step reads and writes the rate that it would otherwise."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from spikecheck.watch.training import Training
from spikecheck.why.scene import LEAD, Context, NotApplicable

FAST, LARGE_EPS = 0.9, 1e-3
_STEADY = 0.05
"""A rate, or a gradient norm, that comes no farther from its median is steady: holding it there would change nothing."""
_MOMENTUM = ("exp_avg", "momentum_buffer")
_SECOND = ("exp_avg_sq", "square_avg")


def optimizers(training: Training) -> list[Optimizer]:
    """The training's optimizers, in the order of its state.

    Raises:
        NotApplicable: when it has none.
    """
    several = [part for part in training.state.values() if isinstance(part, Optimizer)]
    if not several:
        raise NotApplicable("the training's state holds no torch optimizer")
    return several


@contextmanager
def rate_held(training: Training, context: Context) -> Iterator[None]:
    """Every group's rate at its median over the steps from the fork to the onset, whatever the schedule says."""
    usual = context.scene.usual
    if usual.rate_varies < _STEADY:
        raise NotApplicable(f"the rate stays within {100 * usual.rate_varies:.1f} % of its median")

    def held(place: int, group: int, rate: float) -> float:
        """A group that was added later has no usual rate."""
        return usual.rates[place][group] if group < len(usual.rates[place]) else rate

    with _rates_set(training, held):
        yield


@contextmanager
def half_rate(training: Training, context: Context) -> Iterator[None]:
    """Every group's rate halved at every step."""
    with _rates_set(training, lambda _place, _group, rate: 0.5 * rate):
        yield


@contextmanager
def clipped(training: Training, context: Context) -> Iterator[None]:
    """Gradients scaled down to their median norm before every step."""
    usual = context.scene.usual
    if usual.norm_exceeds < _STEADY:
        raise NotApplicable(f"no gradient norm is over {100 * usual.norm_exceeds:.1f} % above the median")
    with ExitStack() as stack:
        for optimizer, norm in zip(optimizers(training), usual.norms, strict=True):
            _hook(stack, optimizer, before=partial(_clip, optimizer, norm))
        yield


@contextmanager
def faster_second_moment(training: Training, context: Context) -> Iterator[None]:
    """beta2, or RMSprop's alpha, at 0.9 from the fork on."""
    with ExitStack() as stack:
        changed = [_replace(stack, group, _faster) for group in _groups(training)]
        _refuse_unchanged(changed, "no optimizer here has a second moment slower than 0.9")
        yield


@contextmanager
def larger_eps(training: Training, context: Context) -> Iterator[None]:
    """Eps of adaptive optimizers at 1e-3 from the fork on."""
    with ExitStack() as stack:
        changed = [_replace(stack, group, _with_large_eps) for group in _groups(training)]
        _refuse_unchanged(changed, "no optimizer here has an eps below 1e-3")
        yield


@contextmanager
def second_moment_held(training: Training, context: Context) -> Iterator[None]:
    """Second moments raised before every step to what they were at the fork, where they have fallen below that."""
    several = optimizers(training)
    with ExitStack() as stack:
        held = [_pairs_at_the_fork(one) for one in several]
        _refuse_unchanged([bool(pairs) for pairs in held], "no optimizer here has a second moment at the fork")
        for optimizer, pairs in zip(several, held, strict=True):
            _hook(stack, optimizer, before=partial(_raise_to_floors, pairs))
        yield


@contextmanager
def momentum_emptied(training: Training, context: Context) -> Iterator[None]:
    """First moments set to zero before each of the last steps before the onset: once would leave more than half of them, since
    a momentum that forgets in 10 steps is soon as large again."""
    several, scene = optimizers(training), context.scene
    if scene.start and not any(_momenta(one) for one in several):
        raise NotApplicable("no optimizer here keeps momentum")
    within = range(scene.onset - LEAD, scene.onset)
    with ExitStack() as stack:
        for optimizer in several:
            _hook(stack, optimizer, before=partial(_empty_within, within, training, optimizer))
        yield


def _groups(training: Training) -> list[dict[str, Any]]:
    return [group for optimizer in optimizers(training) for group in optimizer.param_groups]


@contextmanager
def _rates_set(training: Training, rate_of: Callable[[int, int, float], float]) -> Iterator[None]:
    """During every optimizer step each group has the rate that `rate_of(optimizer, group, scheduled rate)` says."""
    with ExitStack() as stack:
        for place, optimizer in enumerate(optimizers(training)):
            scheduled: list[Any] = []
            before = partial(_set_rates, optimizer, partial(rate_of, place), scheduled)
            _hook(stack, optimizer, before, partial(_put_rates_back, optimizer, scheduled))
        yield


def _set_rates(optimizer: Optimizer, rate_of: Callable[[int, float], float], scheduled: list[Any]) -> None:
    scheduled[:] = [group["lr"] for group in optimizer.param_groups]
    rated = [(number, group) for number, group in enumerate(optimizer.param_groups) if group["lr"] is not None]
    for number, group in rated:
        rate, own = rate_of(number, float(group["lr"])), group["lr"]
        group["lr"] = torch.full_like(own, rate) if isinstance(own, Tensor) else rate


def _put_rates_back(optimizer: Optimizer, scheduled: list[Any]) -> None:
    for group, rate in zip(optimizer.param_groups, scheduled, strict=True):
        group["lr"] = rate


def _hook(
    stack: ExitStack, optimizer: Optimizer, before: Callable[[], None], after: Callable[[], None] | None = None
) -> None:
    """Call them before and after every step of the optimizer, until the stack is closed."""
    stack.callback(optimizer.register_step_pre_hook(lambda *_: before()).remove)
    if after is not None:
        stack.callback(optimizer.register_step_post_hook(lambda *_: after()).remove)


def _clip(optimizer: Optimizer, norm: float) -> None:
    torch.nn.utils.clip_grad_norm_([p for group in optimizer.param_groups for p in group["params"]], norm)


def _replace(stack: ExitStack, group: dict[str, Any], change: Callable[[dict[str, Any]], dict[str, Any]]) -> bool:
    """Change entries of a group until the stack is closed; whether there was anything to change."""
    new = change(group)
    stack.callback(group.update, {name: group[name] for name in new})
    group.update(new)
    return bool(new)


def _faster(group: dict[str, Any]) -> dict[str, Any]:
    betas = group.get("betas", ())
    if "eps" not in group:  # nothing is divided by a root: betas are then of momentum alone, as Lion's
        return {}
    if len(betas) > 1 and betas[1] > FAST:
        return {"betas": (betas[0], FAST, *betas[2:])}
    return {"alpha": FAST} if group.get("alpha", 0.0) > FAST else {}


def _with_large_eps(group: dict[str, Any]) -> dict[str, Any]:
    eps = group.get("eps")
    return {"eps": LARGE_EPS} if isinstance(eps, float) and eps < LARGE_EPS else {}


def _refuse_unchanged(changed: Sequence[bool], reason: str) -> None:
    if not any(changed):
        raise NotApplicable(reason)


def _momenta(optimizer: Optimizer, names: Sequence[str] = _MOMENTUM) -> list[Tensor]:
    slots = [slot for state in optimizer.state.values() for name, slot in state.items() if name in names]
    return [slot for slot in slots if isinstance(slot, Tensor)]


def _pairs_at_the_fork(optimizer: Optimizer) -> list[tuple[Tensor, Tensor]]:
    """Each second moment, which the optimizer changes, with a copy of it as it is now."""
    return [(moment, moment.clone()) for moment in _momenta(optimizer, _SECOND)]


def _raise_to_floors(pairs: Sequence[tuple[Tensor, Tensor]]) -> None:
    for moment, floor in pairs:
        moment.clamp_(min=floor)


def _empty_within(steps: range, training: Training, optimizer: Optimizer) -> None:
    """`training.steps` is the number of the step that is being made."""
    if training.steps in steps:
        for moment in _momenta(optimizer):
            moment.zero_()
