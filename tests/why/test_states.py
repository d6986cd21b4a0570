"""The way to a step: from the last state before it, with the same bits."""

from pathlib import Path

from spikecheck.watch.replay import _same
from spikecheck.watch.runs import ignore_progress
from spikecheck.why.states import States, differs_at, reach
from tests.why.planted_spikes import planted


def test_the_way_begins_at_the_last_state_and_ends_with_the_same_bits(tmp_path: Path) -> None:
    training = planted(None, 0, "cpu")
    losses = training.run(90)
    states = States(tmp_path, "run")
    states.keep(planted(None, 0, "cpu").snapshot())
    first = planted(None, 0, "cpu")
    assert reach(first, 50, states, ignore_progress) == losses[:50]
    second = planted(None, 0, "cpu")
    assert reach(second, 90, states, ignore_progress) == losses[50:]
    assert _same(second.snapshot().values, training.snapshot().values)
    assert differs_at(losses[50:], losses, 90) is None
    assert differs_at([*losses[50:70], 9.0, *losses[71:]], losses, 90) == 70
    (tmp_path / "run-90.pt").write_bytes(b"damaged")
    assert reach(planted(None, 0, "cpu"), 90, states, ignore_progress) == losses[50:]
