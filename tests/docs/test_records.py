"""The how-to's table of records is what the probes record: their kinds, their keys and their shapes."""

import re
from collections import defaultdict
from typing import get_args

import numpy as np
import pytest

from spikecheck import SETTING_A, Laboratory, Recipe
from spikecheck.core.probe import (
    Anatomy,
    Balance,
    Directions,
    Finish,
    Probe,
    SharpnessTrace,
    Stability,
    Trail,
)
from spikecheck.core.run import Run
from spikecheck.session.workload_lab import records
from spikecheck.watch.measured import MeasuredOrder, Wanted
from spikecheck.watch.runs import train
from spikecheck.watch.workload import OptimizerChoice, Workload
from tests.docs.pages import ROOT

PAGE = ROOT / "docs" / "how-to" / "read-records.md"
SETTING = SETTING_A.but(steps=600)
# Letters whose number is known beforehand; the others are the same in all arrays of a record.
KNOWN = {"K": 3, "R": 2, "L": 4, "N": SETTING.points, "O": 1, "H": SETTING.width, "D+1": 2}
PROBES = (
    Anatomy(before=20, after=10, pairs=3, outputs=True),
    SharpnessTrace(every_step=True),
    Trail(),
    Directions(pairs=3, random=2),
    Stability(),
    Balance(every=100),
    Finish(period=4),
)


def table() -> dict[tuple[str, str], dict[str, list[str]]]:
    """By probe and kind the axes of every key."""
    found: dict[tuple[str, str], dict[str, list[str]]] = defaultdict(dict)
    probe = kind = ""
    for line in PAGE.read_text(encoding="utf-8").partition("## Keys by probe")[2].splitlines():
        cells = [cell.strip(" `") for cell in line.split("|")[1:-1]]
        if len(cells) == 6 and re.fullmatch(r"\w+", cells[2]) and cells[2] != "key":
            probe, kind = cells[0] or probe, cells[1] or kind
            found[probe, kind][cells[2]] = re.split(r" \W ", cells[3])
    return found


@pytest.fixture(scope="module")
def lab() -> Laboratory:
    return Laboratory()


@pytest.fixture(scope="module")
def seed(lab: Laboratory) -> int:
    """A training whose first spike recovers."""
    runs = lab.runs([Recipe(setting=SETTING, seed=one) for one in range(16)])
    return next(recipe.seed for recipe, run in runs.items() if run.spikes and run.spikes[0].recovery is not None)


def recorded(lab: Laboratory, probe: Probe, seed: int) -> Run:
    recipe = Recipe(setting=SETTING, seed=seed, probe=probe)
    return lab.runs([recipe])[recipe]


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.kind)
def test_the_table_has_every_key_with_its_shape(lab: Laboratory, seed: int, probe: Probe) -> None:
    expected = table()[type(probe).__name__, probe.kind]
    record = recorded(lab, probe, seed).records[probe.kind]
    assert list(expected) == list(record)
    sizes = dict(KNOWN)
    for key, axes in expected.items():
        shape = record[key].shape
        assert len(axes) == len(shape), key
        for letter, size in zip(axes, shape, strict=True):
            assert size == (int(letter) if letter.isdigit() else sizes.setdefault(letter, size)), f"{key}: {letter}"
        assert record[key].dtype == np.float64
        assert np.isfinite(record[key]).all()


def test_no_probe_is_missing_from_the_table() -> None:
    union, _ = get_args(Probe)
    every = {(one.__name__, one.model_fields["kind"].default) for one in get_args(union)}
    of_workloads = {("BatchSharpness", "batch-sharpness")}
    assert set(table()) == every == of_workloads | {(type(probe).__name__, probe.kind) for probe in PROBES}


def test_the_table_has_every_key_of_a_workloads_record() -> None:
    order = MeasuredOrder(
        Workload.of("mlp"), 0, 20, OptimizerChoice.of("gd", {"lr": 0.1}), wanted=Wanted(True, batches=2, looks=3)
    )
    record = records(train(order, None).arrays)["batch-sharpness"]
    axes = table()["BatchSharpness", "batch-sharpness"]
    assert set(axes) == set(record)
    assert {key: len(letters) for key, letters in axes.items()} == {key: record[key].ndim for key in record}
    assert len({len(array) for array in record.values()}) == 1


def test_units_that_can_be_checked_are_right(lab: Laboratory, seed: int) -> None:
    """A residual is over the eigenvalue, a reversal is lr x lambda - 1 for gradient descent."""
    finish = recorded(lab, Finish(period=4), seed)
    trail = recorded(lab, Trail(), seed).records["trail"]
    last = finish.records["finish"]
    at = np.searchsorted(trail["steps"], last["steps"])
    np.testing.assert_allclose(last["late"], SETTING.lr * trail["sharpness"][at, 0] - 1, rtol=1e-3)
