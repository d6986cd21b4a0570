"""An optimizer's capabilities, tested with artificial gradients over as many steps as its trainings have."""

import inspect
import itertools
import traceback
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from spikecheck.core.errors import USERS_ERRORS, SettingError, SpikecheckError, text_of
from spikecheck.optimizers.driven import Driven, OptimizerFactory, has_modes, same_bits
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.optimizers.instances import Abilities, Evaluate, Pace, PerMember, Shared
from spikecheck.optimizers.state_dict import count, grown

COUPLED: set[OptimizerFactory] = set()
"""Optimizers that passed as elementwise here, and that a training showed not to be."""

_SCALES = (1.0, 1e3, 1e-3, 1.0)
"""Scales of the artificial gradients: rules that clip, or that compare lengths, treat them differently."""
_FIRST = 4
"""Steps over which two members are tried in one instance. Every training with one instance continues the comparison."""
_GROWS = "its state_dict grows as it trains"
_MOST_NUMBERS = 10_000_000
"""Limit on parameters times steps: a large model is tested over fewer steps than its trainings have."""


class StepFailed(SettingError):
    """An optimizer's own step raised."""


class Idle(SettingError):
    """No step of an optimizer moved a parameter."""


@dataclass(frozen=True)
class _Trial:
    """Members with artificial gradients, which are the same in every trial."""

    order: OptimizerFactory
    lr: float
    members: int

    def start(self) -> Tensor:
        """The first parameters of all trials, [B, P]. Every fourth number is small, since some rules move only small ones."""
        drawn = self._drawn(0).clone()
        drawn[:, ::4] *= 1e-4
        return drawn

    def grads(self) -> Iterator[Tensor]:
        """Yield gradients [B, P] without end."""
        some = [self._drawn(1 + number) * scale for number, scale in enumerate(_SCALES)]
        return itertools.cycle(some)

    def alone(self, able: Abilities, there: Ensemble) -> PerMember:
        """One instance per member, in the state of `there`."""
        return PerMember(self.order, able, there, self._pace, range(self.members), self._tilted())

    def together(self, able: Abilities, there: Ensemble) -> Shared:
        """One instance for all members, in the state of `there`."""
        return Shared(self.order, able, there, self._pace, range(self.members), None)

    def fresh(self, params: Tensor) -> Ensemble:
        """Members at these parameters that have made no step."""
        none = torch.zeros(self.members, dtype=torch.int64)
        return Ensemble(params, {}, none, self.rates, torch.ones(self.members, dtype=torch.bool))

    @property
    def rates(self) -> Tensor:
        """Learning rates [B]."""
        return torch.full((self.members,), self.lr, dtype=torch.float64)

    @property
    def _pace(self) -> Pace:
        return Pace((self.lr,) * self.members)

    def _drawn(self, number: int) -> Tensor:
        generator = torch.Generator().manual_seed(number)
        size = self.order.spans[-1].stop
        return torch.randn(self.members, size, generator=generator, dtype=torch.float64).to(self.order.dtype)

    def _tilted(self) -> Evaluate:
        """A quadratic loss with a linear term, for closures."""
        tilt = self._drawn(1)
        return lambda member, row, _: (float((tilt[member] * row + row * row / 2).sum()), tilt[member] + row)


