"""Alignment of arms and counts of directions, of weights whose cosines can be worked out by hand."""

import numpy as np
import pytest

from spikecheck.core.setting import Setting
from spikecheck.effects import condensation
from spikecheck.harness.claim import Trial
from tests.effects.trials import run, trial, weights

ACROSS = [[1.0, 0.0], [0.0, 2.0]]
ALONG = [[1.0, 1.0], [3.0, 3.0]]
SIXTY = [[1.0, 0.0], [0.5, np.sqrt(0.75)]]


def twins() -> Trial:
    """Through the spike weights come to lie along one line; the calm twin ends at 60 degrees, the held one across."""
    return trial(
        spiking=run(spiked=True, start=weights(ACROSS), end=weights(ALONG)),
        calm=run(end=weights(SIXTY)),
        held=run(end=weights(ACROSS)),
    )


def mean_cosine(rows: list[list[float]]) -> float:
    """Of two neurons, the oracle: |u.v|/(|u||v|)."""
    u, v = (np.asarray(row) / np.linalg.norm(row) for row in rows)
    return abs(float(u @ v))


def test_gains_are_differences_of_mean_cosines() -> None:
    assert condensation.gain(twins()) == pytest.approx(mean_cosine(ALONG) - mean_cosine(SIXTY)) == pytest.approx(0.5)
    assert condensation.gain(twins(), twin="held") == pytest.approx(1.0)
    assert condensation.rise(twins()) == pytest.approx(1.0)
    assert condensation.beyond_chance(twins()) == pytest.approx(1.0 - 2.0 / np.pi)
    assert condensation.fewer_directions(twins(), twin="held") == pytest.approx(0.5)


def test_weights_of_pairs_are_those_of_their_neurons() -> None:
    """Three neurons, two along one line: a third that contributes nothing leaves only the aligned pair."""
    three = [[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]]
    silent = weights(three, [[1.0], [1.0], [0.0]])
    arms = trial(spiking=run(end=silent), calm=run(end=weights(ACROSS)))
    assert condensation.weighted_gain(arms) == pytest.approx(1.0)
    assert condensation.gain(arms) == pytest.approx(1.0 / 3.0)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_mediated_part_is_what_is_there_already_less_a_share_of_all(share: float) -> None:
    found = condensation.mediated(twins(), through="held", share=share)
    assert found == pytest.approx((0.0 - 0.5) - share * (1.0 - 0.5))


def test_what_is_turned_gains_what_was_asked() -> None:
    turned = condensation.turned(twins(), runs=("spiking",), twin="held", by=0.05)
    assert condensation.gain(turned, twin="held") == pytest.approx(0.05, abs=1e-6)
    both = condensation.turned(twins(), runs=("held", "spiking"), twin="calm", by=0.1)
    assert [condensation.gain(both, run=arm) for arm in ("held", "spiking")] == pytest.approx([0.1, 0.1], abs=1e-6)
    beyond = condensation.condensed(twins(), by=0.05)
    effects = (condensation.gain, condensation.rise, condensation.beyond_chance)
    assert min(effect(beyond) for effect in effects) == pytest.approx(0.05, abs=1e-6)


SIZES = {"large": 0.5, "middle": 1.0, "small": 2.0}


def starts(counts: tuple[int, ...]) -> Trial:
    """Arms whose 12 neurons spread at first and then point in so many directions; the loss falls by 1 % in step 50."""
    loss = np.where(np.arange(101) < 50, 1.0, 0.9)
    arms = {}
    for name, count in zip(SIZES, counts, strict=True):
        spread, few = (2 * np.pi * (np.arange(12) % number) / number for number in (12, count))
        path = np.stack([np.stack([np.cos(a), np.sin(a)], axis=1) for a in (spread, few, few)])
        arms[name] = run(loss, records={"trail": {"steps": np.array([0.0, 50.0, 100.0]), "input_weights": path}})
    return trial(setting=Setting(activation="xtanh"), **arms)


def test_directions_are_counted_behind_the_initial_stage() -> None:
    found = starts((12, 6, 3))
    assert condensation.direction_trend(found, sizes=SIZES) == pytest.approx(-1.0)
    assert condensation.trend_at_the_start(found, sizes=SIZES) == 0.0  # all begin in as many
    assert condensation.directions_over_multiplicity(found, arm="small", multiplicity={"xtanh": 2}) == 3 / 4
    order = np.random.default_rng(3).permutation([0.5, 1.0, 2.0])
    ranks = np.corrcoef(np.argsort(np.argsort(order)), [2, 1, 0])[0, 1]
    assert condensation.trend_permuted(found, sizes=SIZES) == pytest.approx(ranks)
    assert condensation.direction_trend(found, sizes=SIZES, left=0.5) == 0.0  # never falls so far: as at the start


def test_planted_starts_condense_the_more_the_smaller_they_are() -> None:
    sizes = {str(place): float(place) for place in range(5)}
    records = {
        "trail": {"steps": np.array([0.0, 50.0]), "input_weights": np.random.default_rng(0).normal(size=(2, 60, 2))}
    }
    loss = np.linspace(1.0, 0.1, 101)
    planted = condensation.condensing(trial(**{arm: run(loss, records=records) for arm in sizes}), arms=sizes)
    assert condensation.direction_trend(planted, sizes=sizes, above=0.99) == pytest.approx(-1.0)
    assert np.array_equal(planted["0"].records["trail"]["input_weights"][0], records["trail"]["input_weights"][0])
