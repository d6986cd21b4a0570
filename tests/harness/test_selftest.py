"""The self-test: what it prints, and that it would notice."""

from collections.abc import Callable
from dataclasses import replace
from itertools import groupby

import numpy as np
import pytest

from spikecheck.core.judgement import Judgement, Outcome
from spikecheck.core.setting import Setting
from spikecheck.harness import answer, reach, selftest
from spikecheck.harness.plan import Plan
from spikecheck.stats import bounds
from spikecheck.stats.averages import Interval
from spikecheck.stats.counts import Count

PLAN = Plan(settings=1, looks=2)
EXACTLY, TRUE, FALSE, CORNER = selftest.OF_SHARES
CONTROL_TOO, NEAR_ITS_CONTROL, AS_ITS_CONTROL, BLIND, HARDLY_FOUND, FOUND = selftest.OF_CONTROLS


def counts(world: selftest.World, rounds: int, plan: Plan = PLAN) -> dict[str, Count]:
    ticks: list[None] = []
    found = list(selftest.verdicts_counted(plan, rounds, lambda: ticks.append(None), [world]))
    assert len(ticks) == rounds
    assert {count.rounds for count in found} == {rounds}
    return {count.seen: count for count in found}


def times(world: selftest.World, rounds: int = 20, plan: Plan = PLAN) -> dict[str, int]:
    return {seen: count.times for seen, count in counts(world, rounds, plan).items()}


# What is told without a promise and comes nearly always, of 25 rounds at least so often; else at least once.
USUAL = {
    TRUE.says: {"holds at the reference": 22},
    FALSE.says: {"fails at the reference": 18},
    CORNER.says: {"holds at the reference": 23, "refuted in that setting": 1},
    AS_ITS_CONTROL.says: {"invalid": 24},
    BLIND.says: {"invalid": 24},
    FOUND.says: {"fails at the reference": 23},
    "a mean of 0, claimed to be little, its control's 1.5": {"holds at the reference": 22},
}


@pytest.mark.parametrize("world", selftest.WORLDS, ids=lambda world: world.says)
def test_in_every_world_promises_are_kept_and_what_is_there_is_found(world: selftest.World) -> None:
    """25 verdicts each, under known roots: `spikecheck selftest` counts as many as one likes."""
    plan = PLAN if world is not CORNER else Plan(settings=6, looks=1)
    found = counts(world, 25, plan)
    assert not any(count.broken for count in found.values())
    for seen, count in found.items():
        if count.promised is None:
            assert count.times >= USUAL.get(world.says, {}).get(seen, 1), seen


def test_every_promise_is_of_a_twentieth_or_of_two_of_them() -> None:
    """A verdict over the domain rests on two judgements, any other on one."""
    for world in selftest.WORLDS:
        for seen, (_, promised) in world.counts.items():
            assert promised in (None, 0.10 if seen == "refuted over its domain" else 0.05)


def test_every_world_says_something_else() -> None:
    said = [world.says for world in selftest.WORLDS]
    assert len(set(said)) == len(said)


def test_what_is_counted_is_not_always_the_same() -> None:
    """At the required share some verdicts err, and a claim false in one corner is not found there every time."""
    assert 0 < sum(times(EXACTLY, 20).values()) < 20
    assert 0 < times(CORNER, 25)["refuted in that setting"] < 25


def test_a_judge_that_asks_for_no_control_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer, "guarded", lambda judgement, *controls: (judgement.outcome, ""))
    for world in (CONTROL_TOO, AS_ITS_CONTROL, NEAR_ITS_CONTROL):
        assert counts(world, 20)["passes"].broken
    for world in (BLIND, HARDLY_FOUND):
        assert counts(world, 20)["fails at the reference"].broken


def test_a_judge_that_compares_both_with_the_required_share_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule of before: 88 and 72 % lie on either side of 80, and passed for different."""

    def before(judgement: Judgement, control: Judgement, *others: object) -> tuple[Outcome, str]:
        return judgement.outcome if control.outcome is Outcome.FAILS else Outcome.UNDECIDED, ""

    monkeypatch.setattr(answer, "guarded", before)
    assert counts(NEAR_ITS_CONTROL, 40, Plan(settings=0, fresh_seeds=256, looks=1))["holds at the reference"].broken


def test_averages_by_their_estimates_alone_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def estimated(values: np.ndarray, alpha: float) -> Interval:
        return Interval(float(values.mean()), float(values.mean()), float(values.mean()))

    monkeypatch.setattr(bounds, "mean_interval", estimated)
    broken = [world for world in selftest.OF_AVERAGES if any(count.broken for count in counts(world, 20).values())]
    assert len(broken) >= 4


def test_a_reach_whose_interval_is_too_close_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "clopper_pearson", lambda holds, of, alpha: (holds / of - 0.05, holds / of + 0.05))
    (world,) = selftest.OF_REACH
    assert counts(world, 20)["reach misses that"].broken


def test_worlds_take_turns() -> None:
    """Regression: the first worlds take the longest, and twice the time that was left was shown while they were tried."""
    order: list[str] = []

    def truth(name: str) -> Callable[[Setting], float]:
        def of(setting: Setting) -> float:
            order.append(name)
            return 0.95

        return of

    worlds = [replace(TRUE, says=name, truth=truth(name)) for name in ("one", "two")]
    counted = list(selftest.verdicts_counted(PLAN, 2, lambda: order.append("tick"), worlds))
    turns = [name for name, _ in groupby(order) if name != "tick"]
    assert turns == ["one", "two", "one", "two"]
    alone = [count for world in worlds for count in selftest.verdicts_counted(PLAN, 2, lambda: None, [world])]
    assert counted == alone
