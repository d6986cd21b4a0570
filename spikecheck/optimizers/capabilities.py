"""What an optimizer can do, seen on made-up gradients over as many steps as its trainings have, and not believed."""

import inspect
import itertools
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from spikecheck.core.errors import SettingError, SpikecheckError
from spikecheck.optimizers.driven import OptimizerFactory, same_bits
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.optimizers.instances import Abilities, Evaluate, Pace, PerMember, Shared
from spikecheck.optimizers.state_dict import count

COUPLED: set[OptimizerFactory] = set()
"""Optimizers that looked elementwise and in a training were seen not to be."""

_SCALES = (1.0, 1e3, 1e-3, 1.0)
"""Of the gradients: rules that clip, or that compare lengths, treat them differently."""
_FIRST = 4
"""Steps over which two members are tried in one instance; every training that does so goes on looking."""
_MOST_NUMBERS = 10_000_000
"""Parameters times steps that are looked at, at most: of a large model fewer steps than its trainings have."""


@dataclass(frozen=True)
class _Trial:
    """Members with made-up gradients, the same in every trial."""

    order: OptimizerFactory
    lr: float
    members: int

    def start(self) -> Tensor:
        """Where all trials begin, [B, P]: every fourth number is small, as some rules move only such ones."""
        drawn = self._drawn(0).clone()
        drawn[:, ::4] *= 1e-4
        return drawn

    def grads(self) -> Iterator[Tensor]:
        """Gradients [B, P] without end."""
        some = [self._drawn(1 + number) * scale for number, scale in enumerate(_SCALES)]
        return itertools.cycle(some)

    def alone(self, able: Abilities, there: Ensemble) -> PerMember:
        """One instance a member, in the state of `there`."""
        return PerMember(self.order, able, there, self._pace, range(self.members), self._tilted())

    def together(self, able: Abilities, there: Ensemble) -> Shared:
        """One instance for all."""
        return Shared(self.order, able, there, self._pace, range(self.members), None)

    def fresh(self, params: Tensor) -> Ensemble:
        """Members that have made no step."""
        none = torch.zeros(self.members, dtype=torch.int64)
        return Ensemble(params, {}, none, self.rates, torch.ones(self.members, dtype=torch.bool))

    @property
    def rates(self) -> Tensor:
        """[B]."""
        return torch.full((self.members,), self.lr, dtype=torch.float64)

    @property
    def _pace(self) -> Pace:
        return Pace((self.lr,) * self.members)

    def _drawn(self, number: int) -> Tensor:
        generator = torch.Generator().manual_seed(number)
        size = self.order.spans[-1].stop
        return torch.randn(self.members, size, generator=generator, dtype=torch.float64).to(self.order.dtype)

    def _tilted(self) -> Evaluate:
        """A tilted bowl, for closures."""
        tilt = self._drawn(1)
        return lambda member, row, _: (float((tilt[member] * row + row * row / 2).sum()), tilt[member] + row)