@lru_cache(maxsize=64)
def abilities(order: OptimizerFactory, lr: float, steps: int) -> Abilities:
    """An optimizer's capabilities, tested over `steps` steps with artificial gradients.

    Raises:
        SettingError: when it cannot be made or stepped, moves no parameter, or gives other numbers for the same gradients.
    """
    one = _Trial(order, lr, 1)
    steps = max(_FIRST, min(steps, _MOST_NUMBERS // order.spans[-1].stop))
    closure = _wants_closure(one)
    try:
        return _examined(one, steps, closure=closure)
    except (StepFailed, Idle):  # it may want its closure later, or do nothing without one
        if closure or not _takes_closure(one):
            raise
        with suppress(SettingError):
            return _examined(one, steps, closure=True)
        raise


def _examined(one: _Trial, steps: int, *, closure: bool) -> Abilities:
    """Its capabilities with or without a closure; raises as `abilities`."""
    order, lr = one.order, one.lr
    driven = order.of(one.start()[0], lr)
    _check_zero_grad(driven, order.path)
    bare = Abilities(False, "", closure, has_modes(driven.optimizer), 0, None)
    try:
        template = _template(one, bare)
        able = replace(bare, numbers=count(template) + 1, template=template)
    except SpikecheckError:
        raise
    except USERS_ERRORS:  # state_dict() raises, or holds something that is not a number; `_why_not_resumed` reports it
        able = bare
    resumes = _why_not_resumed(one, able, steps)
    able = replace(able, resumes=resumes, numbers=0 if resumes else able.numbers)
    return replace(able, together=not able.closure and _same_together(_Trial(order, lr, 2), able))


def _check_zero_grad(driven: Driven, path: str) -> None:
    before = driven.read()
    driven.optimizer.zero_grad()
    if not same_bits(driven.read(), before):
        raise SettingError(f"optimizer={path!r}: its zero_grad() moves parameters; move them in step() alone")


def _wants_closure(trial: _Trial) -> bool:
    """Whether `step` needs a closure.

    Raises:
        SettingError: when `step` fails with a closure too.
    """
    grads = next(trial.grads())
    first: BaseException | None = None
    for closure in (False, True):
        live = trial.alone(Abilities(False, "", closure, False, 0, None), trial.fresh(trial.start()))
        try:
            live.step(None, grads, trial.rates, [0], None)
        except SettingError:
            raise
        except USERS_ERRORS as error:
            first = first or error
            if closure:
                reason = error if _takes_closure(trial) else first
                raise failed_step(trial.order.path, reason, 0) from reason
        else:
            return closure
    raise AssertionError


def _takes_closure(trial: _Trial) -> bool:
    """Whether `step` accepts a closure. If it does not, the error it raised without one is the one to report."""
    step = trial.order.of(trial.start()[0], float(trial.rates[0])).optimizer.step
    signature = inspect.signature(step)
    try:
        signature.bind(None)
    except TypeError:
        return False
    first = next(iter(signature.parameters.values()))
    return first.default is None or "closure" in first.name or first.kind is inspect.Parameter.VAR_POSITIONAL


def _template(trial: _Trial, able: Abilities) -> dict[str, Any]:
    """A state_dict after a few steps."""
    live = trial.alone(able, trial.fresh(trial.start()))
    for done, slope in enumerate(itertools.islice(trial.grads(), _FIRST)):
        _stepped(live, trial, slope, done)
    return live.state_dict(0)


def failed_step(path: str, error: BaseException, done: int) -> StepFailed:
    """The error for a user when an optimizer's own step raises, after `done` steps."""
    said = " ".join(text_of(error).partition("\n\n")[0].split()) or _line_of(error)
    return StepFailed(
        f"optimizer={path!r}: its step raised {type(error).__name__} after {done:,} steps: {said}; "
        "try it on one model by itself"
    )


def _line_of(error: BaseException) -> str:
    """The line that raised an error without a message, such as a bare `assert`."""
    *_, last = traceback.extract_tb(error.__traceback__)
    return f"{last.line} ({Path(last.filename).name}, line {last.lineno})"


def _stepped(live: PerMember, trial: _Trial, slope: Tensor, done: int) -> Tensor:
    try:
        return live.step(None, slope, trial.rates, [done], None)
    except SpikecheckError:
        raise
    except USERS_ERRORS as error:
        raise failed_step(trial.order.path, error, done) from error


def _why_not_resumed(trial: _Trial, able: Abilities, steps: int) -> str:
    """Why a training cannot be resumed from a stored state; empty where it can.

    A training is stopped half-way, its state stored as numbers, and resumed by a new instance. It must end at the same bits as
    an uninterrupted one, in parameters and in state: an average that does not affect training shows in the state alone.

    Raises:
        SettingError: when the same gradients gave other numbers before the stop, or when no parameter ever moved.
    """
    whole, half = (trial.alone(able, trial.fresh(trial.start())) for _ in range(2))
    stop, grads, why = _prime_below(steps // 2), trial.grads(), ""
    params = there = trial.start()
    for done in range(steps):
        slope = next(grads)
        params = _stepped(whole, trial, slope, done)
        if done == stop:
            half, why = _resumed(trial, able, half, there, done)
        if why:
            continue
        there = _stepped(half, trial, slope, done)
        if not same_bits(params, there):
            if done < stop:
                raise SettingError(
                    f"optimizer={trial.order.path!r}: gives other numbers for the same gradients from step {done + 1} on; "
                    "draws from torch's, NumPy's and Python's generators are repeated, so it draws from another source, "
                    "or instances share something, such as a counter or a generator of the class or the module: give it a "
                    "fixed seed, and keep in the instance what a step changes"
                )
            why = "it remembers what its state_dict does not hold"
    if same_bits(params, trial.start()):
        raise Idle(
            f"optimizer={trial.order.path!r}: {steps:,} steps move no parameter; does its step() write to the parameters?"
        )
    if not why and not torch.equal(half.state(), whole.state()):
        why = "it remembers what its state_dict does not hold"
    if not why and grown(half.state()[0, :-1]):
        why = _GROWS
    return why


def _prime_below(most: int) -> int:
    """The largest prime up to `most`, at least 2. No period of a rule divides it, so such a step differs from the start.

    >>> _prime_below(1_000), _prime_below(2)
    (997, 2)
    """
    numbers = range(max(most, 2), 1, -1)
    return next(n for n in numbers if all(n % divisor for divisor in range(2, int(n**0.5) + 1)))


def _resumed(trial: _Trial, able: Abilities, live: PerMember, params: Tensor, done: int) -> tuple[PerMember, str]:
    """A new instance in the old one's state and an empty text, or the old instance and the reason why it cannot be copied."""
    try:
        state = {"state": live.state()}
        if grown(state["state"][0, :-1]):
            return live, _GROWS
        there = replace(trial.fresh(params), slots=state, done=torch.full((trial.members,), done))
        return trial.alone(able, there), "" if able.numbers else "its state_dict cannot be stored"
    except USERS_ERRORS as error:
        return live, f"its state_dict cannot be stored ({type(error).__name__}: {text_of(error)})"


def _same_together(trial: _Trial, able: Abilities) -> bool:
    """Whether one instance for two members gives the same bits as one instance per member."""
    try:
        alone, one = (make(able, trial.fresh(trial.start())) for make in (trial.alone, trial.together))
        alike = True
        for done, slope in enumerate(itertools.islice(trial.grads(), _FIRST)):
            there = alone.step(None, slope, trial.rates, [done] * 2, None)
            alike &= same_bits(there, one.step(None, slope, trial.rates, [done] * 2, None))
        return alike and torch.equal(alone.state(), one.state())
    except USERS_ERRORS:
        return False
