"""Which stretches are measured, and what is planted in them."""

from collections import Counter
from typing import Any

import pytest

from spikecheck.watch.detector import NoisySpike
from spikecheck.watch.runs import Order
from spikecheck.watch.workload import OptimizerChoice, Workload
from studies.fixed_stretches import Spiking, Stretch, controls, measured

ORDER = Order(Workload.of("mlp").at({"dropout": 0.0}, 100), 0, 100, OptimizerChoice.of("adam", {"lr": 1e-2}))


def spike(onset: int, over: int | None) -> NoisySpike:
    return NoisySpike(onset, onset, onset, 9.0, 1.0, 0.1, 2.0, "high", over)


def stretches(**spikes: NoisySpike) -> list[Stretch]:
    known = {int(name[1:]): [one] for name, one in spikes.items()}
    return list(
        controls("k", [Spiking(3, 1_000, 1_020), Spiking(4, 900, 910)], [0, 1], lambda seed: known.get(seed, []))
    )


def test_controls_lie_before_the_spikes_and_at_their_steps_elsewhere() -> None:
    made = stretches()
    assert Counter(one.what for one in made) == {
        "quiet": 8,
        "quiet, no spike in the training": 4,
        "bad batches": 4,
        "rate": 4,
    }
    assert [(one.onset, one.peak) for one in made if one.what == "quiet" and one.seed == 3] == [
        (916, 936),
        (832, 852),
        (748, 768),
        (664, 684),
    ]
    assert {(one.seed, one.onset, one.peak) for one in made if one.what == "rate"} == {
        (seed, onset, onset + 10) for seed in (0, 1) for onset in (1_000, 900)
    }
    assert len({one.name for one in made}) == len(made)


def test_stretches_that_touch_an_excursion_are_left_out() -> None:
    assert len(stretches(s3=spike(700, 705))) == 20 - 1  # in the steps of 684 to 768
    assert len(stretches(s3=spike(700, None))) == 20 - 3  # it lasts
    assert len(stretches(s0=spike(843, 850))) == 20 - 3  # plants included; the other one begins its quiet steps at 936
    assert len(stretches(s0=spike(1_030, 1_040))) == 20
    assert len(stretches(s0=spike(1_028, 1_040))) == 20 - 3


def test_early_onsets_have_no_quiet_stretch_before() -> None:
    made = list(controls("k", [Spiking(0, 250, 260)], [], lambda seed: []))
    assert [one.onset for one in made] == [176]


@pytest.fixture(scope="module")
def steps() -> dict[str, Any]:
    made: dict[str, Any] = {}
    for what, length in (("quiet", 10), ("bad batches", 5), ("rate", 10)):
        stretch = Stretch.model_validate({"kind": "k", "seed": 0, "onset": 70, "peak": 70 + length, "what": what})
        made[what] = measured(ORDER, stretch).steps
    return made


def test_every_step_from_64_before_the_onset_to_the_peak_is_measured(steps: dict[str, Any]) -> None:
    assert [one.step for one in steps["quiet"]] == list(range(6, 80))
    assert [one.step for one in steps["bad batches"]] == list(range(6, 75))


def test_plants_begin_at_the_onset(steps: dict[str, Any]) -> None:
    for what in ("bad batches", "rate"):
        assert steps[what][:63] == steps["quiet"][:63]
        assert steps[what][64].after != steps["quiet"][64].after


def test_the_planted_rate(steps: dict[str, Any]) -> None:
    """The first step goes 30 times as far in the same direction."""
    long, usual = steps["rate"][64], steps["quiet"][64]
    assert long.rate == pytest.approx(30 * usual.rate)
    assert long.slope == pytest.approx(30 * usual.slope, rel=1e-3)
    assert long.bend == pytest.approx(900 * usual.bend, rel=1e-2)


def test_bad_batches_have_large_gradients_of_their_own(steps: dict[str, Any]) -> None:
    bad = [one.own_square for one in steps["bad batches"][64:69]]
    assert min(bad) > 2 * max(one.own_square for one in steps["quiet"][64:69])


def test_a_cell_reads_its_steps(steps: dict[str, Any]) -> None:
    stretch = Stretch(kind="k", seed=0, onset=70, peak=75, what="bad batches")
    cell = measured(ORDER, stretch)
    assert cell.steps == steps["bad batches"]
    assert cell.reading.first >= 62
    assert type(cell).model_validate_json(cell.model_dump_json()) == cell
