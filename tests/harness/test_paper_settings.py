"""The reference settings, and the domains around them."""

from collections.abc import Callable

import pytest

from spikecheck.core.setting import Setting
from spikecheck.harness.domain import Domain
from spikecheck.harness.paper_settings import (
    MNIST1D,
    MNIST1D_ADAM,
    MNIST1D_BATCHES,
    SETTING_A,
    SETTING_B,
    condensing_domain,
    paper_domain,
)


def test_setting_a_is_the_one_of_the_authors_code() -> None:
    """docs/explanation/paper.md: sin x on 20 points of [-2 pi, 2 pi], width 20, tanh, full-batch gradient descent at 0.1."""
    said = {"target": "sin x", "points": 20, "interval": 2.0, "width": 20, "depth": 1, "activation": "tanh"}
    trained = {"optimizer": "gd", "lr": 0.1, "batch": None, "schedule": "constant", "clip": None, "problem": "sines"}
    assert {name: getattr(SETTING_A, name) for name in said | trained} == said | trained


def test_setting_b_differs_in_what_is_fitted_and_how_it_starts() -> None:
    assert SETTING_B.differences(SETTING_A).keys() == {
        "target", "points", "interval", "width", "gamma", "input_std", "output_std", "steps",
    }  # fmt: skip


@pytest.mark.parametrize(("domain", "reference"), [(paper_domain, SETTING_A), (condensing_domain, SETTING_B)])
def test_a_domain_begins_at_its_reference_and_returns_a_new_one(
    domain: Callable[[], Domain], reference: Setting
) -> None:
    found = domain()
    assert found.reference == reference
    assert {name: ladder.rungs[0] for name, ladder in found.axes.items()} == {
        name: getattr(reference, name) for name in found.axes
    }
    assert set(found.axes) == {"width", "lr", "init_scale", "activation", "target"}
    assert all(len(set(ladder.rungs)) == len(ladder.rungs) > 1 for ladder in found.axes.values())
    assert domain() == found


def test_real_data_differs_in_one_thing_a_setting() -> None:
    assert MNIST1D_BATCHES.differences(MNIST1D) == {"batch": 20}
    assert MNIST1D_ADAM.differences(MNIST1D).keys() >= {"optimizer", "lr"}
    assert MNIST1D_ADAM.problem == MNIST1D.problem == "mnist1d"
