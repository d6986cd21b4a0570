"""Alignment and effective ratio: closed forms, invariances and a plain loop."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import ortho_group

from spikecheck.measures.condensation import alignment, cosines, effective_ratio

# Neurons that have a direction, and some that have none.
WEIGHTS = st.tuples(st.integers(0, 10), st.integers(2, 4)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.integers(-4, 4).map(float))
)
ENTRIES = st.integers(0, 10_000)


def by_hand(weights: np.ndarray, amplitudes: np.ndarray) -> float:
    """The definition, pair by pair."""
    total = weighed = 0.0
    for i, one in enumerate(weights):
        for j, other in enumerate(weights):
            norms = math.hypot(*one), math.hypot(*other)
            if i != j and min(norms) > 0:
                weight = abs(amplitudes[i]) * norms[0] * abs(amplitudes[j]) * norms[1]
                total += weight
                weighed += weight * abs(sum(one * other)) / (norms[0] * norms[1])
    return weighed / total if total > 0 else 0.0


@given(WEIGHTS, st.data())
def test_alignment_is_the_mean_over_pairs(weights: np.ndarray, data: st.DataObject) -> None:
    amplitudes = data.draw(arrays(np.float64, len(weights), elements=st.integers(-3, 3).map(float)))
    assert alignment(weights, amplitudes) == pytest.approx(by_hand(weights, amplitudes), abs=1e-12)
    norms = np.linalg.norm(weights, axis=1)
    equal = np.divide(1.0, norms, out=np.ones_like(norms), where=norms > 0)
    assert alignment(weights) == pytest.approx(by_hand(weights, equal), abs=1e-12)
    assert alignment(weights, equal) == pytest.approx(alignment(weights), abs=1e-12)


@given(ENTRIES, st.integers(2, 12))
def test_neither_rotations_nor_scales_nor_order_nor_zeros_matter(seed: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    weights, amplitudes = rng.normal(size=(width, 3)), rng.normal(size=width)
    turned = weights @ ortho_group.rvs(3, random_state=seed)
    scaled = turned * rng.uniform(0.1, 9.0, (width, 1))
    assert alignment(scaled) == pytest.approx(alignment(weights), abs=1e-9)
    assert alignment(scaled * rng.choice([-1.0, 1.0], (width, 1))) == pytest.approx(alignment(weights), abs=1e-9)
    assert alignment(turned * 7.0, amplitudes * 3.0) == pytest.approx(alignment(weights, amplitudes), abs=1e-9)
    assert effective_ratio(scaled) == effective_ratio(weights)
    order = rng.permutation(width)
    assert alignment(weights[order], amplitudes[order]) == pytest.approx(alignment(weights, amplitudes), abs=1e-12)
    with_dead = np.vstack([weights, np.zeros((2, 3))])
    assert alignment(with_dead, np.append(amplitudes, [1.0, 1.0])) == pytest.approx(alignment(weights, amplitudes))
    assert (alignment(with_dead), effective_ratio(with_dead)) == (alignment(weights), effective_ratio(weights))


@given(WEIGHTS, st.integers(-1_050, 900))
def test_no_scale_is_too_small(weights: np.ndarray, power: int) -> None:
    assert alignment(np.ldexp(weights, power)) == alignment(weights)


@given(WEIGHTS)
def test_both_lie_in_their_range(weights: np.ndarray) -> None:
    alive = int(weights.any(axis=1).sum())
    assert 0.0 <= alignment(weights) <= 1.0
    assert effective_ratio(weights) in [count / max(alive, 1) for count in range(min(alive, 1), alive + 1)]
    assert cosines(weights).shape == (alive, alive)


def test_one_direction_and_as_many_as_there_are() -> None:
    one_way = np.outer(np.array([1.0, 2.0, 3.0, 0.5]), np.array([0.6, 0.8]))
    assert alignment(one_way) == pytest.approx(1.0)
    assert effective_ratio(one_way) == 0.25
    assert (alignment(np.eye(4)), effective_ratio(np.eye(4))) == (0.0, 1.0)


def test_the_two_can_disagree() -> None:
    to_and_fro = np.array([[1.0, 1.0], [-1.0, -1.0]] * 4)
    assert alignment(to_and_fro) == pytest.approx(1.0)
    assert effective_ratio(to_and_fro) == 0.25


def test_the_mean_cosine_of_a_fan() -> None:
    angles = np.pi / 3 * np.arange(3)
    assert alignment(np.stack([np.cos(angles), np.sin(angles)], axis=1)) == pytest.approx(0.5)


def test_amplitudes_weigh_pairs() -> None:
    weights = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert alignment(weights, np.array([1.0, 1.0, 0.0])) == pytest.approx(1.0)
    assert alignment(weights, np.array([1.0, -1.0, 1.0])) == pytest.approx(1 / 3)
    assert alignment(weights, np.array([1.0, 0.0, 0.0])) == 0.0


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (1, 2), (3, 2)])
def test_where_nothing_points_anywhere_nothing_is_condensed(shape: tuple[int, int]) -> None:
    assert alignment(np.zeros(shape)) == 0.0
    assert effective_ratio(np.zeros(shape)) == 0.0


def test_a_neuron_always_shares_its_own_direction() -> None:
    weights = np.random.default_rng(0).normal(size=(20, 3))
    assert effective_ratio(weights, above=1.0) == 1.0
    assert effective_ratio(weights, above=-1.0 - 1e-9) == 1 / 20
