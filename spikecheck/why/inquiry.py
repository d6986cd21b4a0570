"""Runs forks in rounds until every arm's sequential test is decided, and its claim survives Holm's correction or cannot."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Protocol

from spikecheck.core.why import ArmResult, Effect, Fork
from spikecheck.stats.bounds import clopper_pearson
from spikecheck.stats.holm import holm
from spikecheck.why.arms import PLACEBO, Arm
from spikecheck.why.executors import Job, Result
from spikecheck.why.heights import HALF, Seen
from spikecheck.why.sequential import ALPHA, FEWEST, decided, p_value, wants_more

Ask = Callable[[Sequence[Job]], Iterator[tuple[Job, Result]]]
"""Runs forks, or reads them from a store; every job with its result, as they are done."""
_INTERVAL = 0.025
"""On each side of an arm's 95 % interval."""


class Reads(Protocol):
    """Reads from a fork's losses whether it has what is to be explained."""

    def seen(self, losses: Sequence[float]) -> Seen:
        """A fork, judged."""


@dataclass
class Inquiry:
    """The forks of one spike, and what they say so far."""

    arms: Sequence[Arm]
    reader: Reads
    ask: Ask
    deadline: float | None = None
    interrupted: bool = False
    stopped: bool = False
    forks: dict[str, dict[int, Seen]] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    """Why arms do not apply."""

    def read_by(self, reader: Reads) -> "Inquiry":
        """The same forks, read otherwise."""
        forks = {arm: {n: reader.seen(fork.losses) for n, fork in made.items()} for arm, made in self.forks.items()}
        return replace(self, reader=reader, forks=forks)

    def placebo(self) -> Effect:
        """Fork the placebo until it is decided whether the spike comes again; REMOVES stands for "it does"."""
        while not self.stopped and wants_more(self._spikes_again(), claimed=True):
            self._run([PLACEBO])
        return decided(self._spikes_again())

    def add(self, arm: Arm) -> None:
        """One more arm, of which Holm's correction then takes account."""
        self.arms = (*self.arms, arm)

    def judge_arms(self) -> None:
        """Fork the arms until all are decided, or `stopped`."""
        while not self.stopped and (open_arms := self._open()):
            self._run([*self._placebo_behind(open_arms), *open_arms])

    def results(self) -> tuple[ArmResult, ...]:
        """Placebo first, then the arms as given, with Holm's correction over those that apply."""
        whole = [self._result(arm) for arm in self.arms]
        applying = [one for one in whole if one.effect is not Effect.NOT_APPLICABLE]
        corrected = dict(zip([one.name for one in applying], holm([one.p for one in applying]), strict=True))
        tested = [one.model_copy(update=_claim(corrected.get(one.name, 1.0), one.effect)) for one in whole]
        return (self._placebo_result(), *tested)

    def _open(self) -> list[Arm]:
        claimed = {one.name: one.claimed for one in self.results()}
        return [
            arm
            for arm in self.arms
            if arm.name not in self.reasons and wants_more(self._hits(arm), claimed=claimed[arm.name])
        ]

    def _placebo_behind(self, arms: Sequence[Arm]) -> list[Arm]:
        """The placebo, if these arms would otherwise have forks that are compared with none of its own."""
        placebo, others = self._next(PLACEBO).start, (self._next(arm).stop for arm in arms)
        return [PLACEBO] if placebo < max(others) else []

    def _run(self, arms: Sequence[Arm]) -> None:
        """The next forks of these arms: all that a decision needs at least, then one at a time."""
        jobs = [Job(arm, number) for arm in arms for number in self._next(arm)]
        for job, result in self.ask(jobs):
            if isinstance(result, str):
                self.reasons[job.arm.name] = result
            else:
                self.forks.setdefault(job.arm.name, {})[job.number] = self.reader.seen(result)
            if self.deadline is not None and time.monotonic() > self.deadline:
                self.stopped = True
                return

    def _next(self, arm: Arm) -> range:
        made = len(self._seen(arm))
        return range(made, max(FEWEST, made + 1))

    def _seen(self, arm: Arm) -> list[Seen]:
        """By number, up to the first that is missing: a stop may leave gaps."""
        known = self.forks.get(arm.name, {})
        numbers = next((n for n in range(len(known)) if n not in known), len(known))
        return [known[n] for n in range(numbers)]

    def _spikes_again(self) -> list[bool]:
        return [fork.spikes for fork in self._seen(PLACEBO)]

    def _hits(self, arm: Arm) -> list[bool]:
        limit = HALF * median(fork.height for fork in self._seen(PLACEBO)) if self._seen(PLACEBO) else 0.0
        return [fork.height < limit and not fork.alarms for fork in self._seen(arm)]

    def _placebo_result(self) -> ArmResult:
        hits = self._spikes_again()
        again = Effect.LEAVES if decided(hits) is Effect.REMOVES else Effect.UNDECIDED
        return _counted(PLACEBO, hits, self._forks(PLACEBO, [None] * len(hits)), again)

    def _result(self, arm: Arm) -> ArmResult:
        if arm.name in self.reasons:
            return _counted(arm, [], (), Effect.NOT_APPLICABLE).model_copy(update={"reason": self.reasons[arm.name]})
        hits = self._hits(arm)
        counted = _counted(arm, hits, self._forks(arm, hits), decided(hits))
        return counted.model_copy(update={"p": p_value(hits, self._hits(PLACEBO)), "cost": self._cost(arm)})

    def _cost(self, arm: Arm) -> float | None:
        """How much higher the loss ends than that of the placebo, in medians; None where one of them is not known."""
        own, placebo = ([fork.late for fork in self._seen(one) if fork.late is not None] for one in (arm, PLACEBO))
        return median(own) - median(placebo) if own and placebo else None

    def _forks(self, arm: Arm, removed: Sequence[bool | None]) -> tuple[Fork, ...]:
        return tuple(
            Fork(
                number=number,
                height=seen.height,
                spikes=seen.spikes,
                removed=hit,
                late=seen.late,
                losses=tuple(map(finite, seen.losses)),
            )
            for number, (seen, hit) in enumerate(zip(self._seen(arm), removed, strict=True))
        )


def finite(loss: float) -> float | None:
    """Five digits, or None: reports hold no NaN."""
    return float(f"{loss:.5g}") if abs(loss) < float("inf") else None


def _counted(arm: Arm, hits: Sequence[bool], forks: tuple[Fork, ...], effect: Effect) -> ArmResult:
    low, high = clopper_pearson(sum(hits), len(hits), _INTERVAL) if hits else (0.0, 1.0)
    return ArmResult(
        name=arm.name,
        question=arm.question,
        cause=arm.cause,
        remedy=arm.remedy,
        effect=effect,
        forks=forks,
        hits=sum(hits),
        low=low,
        high=high,
        height=median(fork.height for fork in forks) if forks else None,
    )


def _claim(p_holm: float, effect: Effect) -> dict[str, float | bool]:
    return {"p_holm": p_holm, "claimed": effect is Effect.REMOVES and p_holm <= ALPHA}
