"""The arguments of the fixture `spikecheck.gate`: ordinary mistakes are refused in one line that names the argument."""

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from spikecheck.cli.fixture_arguments import in_python, numbers_in, path_of
from spikecheck.cli.gate_fixture import FixtureGate
from spikecheck.core.errors import SpikecheckError
from spikecheck.gate.suite import Suite

ADAM = torch.optim.Adam([torch.zeros(1)], lr=0.1)
CLASS = "is no class and no function; give the optimizer's class, such as torch.optim.Adam, or a function"


def problem() -> None:
    """A stand-in for a user's problem."""


@pytest.mark.parametrize(("arguments", "message"), [
    ({"rows": [3]}, 'rows=[3]: is no text; give text such as rows="final loss,diverged", or a list of names'),
    ({"rows": []}, "rows=[]: is no text"),
    ({"rows": True}, "rows=True: is no text"),
    ({"conditions": "steps=100"}, "conditions='steps=100': give a dictionary, such as conditions={\"steps\": 500}"),
    ({"conditions": ["steps"]}, "conditions=['steps']: give a dictionary"),
    ({"conditions": False}, "conditions=False: give a dictionary"),
    ({"conditions": {1: 2}}, "conditions={1: 2}: give a dictionary"),
    ({"conditions": {"lr": 0.1}}, "conditions lr=0.1: is no condition; give lr and options of the optimizer as arguments"),
    ({"conditions": {"tune": "lr=1..10"}}, "conditions tune='lr=1..10': is no condition; give tune as arguments"),
    ({"conditions": {"problem": problem}}, f'is no text; give its name as text, MODULE:FACTORY, here "{__name__}:problem"'),
    ({"conditions": {"model": torch.nn.Linear(2, 2)}}, "is no text; give its name as text, MODULE:FACTORY"),
    ({"conditions": {"workload": lambda: 0}}, "is no text; give its name as text, MODULE:FACTORY"),
    ({"conditions": {"workload": None}}, "conditions workload=None: is no text"),
    ({"against_set": "lr=0.1"}, "against_set='lr=0.1': give a dictionary, such as against_set={\"lr\": 0.01}"),
    ({"optimizer": ADAM}, CLASS),
    ({"optimizer": None}, f"optimizer=None: {CLASS}"),
    ({"optimizer": ["adam"]}, f"optimizer=['adam']: {CLASS}"),
    ({"optimizer": partial(torch.optim.Adam, eps=1.0)}, CLASS),
    ({"against": ADAM}, "against=Adam ( Parameter Group 0"),
    ({"against": True}, f"against=True: {CLASS}"),
    ({"tune": ["lr=1e-4..1e-1"]}, "tune=['lr=1e-4..1e-1']: is no text; give text such as tune=\"lr=1e-4..1e-1\""),
    ({"tune": False}, "tune=False: is no text"),
    ({"against": None, "baseline": 5}, "baseline=5: is no path; give text or a Path, such as baseline=\"baseline.json\""),
    ({"against": None, "baseline": ["b.json"]}, "baseline=['b.json']: is no path"),
    ({"against": None, "baseline": ""}, ""),
    ({"seeds": True}, "seeds=True: give a whole number, 2 to "),
    ({"seeds": "8"}, "seeds='8': give a whole number, 2 to "),
    ({"seeds": 8.0}, "seeds=8.0: give a whole number, 2 to "),
    ({"seed": [0]}, "seed=[0]: give a whole number, 0 to "),
    ({"optimizer": "no_such:Own", "numbers": {}}, "no module 'no_such'"),
    ({"numbers": {"lr": "0.01"}}, "lr='0.01': is not a number"),
    ({"numbers": {"lr": [0.01]}}, "lr=(0.01,): is not a number"),
])  # fmt: skip
def test_ordinary_mistakes_are_refused_in_one_line(arguments: dict[str, Any], message: str) -> None:
    usual: dict[str, Any] = {"optimizer": "gd", "numbers": {"lr": 0.1}, "against": "gd", "seeds": 2}
    with pytest.raises(SpikecheckError) as refused:
        FixtureGate(**(usual | arguments)).held("store")
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_numbers_of_numpy_are_numbers() -> None:
    """Regression: seeds=np.int64(5) was refused as no whole number."""
    conditions = {"steps": np.int64(100), "clip": np.float32(0.5)}
    numbers = {"lr": np.float32(0.25), "betas": [np.float64(0.5), 0.9]}
    asked = FixtureGate(torch.optim.Adam, numbers, "gd", conditions=conditions, seeds=np.int64(5), seed=np.int32(1))  # type: ignore[arg-type]
    request = asked._request()
    assert isinstance(request.suite, Suite)
    assert (request.suite.seeds, request.suite.root) == (5, 1)
    assert {setting.steps for setting in request.suite.settings.values()} == {100}
    assert request.candidate.lr == 0.25
    assert dict(request.candidate.options) == {"betas": (0.5, 0.9)}


@pytest.mark.parametrize("rows", [["final loss", "diverged"], ("final loss", "diverged"), "final loss, diverged"])
def test_rows_are_a_list_or_text(rows: Any) -> None:
    suite = FixtureGate("gd", {"lr": 0.1}, "gd", rows=rows)._request().suite
    assert suite.rows == ("final loss", "diverged")


def test_a_class_goes_by_its_name() -> None:
    assert path_of(torch.optim.SGD) == "torch.optim.sgd:SGD"
    assert numbers_in("conditions", {"a": [1]}, "") == {"a": (1,)}


@pytest.mark.parametrize(("said", "python"), [
    ("add --set lr=0.01", "add lr=0.01"),
    ("such as --tune lr=1e-4..1e-1; give", 'such as tune="lr=1e-4..1e-1"; give'),
    ("--tune lr=0.1..10: the best rate", 'tune="lr=0.1..10": the best rate'),
    ("--tune 'lr': give", "tune='lr': give"),
    ("--rows ',': names no row", "rows=',': names no row"),
    ("give other numbers with --set", "give other numbers as arguments"),
    ("gate it as a training of your own with --workload", "gate it as a training of your own with a workload"),
    ("give --store DIR, or --no-store", "give --spikecheck-store DIR"),
    ("write it again: --update-baseline", "write it again with spikecheck gate: --update-baseline"),
    ("write the baseline again with --update-baseline", "write the baseline again with spikecheck gate --update-baseline"),
])  # fmt: skip
def test_remedies_are_in_pythons_words(said: str, python: str) -> None:
    assert in_python(said) == python
