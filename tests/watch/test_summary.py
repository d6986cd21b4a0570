"""A whole log run through the detector, of logs written down by hand."""

from pathlib import Path

import numpy as np
import pytest

from spikecheck.core.watched import Header, LayerLook, Look, Step
from spikecheck.watch.detector import NoisySpike, detect
from spikecheck.watch.log import LogWriter, WatchLog
from spikecheck.watch.summary import HIGHEST, Summary, summary

HEADER = Header(model="Net", optimizer="SGD", parameters=9, every=10, started="2026-01-01T00:00:00+00:00")


def read(folder: Path, steps: list[Step]) -> Summary:
    writer = LogWriter(folder / "log.jsonl", HEADER)
    for step in steps:
        writer.write(step)
    writer.close()
    return summary(WatchLog.open(folder / "log.jsonl"))


def spiking() -> list[float]:
    losses = np.random.default_rng(0).normal(2.0, 0.05, 600)
    losses[400:420] += 2.0
    return [float(loss) for loss in losses]


def test_its_spikes_are_the_detectors_and_its_losses_the_logs(tmp_path: Path) -> None:
    losses = spiking()
    found = read(tmp_path, [Step(step=step, loss=loss) for step, loss in enumerate(losses)])
    assert found.losses == list(enumerate(losses))
    assert found.spikes == detect(range(600), losses)
    assert len(found.spikes) == 1
    assert [warned.kind for warned in found.warnings] == ["spike"]
    assert (found.overshoots, found.unresolved, found.rises) == ([], {}, ())


def test_a_loss_that_is_no_number_is_a_spike_and_no_figure(tmp_path: Path) -> None:
    steps = [Step(step=step, loss=1.0 + step % 7 / 100) for step in range(300)] + [Step(step=300, not_finite="nan")]
    found = read(tmp_path, steps)
    assert len(found.losses) == 300
    assert [spike.onset for spike in found.spikes] == [300]


def looks(*values: float | None) -> list[Step]:
    return [
        Step(
            step=10 * place, loss=1.0, look=Look(overshoot=value, unresolved=None if value is not None else "rounding")
        )
        for place, value in enumerate(values)
    ]


def test_overshoots_are_drawn_within_bounds_and_unresolved_looks_are_counted_by_reason(tmp_path: Path) -> None:
    found = read(tmp_path, looks(0.5, None, -3.0, 99.0, None))
    assert found.overshoots == [(0, 0.5), (20, -3.0), (30, 99.0)]
    assert found.drawn_overshoots == [(0, 0.5), (20, -1.0), (30, HIGHEST)]
    assert found.unresolved == {"rounding": 2}


def spike(onset: int, peak: int, alarm: int) -> NoisySpike:
    return NoisySpike(onset, alarm, peak, 9.0, 1.0, 0.1, 2.0, "high", None)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (spike(25, 27, 28), (20, 0.9)),  # the look before the onset, and none until its alarm
        (spike(25, 33, 28), (30, 2.0)),  # until its peak
        (spike(25, 27, 41), (30, 2.0)),  # until its alarm
        (spike(31, 45, 46), (30, 2.0)),
        (spike(41, 45, 46), (40, 1.5)),
    ],
)
def test_the_overshoot_of_a_spike_is_the_largest_from_the_look_before_it(
    at: NoisySpike, expected: tuple[int, float], tmp_path: Path
) -> None:
    assert read(tmp_path, looks(5.0, 0.1, 0.9, 2.0, 1.5)).overshoot_at(at) == expected


def test_without_a_look_near_it_a_spike_has_no_overshoot(tmp_path: Path) -> None:
    steps = [Step(step=0, loss=1.0), Step(step=50, loss=1.0, look=Look(overshoot=0.5))]
    assert read(tmp_path, steps).overshoot_at(spike(10, 12, 13)) is None


def test_figures_that_rose_at_the_latest_looks_are_named_and_unreadable_lines_counted(tmp_path: Path) -> None:
    sizes = [1.0] * 20 + [3.0] * 3
    steps = [
        Step(step=10 * place, loss=1.0, look=Look(overshoot=0.1, layers={"head": LayerLook(update=size, weights=1.0)}))
        for place, size in enumerate(sizes)
    ]
    (tmp_path / "log.jsonl").write_text('{"schema": "spikecheck/watch@1"', encoding="utf-8")
    found = read(tmp_path, steps)
    assert [(rise.what, rise.factor) for rise in found.rises] == [("update of head", 3.0)]
    assert found.unreadable == 1
