"""The domain of a claim: finite ladders around a reference setting, and maps over two of them."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from spikecheck.core.errors import SettingError
from spikecheck.core.setting import OPTIMIZERS, Setting

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


@dataclass(frozen=True)
class Ladder:
    """One condition's values, the reference's first; shrinking moves toward it by one rung at a time."""

    rungs: tuple[Any, ...]

    def __init__(self, *rungs: Any) -> None:
        """Take at least one rung, all different.

        Raises:
            SettingError: no rung is given, or one is given twice.
        """
        if not all(isinstance(rung, Hashable) for rung in rungs):
            raise SettingError(f"Ladder{rungs!r}: give the rungs one by one, as in Ladder(0.1, 0.05)")
        if not rungs or len(set(rungs)) != len(rungs):
            raise SettingError(f"Ladder{rungs!r}: give at least one rung, each of them once")
        object.__setattr__(self, "rungs", rungs)


@dataclass(frozen=True, kw_only=True)
class Map:
    """A map of where a claim holds: two conditions, or one and `cutoff`, and their values.

    >>> Map(x="lr", y="width", y_values=(20, 50)).x_values is None
    True
    """

    x: str
    y: str
    x_values: Sequence[Any] | None = None
    """Values along x, in the order in which they are drawn; None: the claim's own ladder, or all of its cut-offs."""
    y_values: Sequence[Any] | None = None
    """Values along y, likewise."""
    at: Mapping[str, Any] = field(default_factory=dict)
    """Conditions in which every cell differs from the reference, such as a learning rate at which spikes occur."""


@dataclass(frozen=True)
class Domain:
    """A reference setting and one ladder for each condition that varies.

    >>> domain = Domain(Setting(), width=Ladder(20, 50, 100))
    >>> [near.width for near in domain.nearer(Setting(width=100))]
    [50]
    """

    reference: Setting
    axes: dict[str, Ladder] = field(hash=False)

    def __init__(self, reference: Setting, **axes: Ladder) -> None:
        """Take one ladder for each varied condition of `Setting`; its first rung is the reference's value.

        Raises:
            UnknownName: an axis is no condition of a setting.
            SettingError: an axis is no ladder, a first rung differs from the reference, or a rung is out of range.
        """
        if not isinstance(reference, Setting):
            raise SettingError(f"Domain({reference!r}): give the reference setting first, as a Setting")
        object.__setattr__(self, "reference", reference)
        object.__setattr__(self, "axes", {name: _checked(reference, name, ladder) for name, ladder in axes.items()})

    def distance(self, setting: Setting) -> int:
        """Number of rungs between a setting and the reference, over all axes, plus the conditions that are off the ladders."""
        return sum(self._rung(name, setting) for name in self.axes) + len(self._off_ladder(setting))

    def nearer(self, setting: Setting) -> tuple[Setting, ...]:
        """The settings one step nearer to the reference.

        A step moves one rung on one axis, or resets all conditions that are off the ladders at once.
        """
        steps = [
            self._moved(setting, name, ladder.rungs[rung - 1])
            for name, ladder in self.axes.items()
            if (rung := self._rung(name, setting)) > 0
        ]
        if off := self._off_ladder(setting):
            steps.append(setting.but(**{name: getattr(self.reference, name) for name in off}))
        return tuple(steps)

    def strategy(self) -> "SearchStrategy[Setting]":
        """The domain as a Hypothesis strategy that shrinks toward the reference; users' own tests may draw from it.

        Every axis is on its first rung at least half of the time: an edge near the reference is the most informative, and
        settings far from it often do not train at all.
        """
        # Hypothesis takes longer to import than `spikecheck list` may take, and only drawing needs it.
        from hypothesis import strategies as st  # noqa: PLC0415

        rungs = {name: st.just(ladder.rungs[0]) | st.sampled_from(ladder.rungs) for name, ladder in self.axes.items()}
        return st.fixed_dictionaries(rungs).map(lambda chosen: self.reference.but(**chosen))

    def draw(self, count: int, seed: int) -> tuple[Setting, ...]:
        """At most `count` different settings other than the reference, chosen by Hypothesis from `seed`."""
        return _drawn(self, count, seed)

    @property
    def size(self) -> int:
        """The number of settings."""
        return prod(len(ladder.rungs) for ladder in self.axes.values())

    def sample(self, count: int, seed: int) -> tuple[Setting, ...]:
        """A random sample of at most `count` different settings: a Latin hypercube over the ladders.

        Each axis's rungs occur about equally often, and all settings of the domain are equally likely. Shares of the domain
        can therefore be estimated from it, which is not so for `draw`, which searches near the reference.
        """
        from scipy.stats import qmc  # noqa: PLC0415 - imported here: it takes half a second, too long for `spikecheck list`

        if count >= self.size:
            return tuple(self._at(place) for place in product(*(ladder.rungs for ladder in self.axes.values())))
        sampler = qmc.LatinHypercube(d=max(1, len(self.axes)), rng=np.random.default_rng([seed, 0x5A]))
        sampled: dict[Setting, None] = {}
        while len(sampled) < count:  # duplicates are dropped: a sample without replacement
            for point in sampler.random(count):
                rungs = [
                    ladder.rungs[int(at * len(ladder.rungs))]
                    for at, ladder in zip(point, self.axes.values(), strict=False)
                ]
                sampled.setdefault(self._at(rungs))
        return tuple(sampled)[:count]

    def _at(self, rungs: Sequence[Any]) -> Setting:
        return self.reference.but(**dict(zip(self.axes, rungs, strict=True)))

    def _rung(self, name: str, setting: Setting) -> int:
        rungs = self.axes[name].rungs
        value = getattr(setting, name)
        return rungs.index(value) if value in rungs else 0

    def _moved(self, setting: Setting, name: str, rung: Any) -> Setting:
        """The setting with another rung on one axis.

        Another optimizer has the numbers that the reference has with it, but for those with a ladder: they stay.
        """
        if name != "optimizer":
            return setting.but(**{name: rung})
        at_reference = self.reference.but(optimizer=rung)
        numbers = {number: getattr(at_reference, number) for number in OPTIMIZERS.get(rung, {})}
        kept = {axis: value for axis in self.axes if axis in numbers and (value := getattr(setting, axis)) is not None}
        return setting.but(**numbers | kept, optimizer=rung)

    def _off_ladder(self, setting: Setting) -> tuple[str, ...]:
        """Conditions that differ from the reference, other than by the default of another optimizer, and are on no ladder."""
        differences = setting.differences(self.reference)
        return tuple(
            name
            for name in setting.changes_from(self.reference)
            if name in differences and (name not in self.axes or getattr(setting, name) not in self.axes[name].rungs)
        )


