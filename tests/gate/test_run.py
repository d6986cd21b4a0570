"""What a gate foretells of its work is what it then tells as done."""

from dataclasses import replace

import pytest

from spikecheck.core.events import Event, TileAdvanced, WorkDone
from spikecheck.gate.run import GateRun, announced
from spikecheck.gate.suite import contestant, own_suite
from spikecheck.lab.laboratory import Laboratory


def done(told: list[Event]) -> float:
    return sum(event.seconds for event in told if isinstance(event, TileAdvanced | WorkDone))


def test_all_of_a_gate_is_foretold_and_what_is_stored_takes_no_training() -> None:
    whole_suite = own_suite({"steps": 40, "points": 12, "width": 6}, 2, 0)
    two = {name: whole_suite.settings[name] for name in ("sines", "mnist1d by batches")}
    suite = replace(whole_suite, settings=two)
    sides = contestant("torch.optim:SGD", {"lr": 0.05}), contestant("gd", {"lr": 0.05})
    told: list[Event] = []
    lab = Laboratory(observe=told.append)
    whole = sum(seconds for _, seconds in announced(sides, suite, lab).expected)
    GateRun(sides[0], suite, lab, "spikecheck gate", {}, told.append).against(sides[1])
    assert done(told) == pytest.approx(whole)
    again: list[Event] = []
    rest = sum(seconds for _, seconds in announced(sides, suite, lab).expected)
    assert 0 < rest < whole
    GateRun(sides[0], suite, lab, "spikecheck gate", {}, again.append).against(sides[1])
    assert done(again) == pytest.approx(rest)
