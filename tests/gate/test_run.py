"""What a gate foretells of its work is what it then tells as done."""

from dataclasses import replace

import pytest

from spikecheck.core.events import ClaimStarted, Event, TileAdvanced, WorkDone
from spikecheck.core.work import COMPARISON, TIMING, TRAINING, Work, total
from spikecheck.gate.run import GateRun, announced
from spikecheck.gate.suite import contestant, own_suite
from spikecheck.lab.laboratory import Laboratory


def done(told: list[Event]) -> Work:
    return total(*({event.kind: event.seconds} for event in told if isinstance(event, TileAdvanced | WorkDone)))


def foretold(started: ClaimStarted) -> Work:
    return total(*(work.certain for _, work in started.expected))


def test_all_of_a_gate_is_foretold_and_what_is_stored_takes_no_training() -> None:
    whole_suite = own_suite({"steps": 40, "points": 12, "width": 6}, 2, 0)
    two = {name: whole_suite.settings[name] for name in ("sines", "mnist1d by batches")}
    suite = replace(whole_suite, settings=two)
    sides = contestant("torch.optim:SGD", {"lr": 0.05}), contestant("gd", {"lr": 0.05})
    told: list[Event] = []
    lab = Laboratory(observe=told.append)
    whole = foretold(announced(sides, suite, lab))
    GateRun(sides[0], suite, lab, "spikecheck gate", {}, told.append).against(sides[1])
    assert done(told) == pytest.approx(whole)
    named = {f"{kind}, torch.optim:SGD" for kind in (TRAINING, "finish")}
    assert whole.keys() == {TRAINING, "finish", COMPARISON, TIMING} | named
    again: list[Event] = []
    rest = foretold(announced(sides, suite, lab))
    assert rest == {COMPARISON: whole[COMPARISON], TIMING: whole[TIMING]}
    GateRun(sides[0], suite, lab, "spikecheck gate", {}, again.append).against(sides[1])
    assert done(again) == pytest.approx(rest)