@lru_cache(maxsize=64)
def abilities(order: OptimizerFactory, lr: float, steps: int) -> Abilities:
    """What an optimizer can do, seen over so many steps of made-up gradients.

    Raises:
        SettingError: when it cannot be made or stepped, when it never moves, or when the same gradients lead to other numbers.
    """
    one = _Trial(order, lr, 1)
    steps = max(_FIRST, min(steps, _MOST_NUMBERS // order.spans[-1].stop))
    probed = order.of(one.start()[0], lr).optimizer
    averages = callable(getattr(probed, "train", None)) and callable(getattr(probed, "eval", None))
    bare = Abilities(False, "", _wants_closure(one), averages, 0, None)
    template = _template(one, bare)
    try:
        able = replace(bare, numbers=count(template) + 1, template=template)
    except ValueError:  # what it holds is no number; `_why_not_resumed` says so
        able = bare
    resumes = _why_not_resumed(one, able, steps)
    able = replace(able, resumes=resumes, numbers=0 if resumes else able.numbers)
    return replace(able, together=not able.closure and _same_together(_Trial(order, lr, 2), able))


def _wants_closure(trial: _Trial) -> bool:
    """Whether `step` cannot be called without one.

    Raises:
        SettingError: when it cannot be called with one either.
    """
    grads = next(trial.grads())
    first: Exception | None = None
    for closure in (False, True):
        live = trial.alone(Abilities(False, "", closure, False, 0, None), trial.fresh(trial.start()))
        try:
            live.step(None, grads, trial.rates, [0], None)
        except SettingError:
            raise
        except Exception as error:
            first = first or error
            if closure:
                reason = error if _takes_closure(trial) else first
                raise failed_step(trial.order.path, reason, 0) from reason
        else:
            return closure
    raise AssertionError


def _takes_closure(trial: _Trial) -> bool:
    """Whether `step` has room for one: where it has not, what it raised without one is what is wrong with it."""
    step = trial.order.of(trial.start()[0], float(trial.rates[0])).optimizer.step
    try:
        inspect.signature(step).bind(None)
    except TypeError:
        return False
    return True


def _template(trial: _Trial, able: Abilities) -> dict[str, Any]:
    """A state_dict after a few steps."""
    live = trial.alone(able, trial.fresh(trial.start()))
    for done, slope in enumerate(itertools.islice(trial.grads(), _FIRST)):
        _stepped(live, trial, slope, done)
    return live.state_dict(0)


def failed_step(path: str, error: Exception, done: int) -> SettingError:
    """What a user is told where an optimizer's own step raises, after so many."""
    said = " ".join(str(error).partition("\n\n")[0].split()) or _line_of(error)
    return SettingError(
        f"optimizer={path!r}: its step raised {type(error).__name__} after {done:,} steps: {said}; "
        "try it on one model by itself"
    )


def _line_of(error: Exception) -> str:
    """Where an error without words was raised: an `assert` says nothing else."""
    *_, last = traceback.extract_tb(error.__traceback__)
    return f"{last.line} ({Path(last.filename).name}, line {last.lineno})"


def _stepped(live: PerMember, trial: _Trial, slope: Tensor, done: int) -> Tensor:
    try:
        return live.step(None, slope, trial.rates, [done], None)
    except SpikecheckError:
        raise
    except Exception as error:
        raise failed_step(trial.order.path, error, done) from error


def _why_not_resumed(trial: _Trial, able: Abilities, steps: int) -> str:
    """Stopped half-way, turned into numbers and gone on with by a new instance: empty where it ends at the same bits.

    Parameters and state: an average that is not trained on shows in the state alone.

    Raises:
        SettingError: when the same gradients led to other numbers before that, or to none: it never moved.
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
                    "what it draws from torch's, NumPy's or Python's generator is repeated, so it draws elsewhere: give it "
                    "a fixed seed"
                )
            why = "it remembers what its state_dict does not hold"
    if same_bits(params, trial.start()):
        raise SettingError(
            f"optimizer={trial.order.path!r}: {steps:,} steps move no parameter; does its step() write to the parameters?"
        )
    if not why and not torch.equal(half.state(), whole.state()):
        why = "it remembers what its state_dict does not hold"
    return why


def _prime_below(most: int) -> int:
    """The largest prime up to `most`, at least 2: no rule with a period goes on from there as from its start.

    >>> _prime_below(1_000), _prime_below(2)
    (997, 2)
    """
    numbers = range(max(most, 2), 1, -1)
    return next(n for n in numbers if all(n % divisor for divisor in range(2, int(n**0.5) + 1)))


def _resumed(trial: _Trial, able: Abilities, live: PerMember, params: Tensor, done: int) -> tuple[PerMember, str]:
    """A new instance in the old one's state, or the old one and why there is none."""
    try:
        state = {"state": live.state()}
        there = replace(trial.fresh(params), slots=state, done=torch.full((trial.members,), done))
        return trial.alone(able, there), "" if able.numbers else "its state_dict cannot be stored"
    except Exception as error:
        return live, f"its state_dict cannot be stored ({type(error).__name__}: {error})"


def _same_together(trial: _Trial, able: Abilities) -> bool:
    """Whether one instance for two members gives the bits of one a member."""
    try:
        alone, one = (make(able, trial.fresh(trial.start())) for make in (trial.alone, trial.together))
        alike = True
        for done, slope in enumerate(itertools.islice(trial.grads(), _FIRST)):
            there = alone.step(None, slope, trial.rates, [done] * 2, None)
            alike &= same_bits(there, one.step(None, slope, trial.rates, [done] * 2, None))
        return alike and torch.equal(alone.state(), one.state())
    except Exception:
        return False
