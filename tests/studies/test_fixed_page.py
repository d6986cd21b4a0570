"""The tables about the loss on all points."""

from typing import Any

import pytest

from spikecheck.core.why import Answer, Cause, Outcome, Spike
from studies.fixed_page import fixed_names, fixed_tables
from studies.fixed_reading import FixedReading, Said
from studies.fixed_stretches import FixedCell, Stretch
from studies.spontaneous_fixed import controls_of, kept, measure, spikes_of
from studies.spontaneous_page import Cell
from studies.spontaneous_trace import NO_INSTABILITY, Trace
from tests.studies.test_fixed_reading import QUIET, path

STABLE = Trace(overshoot=0.2, lagging=None, surprise=1.0)


def reading(says: Said) -> FixedReading:
    numbers = dict.fromkeys(FixedReading.model_fields, 1.0)
    return FixedReading.model_validate({**numbers, "first": 1, "last": 2, "says": says})


@pytest.mark.parametrize(
    ("trace", "says", "names"),
    [
        (STABLE, Said.LONG, Cause.CURVATURE),
        (STABLE.model_copy(update={"falls": True}), Said.LONG, Cause.DECAYED),
        (STABLE.model_copy(update={"falls": True, "lagging": "w"}), Said.LONG, Cause.LAG),
        (STABLE, Said.UPHILL, NO_INSTABILITY),
        (STABLE.model_copy(update={"lagging": "w", "overshoot": 2.0}), Said.NO_RISE, NO_INSTABILITY),
        (STABLE, Said.UNKNOWN, None),
    ],
)
def test_what_the_trace_names_by_the_fixed_set(trace: Trace, says: Said, names: str | None) -> None:
    assert fixed_names(trace, reading(says)) == names


def cell(seed: int, cause: str | None, **other: Any) -> Cell:
    spike = Spike(onset=100, peak=102, over=110, height=9.0, level=1.0, spread=0.1, loss=2.0, benign=False)
    answer = Answer(outcome=Outcome.CAUSE if cause else Outcome.NO_CAUSE, sentence="", cause=cause, spike=spike)
    return Cell(**{"kind": "k", "seed": seed, "steps": 200, "onset": 100, "trace": STABLE, "answer": answer, **other})


def fixed(seed: int, slope: float, what: str = "spike") -> FixedCell:
    """Ten steps up by a factor of 1.2 with this slope of ln L."""
    quiet = path([1.0, 1.01] * 28 + [1.0], [-0.05] * 56, QUIET.start)
    near = path([1.2**place for place in range(11)], [slope] * 10, QUIET.stop)
    stretch = Stretch.model_validate({"kind": "k", "seed": seed, "onset": 100, "peak": 102, "what": what})
    return FixedCell(stretch=stretch, steps=(*quiet, *near))


def test_agreement_is_counted_both_ways() -> None:
    """By its own batch no spike is an instability; by the fixed set the first two are, and of the last it cannot tell."""
    cells = [cell(0, Cause.CURVATURE), cell(1, Cause.LAG), cell(2, Cause.DATA), cell(3, None)]
    text = fixed_tables(cells, [fixed(0, -3.0), fixed(1, -3.0), fixed(2, 0.2), fixed(3, 0.0)], ["k"])
    assert "| k | 2 of 4: 50 % (7 to 93) | 2 of 3: 67 % (9 to 99) | 1 |" in text
    assert "| all, by kind | 2 of 4: 50 % (7 to 93) | 3 of 3: 100 % (29 to 100) | 1 |" in text
    assert "| steps too long | step too large for the curvature | no instability | second moment lags |" in text
    assert "| cannot tell | - | no instability | no cause |" in text


def test_stretches_are_counted_by_what_they_are() -> None:
    controls = [fixed(5, -3.0, "quiet"), fixed(6, 0.2, "quiet"), fixed(7, 0.0, "quiet"), fixed(5, -3.0, "rate")]
    text = fixed_tables([], controls, ["k"])
    assert "| quiet | k | not too long | 3 | 1 of 3: 33 % (1 to 91) | 1 | 0 | 1 |" in text
    assert "| rate | k | too long | 1 | 1 of 1: 100 % (2 to 100) | 0 | 0 | 0 |" in text
    assert "| spike |" not in text
    assert "too long | 1 | 1 of 1" in fixed_tables([], [slingshot(-3.0)], ["modular, slingshot"])


def slingshot(slope: float) -> FixedCell:
    one = fixed(0, slope)
    return one.model_copy(update={"stretch": one.stretch.model_copy(update={"kind": "modular, slingshot"})})


def test_stretches_of_kept_answers() -> None:
    cells = [
        cell(0, None, kind="mlp, mnist1d"),
        Cell(kind="mlp, mnist1d", seed=1, steps=9, onset=None),
        cell(2, None, kind="gpt"),
    ]
    assert [(one.kind, one.seed, one.onset, one.peak) for one in spikes_of(cells)] == [
        ("mlp, mnist1d", 0, 100, 102),
        ("gpt", 2, 100, 102),
    ]
    made = controls_of(cells, lambda seed: [])
    assert {(one.what, one.seed) for one in made} == {
        ("quiet, no spike in the training", 1),
        ("bad batches", 1),
        ("rate", 1),
    }


def test_what_is_kept_is_not_measured_again(tmp_path: Any) -> None:
    one = fixed(3, -3.0)
    (tmp_path / f"{one.stretch.name}.json").write_text(one.model_dump_json())

    def refuse(kind: str, seed: int) -> Any:
        raise AssertionError

    measure([one.stretch], tmp_path, refuse)
    assert kept(tmp_path) == [one]
    with pytest.raises(AssertionError):
        measure([one.stretch.model_copy(update={"seed": 4})], tmp_path, refuse)
