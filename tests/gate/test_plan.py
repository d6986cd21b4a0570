"""The plan of a gate: what it finds is what its rows would then name."""

from pathlib import Path

import numpy as np
import pytest

from spikecheck.core.scorecard import Change, Scores
from spikecheck.gate.comparison import fewest_seeds, level, rows
from spikecheck.gate.plan import gate_outlook
from spikecheck.gate.rates import RateRange
from spikecheck.gate.suite import contestant, own_suite
from spikecheck.gate.workload_suite import FINAL, STABLE, TUNING_SEEDS, workload_suite
from spikecheck.gate.workload_tuning import MOST_AROUND
from spikecheck.stats.paired import detectable_in_spreads
from tests.command_line import told

GD = contestant("gd", {"lr": 0.1})


def spikes_named(places: int, seeds: int, spiking: int) -> bool:
    """Whether a gate names a candidate that spikes in so many trainings, spread over the settings, and diverges in none."""
    flat = np.zeros(places * seeds)
    flat[:spiking] = 1.0
    names = [f"place {number}" for number in range(places)]
    candidate = {name: tuple(part) for name, part in zip(names, flat.reshape(places, seeds), strict=True)}
    quiet = dict.fromkeys(names, (0.0,) * seeds)
    found = rows(
        Scores(values={"spiking": candidate, "diverged": quiet}), Scores(values={"spiking": quiet, "diverged": quiet})
    )
    return any(row.name == "spiking" and not row.where and row.change is Change.WORSE for row in found)


@pytest.mark.parametrize("seeds", [4, 8, 16])
def test_as_many_spiking_trainings_as_the_plan_says_are_named_and_one_fewer_is_not(seeds: int) -> None:
    outlook = gate_outlook(GD, own_suite({}, seeds, 0))
    alone, together = outlook.finds
    assert (alone.where, alone.trainings, together.where, together.trainings) == (
        "one setting", seeds, "all together", 4 * seeds
    )  # fmt: skip
    assert together.spiking is not None
    assert spikes_named(4, seeds, together.spiking)
    assert not spikes_named(4, seeds, together.spiking - 1)


def test_more_seeds_find_smaller_differences() -> None:
    spreads = [gate_outlook(GD, own_suite({}, seeds, 0)).finds[0].spreads for seeds in (4, 8, 16)]
    assert spreads == sorted(spreads, reverse=True)
    few, many = gate_outlook(GD, own_suite({}, 8, 0)).finds
    assert many.spreads < few.spreads


def test_one_setting_has_one_line_and_no_rate_is_tuned() -> None:
    outlook = gate_outlook(GD, own_suite({"problem": "digits"}, 16, 0))
    assert [finds.where for finds in outlook.finds] == ["one setting"]
    assert [place.name for place in outlook.places] == ["digits"]
    assert outlook.tuning is None


def test_too_few_seeds_to_name_a_divergence_in_every_training_are_warned_of() -> None:
    fewest = fewest_seeds(1)
    assert gate_outlook(GD, own_suite({"problem": "digits"}, fewest, 0)).warning == ""
    few = gate_outlook(GD, own_suite({"problem": "digits"}, fewest - 1, 0)).warning
    assert few.startswith(f"seeds={fewest - 1}: too few ") and few.endswith("; the gate cannot pass")


@pytest.mark.parametrize(("rows", "around"), [((FINAL,), 0), ((FINAL, STABLE), 8 * MOST_AROUND)])
def test_a_rate_that_is_tuned_costs_its_own_trainings_and_those_around_it_only_where_a_row_needs_them(
    rows: tuple[str, ...], around: int
) -> None:
    suite = workload_suite({"workload": "mlp", "tune": "lr=1e-4..1e-1"}, 8, 0, rows)
    tuning = gate_outlook(GD, suite).tuning
    assert tuning is not None
    assert (tuning.range, tuning.rates) == ("lr=0.0001..0.1", RateRange(1e-4, 1e-1).trainings)
    assert (tuning.seeds, tuning.around) == (TUNING_SEEDS, around)
    assert gate_outlook(GD, workload_suite({"workload": "mlp"}, 8, 0, (FINAL,))).tuning is None


def test_where_only_all_trainings_would_be_named_the_plan_says_all_of_them() -> None:
    """With the fewest seeds, a candidate that spikes in all but one training is not named in one setting."""
    seeds = fewest_seeds(1)
    (alone,) = gate_outlook(GD, own_suite({"problem": "digits"}, seeds, 0)).finds
    assert alone.spiking == seeds
    (fewer,) = gate_outlook(GD, own_suite({"problem": "digits"}, seeds - 1, 0)).finds
    assert fewer.spiking is None


def test_a_gate_of_too_few_seeds_says_so_before_and_does_not_pass(tmp_path: Path) -> None:
    line = (
        "--optimizer",
        "torch.optim:SGD",
        "--set",
        "lr=0.1",
        "--against",
        "gd",
        "--dataset",
        "mnist1d",
        "--seeds",
        "3",
        "--at",
        "steps=40",
    )
    planned = told(tmp_path, *line, "--plan")
    assert planned.returncode == 0
    assert "too few to detect a candidate that diverges in every training" in planned.stdout
    spreads = detectable_in_spreads(3, 1, level(1, "mean"))
    assert f"worse from {spreads:.1f} standard deviations" in " ".join(planned.stdout.split())
    assert not (tmp_path / "cache").exists()
    done = told(tmp_path, *line, "--rows", "final loss, best loss, diverged, spiking")
    assert done.returncode == 3
    assert "warning: seeds=3" in done.stderr
    assert done.stdout.startswith("UNDECIDED")