def _checked(reference: Setting, name: str, ladder: Ladder) -> Ladder:
    """The ladder with its rungs as a setting has them: a rate given as "0.02" is the number, so that rungs can be compared."""
    if not isinstance(ladder, Ladder):
        raise SettingError(f"{name}={ladder!r}: give a Ladder with the reference's value first")
    values = [getattr(reference.but(**{name: rung}), name) for rung in ladder.rungs]
    if values[0] != getattr(reference, name):
        raise SettingError(
            f"{name}=Ladder({ladder.rungs[0]!r}, …): the first rung is the reference's, {getattr(reference, name)!r}"
        )
    return Ladder(*(rung if rung == value else value for rung, value in zip(ladder.rungs, values, strict=True)))


@lru_cache(maxsize=64)
def _drawn(domain: Domain, count: int, seed: int) -> tuple[Setting, ...]:
    """`Domain.draw`, kept: a verification asks three times for what it will search, to announce, plan and judge it."""
    if not count:
        return ()
    import hypothesis as hyp  # noqa: PLC0415 - as in `strategy`

    drawn: dict[Setting, None] = {}

    @hyp.seed(seed)
    @hyp.settings(
        max_examples=max(50, 4 * count),
        phases=[hyp.Phase.generate],
        database=None,
        deadline=None,
        derandomize=False,
        suppress_health_check=list(hyp.HealthCheck),
    )
    @hyp.given(domain.strategy())
    def collect(setting: Setting) -> None:
        drawn.setdefault(setting)

    collect()
    return tuple(setting for setting in drawn if setting != domain.reference)[:count]
