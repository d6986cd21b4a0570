"""Workloads measured on the way: nothing of the training changes, and figures are those of closed forms."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spikecheck.lab.store import Store
from spikecheck.watch.measured import MeasuredOrder
from spikecheck.watch.runs import Order, train
from spikecheck.watch.workload import Workload
from tests.watch.measured_trainings import EVERYTHING, SGD, order, quadratic


def test_a_measured_training_has_the_bits_of_another() -> None:
    """With dropout, so that random numbers are drawn at every step."""
    plain = train(Order(order().workload, 3, 30, SGD), None)
    assert np.array_equal(train(order(), None).losses, plain.losses)


def test_looks_survive_a_kill(tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    def tick(steps: int) -> None:
        if steps >= 16:
            raise Killed

    store = Store(tmp_path)
    whole = train(order(), None)
    with pytest.raises(Killed):
        train(order(), store, tick)
    resumed = train(order(), store)
    assert resumed.resumed_at > 0
    assert np.array_equal(resumed.losses, whole.losses)
    assert np.array_equal(resumed.arrays["steps"], whole.arrays["steps"])
    for name in ("sharpness", "batch_sharpness"):
        assert resumed.arrays[name] == pytest.approx(whole.arrays[name], rel=2e-3)
    again = train(order(), store)
    assert again.reused
    assert np.array_equal(again.arrays["sharpness"], resumed.arrays["sharpness"])


def test_the_figures_are_those_of_closed_forms() -> None:
    """At w = 1: gHg sums to 1 + 8 + 27, gg to 1 + 4 + 9; the mean Hessian's largest eigenvalue is a third of 3."""
    from spikecheck.watch.measured import CurvatureLooker

    training = quadratic([1.0, 2.0, 3.0])
    looker = CurvatureLooker(training, training.epoch(10), replace(EVERYTHING, batches=8), 5, 0)
    looker.begin()
    arrays = looker.arrays()
    assert arrays["batch_sharpness"] == pytest.approx([36 / 14])
    assert arrays["sharpness"] == pytest.approx([1.0])
    assert arrays["lr"] == pytest.approx([0.1])


def test_a_rate_is_multiplied_and_a_scheduler_goes_on_from_it() -> None:
    resnet = MeasuredOrder(Workload.of("resnet", {"steps": 20}), 0, 20, None, "cpu", rate=0.5)
    slow, usual = resnet.begin(), replace(resnet, rate=1.0).begin()
    slow.run(2)
    usual.run(2)
    assert slow.optimizer.param_groups[0]["lr"] == pytest.approx(0.5 * usual.optimizer.param_groups[0]["lr"])
