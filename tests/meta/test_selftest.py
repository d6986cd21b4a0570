"""The self-test: what it prints, and that it would notice."""

import numpy as np
import pytest
from click.testing import CliRunner

from spikecheck.cli import cli
from spikecheck.gate import selftest as gates
from spikecheck.harness import conclude, selftest
from spikecheck.harness.plan import Plan
from spikecheck.stats.counts import counted

PLAN = Plan(settings=1)
EXACTLY, CONTROL_TOO, TRUE, FALSE, CORNER = selftest.WORLDS


def times(world: selftest.World, rounds: int = 20) -> dict[str, int]:
    ticks: list[None] = []
    found = list(selftest.verdicts_counted(PLAN, rounds, lambda: ticks.append(None), [world]))
    assert len(ticks) == rounds
    assert {count.rounds for count in found} == {rounds}
    return {count.seen: count.times for count in found}


def test_what_is_there_is_found() -> None:
    assert times(TRUE)["holds at the reference"] >= 18
    assert times(FALSE)["fails at the reference"] >= 18
    assert times(FALSE)["passes"] == 0


def test_what_is_counted_is_not_always_the_same() -> None:
    """At the required share some verdicts err, and a claim false in one corner is not found there every time."""
    assert 0 < sum(times(EXACTLY, 60).values()) < 60
    assert 0 < times(CORNER, 60)["refuted in that setting"] < 60


def test_a_judge_that_asks_for_no_control_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conclude, "replication", lambda reference, control: (reference.outcome, ""))
    (count,) = selftest.verdicts_counted(PLAN, 20, lambda: None, [CONTROL_TOO])
    assert count.broken


def test_a_kept_promise_is_not_called_broken_and_a_broken_one_is() -> None:
    assert not counted("w", "s", 5, 50, promised=0.05).broken
    assert counted("w", "s", 12, 50, promised=0.05).broken
    assert not counted("w", "s", 50, 50).broken


def test_a_planted_shift_is_in_its_own_row_alone() -> None:
    moved, still = (gates.planted_scores(np.random.default_rng(0), shift) for shift in (1.0, 0.0))
    assert [name for name in moved.values if moved.values[name] != still.values[name]] == [gates.ROW]


def test_the_command_prints_every_world_and_leaves_with_what_it_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selftest, "WORLDS", ())
    monkeypatch.setattr(gates, "rows", lambda candidate, reference: ())
    quiet = (gates.World("nothing", 0.0, "never", lambda rows: False, 0.05),)
    monkeypatch.setattr(gates, "WORLDS", quiet)
    kept = CliRunner().invoke(cli, ["selftest", "--rounds", "20"], catch_exceptions=False, standalone_mode=False)
    assert (kept.return_value, kept.stderr) == (0, "self-test: 20 of 20\n")
    assert kept.stdout.splitlines()[:2] == [
        "gate: nothing",
        "  never                           0/20    0.0 %     0.0 to 16.8 %  at most 5 % ✓",
    ]
    monkeypatch.setattr(gates, "WORLDS", (gates.World("nothing", 0.0, "always", lambda rows: True, 0.05),))
    broken = CliRunner().invoke(cli, ["selftest", "--rounds", "20"], catch_exceptions=False, standalone_mode=False)
    assert broken.return_value == 1
    assert "20/20" in broken.stdout
    assert all(len(line) <= 80 for line in broken.stdout.splitlines())
